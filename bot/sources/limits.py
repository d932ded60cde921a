"""How much is read at most, and which numbers can be kept."""

from __future__ import annotations

SCORES = range(-(2**63), 2**63)
"""Databases keep whole numbers in 64 bits."""

MAX_PAGE_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
