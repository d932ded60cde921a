"""How much is read at most, and which numbers can be kept."""

from __future__ import annotations

SCORES = range(-(2**63), 2**63)
"""Databases keep whole numbers in 64 bits."""

VOTES = range(-(2**31), 2**31)
"""Sums of one guild's votes: far from what databases can't add up."""

MAX_PAGE_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024

MAX_TEXT = 512 * 1024
"""Characters of one text in a form that isn't ours: longer ones are no answers but damage,
such as a quote in a table that is never closed."""

MAX_FILE_BYTES = 128 * 1024 * 1024
"""Of a file that must be held in memory as a whole."""

MAX_HTML_BYTES = 16 * 1024 * 1024
"""Of a web page: its tree takes many times as much memory."""
