"""Discord's numbers, all in one place (developer documentation, August 2026).

Lengths are counted here in UTF-16 units, which is never less than what Discord
counts, so text that fits by these numbers always fits.
"""

from __future__ import annotations

MESSAGE = 2_000
EMBED_TITLE = 256
EMBED_DESCRIPTION = 4_096
EMBED_FIELD = 1_024
"""Value of one field."""
EMBED_FOOTER = 2_048
EMBED_AUTHOR = 256
EMBED_TOTAL = 6_000

COMPONENTS_A_ROW = 5
BUTTON_LABEL = 80
CUSTOM_ID = 100
SELECT_OPTIONS = 25
OPTION_TEXT = 100
"""Label, value and description of one select option."""
PLACEHOLDER = 150
URL = 512
"""Of a link button; links in text are held to LINK."""

CHOICES = 25
CHOICE_TEXT = 100
"""Name and string value of one autocomplete choice."""
STRING_OPTION = 6_000

# From here on, Threadwise's own choices inside those limits.

LINK = 1_000
"""Longer addresses are not linked."""
CARD_TEXT = 1_500
"""How much of an answer a public card shows before *Read the rest*."""
PAGE_TEXT = 3_500
"""How much text one page of a private pager shows."""
PLAIN_TEXT = 1_300
"""How much of an answer a message without embeds shows under its heading."""
SUGGESTIONS = 5
"""How many threads "Did you mean" offers."""
READABLE = 200_000
"""How much of one text a pager goes through."""
FACT = 80
"""One fact in a card's footer: an author, a licence, the tags."""
CREDITS = 560
"""The line under an answer that names its author, site and licence, with their links."""
RELATED = 5
"""How many threads "See also" names."""
ASKED = 150
"""How much of a question is repeated above the reply to it."""
PHRASING = 150
"""How much of a learned phrasing a list of them shows."""
PLAIN_LINE = 130
"""Title and address in a message without embeds."""
PLAIN_FACTS = 100
PLAIN_CREDITS = 150
"""The two small lines below them."""
