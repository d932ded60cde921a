"""Phrasings that a guild's members taught, and by what they count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Standing(IntEnum):
    """By what a phrasing counts for the guild, besides the members who taught it.

    Of ``ONE_ENOUGH`` ones a helper chose the thread, or they were learned when any member was
    enough; ``KEPT`` ones a helper kept or taught, and members' votes don't take them back.
    """

    NONE = 0
    ONE_ENOUGH = 1
    KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedPhrasing:
    """A question in which a guild's member asked for a thread; used in that guild only.

    ``key`` and ``title`` are the thread's. ``user_id`` is who asked it first, ``learned_at`` when
    it was taught last; ``message_id`` the posting it was learned from. ``vector`` is what the
    embedding model ``model`` makes of the text, once it has. ``confirmed`` says that it counts
    for the guild; otherwise it counts for its ``teachers`` alone, who all said these words.
    ``agreed`` says that two members taught it, or one whose choice is enough; ``kept`` that a
    helper kept or taught it.
    """

    id: int
    guild_id: int
    thread_id: int
    key: str
    title: str
    text: str
    user_id: int
    message_id: int
    learned_at: datetime | None = None
    model: str | None = None
    vector: bytes | None = None
    confirmed: bool = True
    agreed: bool = True
    kept: bool = False
    teachers: tuple[int, ...] = ()
