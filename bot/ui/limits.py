"""Discord's limits (developer documentation, August 2026), and our own within them.

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

BUTTON_ROWS = 5
SELECT_OPTIONS = 25
BUTTON_TEXT = 80
"""Label of a button."""
OPTION_TEXT = 100
"""Label, value and description of one select option."""

CHOICES = 25
CHOICE_TEXT = 100
"""Name and string value of one autocomplete choice."""
STRING_OPTION = 6_000

REACTION_USERS = 100
"""Users that Discord names in one reply, of those who reacted with an emoji."""

# From here on, Threadwise's own choices inside those limits.

LINK = 1_000
"""A URL in a text; longer ones are not linked."""
CARD_TEXT = 1_500
"""The excerpt of an answer on a public card, before *Read the rest*."""
PAGE_TEXT = 3_500
"""The text on one page of a private pager."""
PLAIN_TEXT = 1_300
"""The text under the heading in a message without embeds; the rest of MESSAGE is for that."""
SUGGESTIONS = 5
"""Threads that "Did you mean" offers."""
QUIET_SUGGESTIONS = 3
"""Threads that it offers where nobody addressed the bot."""
READABLE = 200_000
"""Characters of one text that a pager goes through: some 60 pages."""
FACT = 80
"""One fact in a card's footer: an author, a licence, the tags."""
CREDITS = 560
"""The line under an answer that names its author, site and licence, with their links."""
RELATED = 5
"""Threads that "See also" names."""
ASKED = 150
"""A question that is repeated above the reply to it."""
PART = 90
"""A part of a message that is repeated above its answer, maybe below the whole message."""
PHRASING = 130
"""A learned phrasing in a list of them."""
PLAIN_LINE = 130
"""Title and address in a message without embeds."""
IMPORT_LINE = 190
"""A remark on an import: five of them stand in a field."""
PLAIN_FACTS = 100
PLAIN_CREDITS = 150
"""The two small lines below them."""

# Discord's codes of errors.

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_EMOJI = 10003, 10008, 10014
GONE_CODES = frozenset({UNKNOWN_CHANNEL, UNKNOWN_MESSAGE})
"""A message is not there any more; other 404s, of a server in between say, don't mean that."""
TOO_LATE = frozenset({10015, 10062})
"""Unknown webhook, unknown interaction: Discord waits no longer for a reply."""
ALREADY_ACKNOWLEDGED = 40060
"""A first reply to an interaction has arrived before."""
