"""Rules of what may be taught, and by whom it counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.models import StoredThread
from bot.search.text import STOP_WORDS, wording

MAX_LENGTH = 300
"""Characters of a question that may be learned; nobody asks a longer one again in its words."""

MAX_A_DAY = 10
"""Phrasings of one member in a day that count for their guild; of more, only for themselves."""

DAY = timedelta(days=1)
"""For how long after joining what a member teaches counts for themselves alone."""

EMPTY_WORDS = STOP_WORDS | frozenset(
    "again bot hello help hey hi ok okay pls plz problem question somebody someone something sorry "
    "thank thanks there thx yes".split()
)
"""Words that say nothing of what a question is about, alone or together."""


def is_worth_learning(text: str) -> bool:
    """Return whether a question is short enough and says what it is about."""
    words = set(wording(text).split())
    return len(text) <= MAX_LENGTH and not words <= EMPTY_WORDS


def is_new(joined_at: datetime | None) -> bool:
    """Return whether a member is too new for what they teach to count for the guild."""
    return joined_at is None or datetime.now(UTC) - joined_at < DAY


def lacks_wording(thread: StoredThread | None, words: str) -> bool:
    """Return whether there is a thread, and neither its title nor a phrasing has this wording."""
    if thread is None:
        return False
    return words not in {wording(name) for name in (thread.title, *thread.phrasings)}
