"""The words of the house as data: threads, answers, matches, votes, postings.

Everything here is frozen and free of behaviour that needs a database, an index
or Discord, so that every room may pass it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

SHARED = 0
"""The scope of the shared library, and the guild id of direct messages."""

MOST_PHRASINGS = 100
"""Phrasings of a thread whose meaning is kept: the first ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as its source gave it; ``score`` is the source's own number.

    ``key`` names the answer where it came from (``None`` where the source has no
    such name); ``answered_at`` is aware and in UTC. ``license`` is the answer's own,
    where it may differ from the thread's. ``tallies`` are votes that an export carries:
    pairs of a guild's id and the sum of its members' votes, by guild.
    """

    body: str
    score: int = 0
    accepted: bool = False
    key: str | None = None
    author: str | None = None
    url: str | None = None
    license: str | None = None
    answered_at: datetime | None = None
    tallies: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A question with its answers, as a source gave it.

    ``key`` is the source key: importing another thread with the same key and
    scope updates this one in place. ``source`` names where it came from with others
    (a site, a file), so that what a newer copy of it lacks can be told. ``closed_at``
    is when its source stopped taking answers, ``related`` the keys of threads that it
    points to.
    """

    key: str
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
    phrasings: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer(Answer):
    """An answer of the library, with what one guild's members voted on it."""

    id: int
    votes: int = 0

    @property
    def tally(self) -> int:
        """The source's score plus this guild's votes."""
        return self.score + self.votes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredThread(Thread):
    """A thread of the library as one guild sees it; answers in serving order."""

    id: int
    scope: int
    answers: tuple[StoredAnswer, ...] = ()

    def answer(self, answer_id: int) -> StoredAnswer | None:
        """The answer with this id, or ``None`` if the thread has it no longer."""
        return next((a for a in self.answers if a.id == answer_id), None)


class Verdict(StrEnum):
    """What the bot does with a question."""

    ANSWER = "answer"
    SUGGEST = "suggest"
    NONE = "none"


class Policy(StrEnum):
    """Which of a thread's answers is served first."""

    ACCEPTED = "accepted"
    SCORE = "score"


class Mode(StrEnum):
    """When the bot speaks in a channel."""

    OFF = "off"
    MENTION = "mention"
    QUESTIONS = "questions"
    ALL = "all"


class Vote(IntEnum):
    """The value of one member's vote."""

    UP = 1
    DOWN = -1


class ReactionKind(IntEnum):
    """The kind of a reaction, by Discord's numbers: a member may give both of one emoji."""

    NORMAL = 0
    SUPER = 1


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
    """What the house has to say to a question.

    ``matches`` are best first, also when the verdict is ``none``. ``thread`` and
    ``answer`` are set exactly when the verdict is ``answer``. ``confidence`` is
    the first match's (0 without one); ``took_ms`` is in milliseconds.
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

    ``asker_id`` is the member whose question it replies to; ``alternatives`` are
    the ids of the threads to suggest when that member says *Not my question*.
    ``emoji`` is what members vote with on it (``None``: not recorded).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedPhrasing:
    """Words in which a guild's member asked a thread; known in that guild only.

    ``key`` and ``title`` are the thread's. ``user_id`` is who taught it,
    ``message_id`` the posting it was learned from. ``vector`` is what the embedding
    model ``model`` makes of the text, once it has.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    """How the bot behaves in one guild; every field has a value in force.

    Thresholds are confidences in [0, 1] with ``suggest <= answer``.
    ``learn_phrasings`` says whether what members ask is learned, and used.
    """

    answer_threshold: float
    suggest_threshold: float
    policy: Policy
    up_emoji: str
    down_emoji: str
    learn_phrasings: bool

    @property
    def emoji(self) -> VoteEmoji:
        """What members vote with on what is posted now."""
        return VoteEmoji(self.up_emoji, self.down_emoji)


def bare_emoji(emoji: str) -> str:
    """An emoji without U+FE0F, which asks only for its coloured form: both are the same."""
    return emoji.replace("\ufe0f", "")
