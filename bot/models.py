"""The data of the program: threads, answers, matches, votes, postings.

Everything here is frozen and needs neither database nor index nor Discord: every layer may use it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bot.curation import MadeOf

SHARED = 0
"""The scope of the shared library, and the guild id of direct messages."""

PRIVATE = 0
"""The channel id of a posting that its asker alone sees."""

MAX_PHRASINGS = 100
"""Phrasings of a thread whose meaning is kept: the first ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as its source gave it; ``score`` is the source's own number.

    ``key`` names the answer where it came from (``None`` where the source has no
    such name); ``answered_at`` is aware and in UTC. ``license`` is the answer's own,
    where it may differ from the thread's. ``tallies`` are votes that an export carries:
    pairs of a guild's id and the sum of its members' votes; ``accepted_in`` are the guilds that
    accepted it, with when. Columns and JSON follow from the fields: see ``StoredField``.
    """

    key: str | None = field(default=None, metadata={"json": "id"})
    body: str
    score: int = 0
    accepted: bool = False
    author: str | None = None
    url: str | None = None
    license: str | None = None
    answered_at: datetime | None = None
    tallies: tuple[tuple[int, int], ...] = ()
    accepted_in: tuple[tuple[int, datetime], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A question with its answers, as a source gave it.

    ``key`` is the source key: importing another thread with the same key and scope updates this
    one in place. ``source`` names where it came from with others (a site, a file), so that what a
    newer copy of it lacks can be told. ``closed_at`` is when its source stopped taking answers,
    ``related`` the keys of threads that it points to. ``former_key`` is the key that its reader
    gave it in older versions of the program: a thread that is there under that one, from the same
    source, is this one. ``made_of`` are the messages of Discord that it is.

    Columns and JSON follow from the fields: see ``StoredField``.
    """

    key: str = field(metadata={"json": "id"})
    title: str
    body: str = ""
    score: int = 0
    tags: tuple[str, ...] = ()
    url: str | None = None
    author: str | None = None
    license: str | None = None
    asked_at: datetime | None = None
    closed_at: datetime | None = None
    source: str | None = None
    phrasings: tuple[str, ...] = field(default=(), metadata={"column": False})
    related: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    former_key: str | None = field(default=None, compare=False, metadata={"stored": False})
    made_of: MadeOf | None = field(default=None, compare=False)


class FieldKind(StrEnum):
    """The kind of a field, by its annotation."""

    TEXT = "str"
    OPTIONAL_TEXT = "str | None"
    INTEGER = "int"
    OPTIONAL_INTEGER = "int | None"
    FLAG = "bool"
    TEXTS = "tuple[str, ...]"
    DATE = "datetime | None"


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field of threads or answers that the store keeps and JSON has.

    Its column has its ``name``, unless ``is_column`` says that a table of its own has it; its
    key in JSON is ``json``. Types and checks follow from ``kind``. To add a field to the model,
    the table and the JSON, add it to the dataclass, and write a migration.
    """

    name: str
    kind: FieldKind
    json: str
    is_required: bool
    is_column: bool


def stored_fields(model: type[Thread | Answer]) -> tuple[StoredField, ...]:
    """Return the fields of a model but those of other kinds and those marked as not stored."""
    kinds = {kind.value: kind for kind in FieldKind}
    return tuple(
        StoredField(
            name=f.name,
            kind=kinds[str(f.type)],
            json=f.metadata.get("json", f.name),
            is_required=f.default is MISSING,
            is_column=f.metadata.get("column", True),
        )
        for f in fields(model)
        if f.type in kinds and f.metadata.get("stored", True)
    )


THREAD_FIELDS = stored_fields(Thread)
ANSWER_FIELDS = stored_fields(Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer(Answer):
    """An answer of the library, with what one guild's members voted on it.

    ``accepted_here``: the guild accepted it; ``overrides`` is the shared answer it stands in for.
    """

    id: int
    votes: int = 0
    accepted_here: bool = False
    overrides: int | None = None

    @property
    def tally(self) -> int:
        """The source's score plus this guild's votes."""
        return self.score + self.votes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredThread(Thread):
    """A thread of the library as one guild sees it.

    Its answers are in the order of their source, or as ``Answering.serve`` shows them.
    ``overrides`` are the ids of the shared threads that it stands in for in its guild.
    """

    id: int
    scope: int
    answers: tuple[StoredAnswer, ...] = ()
    overrides: tuple[int, ...] = ()

    def answer(self, answer_id: int) -> StoredAnswer | None:
        """Return the answer with this id, or that stands in for it; ``None`` without one."""
        return next((a for a in self.answers if answer_id in (a.id, a.overrides)), None)


class Verdict(StrEnum):
    """The bot's decision on a question."""

    ANSWER = "answer"
    SUGGEST = "suggest"
    NONE = "none"


class Policy(StrEnum):
    """The rule by which a thread's first answer is chosen."""

    ACCEPTED = "accepted"
    SCORE = "score"


class Mode(StrEnum):
    """The messages of a channel that the bot answers."""

    OFF = "off"
    MENTION = "mention"
    QUESTIONS = "questions"
    ASK = "ask"


class Vote(IntEnum):
    """The value of one member's vote."""

    UP = 1
    DOWN = -1


class VectorStage(IntEnum):
    """The stages in which a thread's vectors are made, in order; each keeps the former.

    A stage for which a thread has no text counts as made.
    """

    TITLE = 1
    PHRASINGS = 2
    BODY = 3


class ReactionKind(IntEnum):
    """The kind of a reaction, by Discord's numbers: a member may give both of one emoji."""

    NORMAL = 0
    SUPER = 1


class Reaction(NamedTuple):
    """One member's reaction on a message, or their press of a vote button."""

    user_id: int
    value: Vote
    kind: ReactionKind = ReactionKind.NORMAL


@dataclass(frozen=True, slots=True)
class Match:
    """A thread found for a question; ``confidence`` is in [0, 1].

    ``together`` is the confidence that this thread or one found before it is meant.
    """

    thread_id: int
    key: str
    title: str
    confidence: float
    together: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The reply to a question.

    ``matches`` are best first, also when the verdict is ``none``. ``thread`` and ``answer`` are set
    exactly when it is ``answer``. ``confidence`` is the first match's (0 without one).
    """

    question: str
    verdict: Verdict
    confidence: float
    matches: tuple[Match, ...]
    thread: StoredThread | None = None
    answer: StoredAnswer | None = None
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class VoteEmoji:
    """The two emoji that members vote with, as ``/settings emoji`` has them."""

    up: str
    down: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A Discord message that shows one answer.

    ``asker_id`` is the member whose question it replies to; ``alternatives`` are the ids of the
    threads to suggest when that member says *Not my question*. ``emoji`` is what members vote with
    (``None``: not recorded). ``channel_id`` is PRIVATE for one that the asker alone sees.
    """

    message_id: int
    channel_id: int
    guild_id: int
    thread_id: int
    answer_id: int
    asker_id: int
    alternatives: tuple[int, ...] = ()
    posted_at: datetime | None = None
    emoji: VoteEmoji | None = None

    @property
    def is_private(self) -> bool:
        """Return whether the asker alone sees it."""
        return self.channel_id == PRIVATE


def plain_key(text: str) -> str:
    """Return the form that ids share which are one: nothing differs that can be seen.

    Spaces around it and invisible characters go; the joiners within a word, which some
    languages spell with, stay.
    """
    joiners = "\u200c\u200d"
    if text.isascii():
        return text.strip()
    seen = "".join(c for c in text if c in joiners or unicodedata.category(c) != "Cf")
    return seen.strip().strip(joiners).strip()
