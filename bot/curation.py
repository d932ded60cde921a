"""Curation: changes that helpers make to a guild's own threads, and the states between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.models import Answer, Thread

AnswerPair = tuple[Answer, int | None]
"""An answer and its id; ``None`` for one that the library doesn't have yet."""


class Action(StrEnum):
    """The kind of change that made a state of a thread."""

    SAVED = "saved"  # from a message
    ADDED = "added"  # by hand
    IMPORTED = "imported"
    ANSWERED = "answered"  # one answer more
    EDITED = "edited"
    OVERRIDDEN = "overridden"  # a shared thread, copied to be edited
    MERGED = "merged"
    RESTORED = "restored"
    SOLVED = "solved"  # a followed post
    REOPENED = "reopened"
    FOLLOWED = "followed"  # what was edited or deleted on Discord


FROM_SOURCES = frozenset({Action.SOLVED, Action.FOLLOWED, Action.REOPENED, Action.IMPORTED})
"""What is done because messages or files say something, not because a helper does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadState:
    """All that can be changed of a thread, at one time.

    ``answer_ids`` are the ids of ``thread.answers``, in their order; ``None`` for one that the
    library doesn't have yet. ``merged`` are the ids of the threads that were merged into it.
    A ``retired`` one is served to nobody.
    """

    thread: Thread
    answer_ids: tuple[int | None, ...]
    retired: bool = False
    merged: tuple[int, ...] = ()

    @property
    def pairs(self) -> tuple[AnswerPair, ...]:
        """Return the answers, each with its id."""
        return tuple(zip(self.thread.answers, self.answer_ids, strict=True))

    def with_pairs(self, pairs: Iterable[AnswerPair]) -> ThreadState:
        """Return the state with these answers, each with its id, in place of its own."""
        given = [*pairs]
        thread = replace(self.thread, answers=tuple(answer for answer, _ in given))
        return replace(self, thread=thread, answer_ids=tuple(i for _, i in given))

    def without(self, answer_ids: Collection[int]) -> ThreadState:
        """Return the state without these answers; retired if it had others and has none."""
        kept = [pair for pair in self.pairs if pair[1] not in answer_ids]
        is_empty = not kept and bool(self.answer_ids)
        return replace(self.with_pairs(kept), retired=self.retired or is_empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A state of a guild's thread, with who made it (0: nobody, or forgotten) and when.

    ``is_proposed`` ones were never in force: the source of a thread that helpers edited said
    something else since, which they may take over. ``change`` is the same for the states that
    one change made, of one thread or several.
    """

    id: int
    thread_id: int
    action: Action
    user_id: int
    made_at: datetime
    change: int
    state: ThreadState
    is_proposed: bool = False


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of a guild's threads: the state that it made, and the one before.

    Of a merge, ``other`` is the title of the thread that became a part of this one, or that this
    one became a part of.
    """

    revision: Revision
    before: ThreadState | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some changes, newest first; ``has_older`` says whether there are others."""

    entries: tuple[HistoryEntry, ...]
    has_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHistory:
    """A thread of a guild's own that has revisions, as an export names it.

    ``thread_id`` and ``answer_ids`` (of the answers in force, in their order) hold within the
    export, as those of its revisions do. ``overrides`` is the key of the shared thread that it
    stands in for.
    """

    thread_id: int
    key: str
    title: str
    answer_ids: tuple[int, ...] = ()
    merged_into: int | None = None
    overrides: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The message of Discord that a thread's question or an answer is; ``author_id`` wrote it.

    ``channel_id`` is 0 where it is of another server than the thread's, and isn't followed.
    """

    channel_id: int
    message_id: int
    author_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeOf:
    """The messages of a guild that an imported thread is made of: answers' by their keys.

    ``nameless`` wrote some of them, and are not named in the thread.
    """

    guild_id: int
    question: Origin | None
    answers: Mapping[str, Origin]
    nameless: frozenset[int] = frozenset()

    @property
    def author_ids(self) -> frozenset[int]:
        """Return the ids of all who wrote something of it."""
        asking = () if self.question is None else (self.question,)
        return frozenset(origin.author_id for origin in (*asking, *self.answers.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """A thread as a helper begins to edit it.

    ``thread_id`` may be a shared thread's, which is copied when it is edited. ``token`` stands
    for the texts as they are now.
    """

    thread_id: int
    state: ThreadState
    token: str

    def answer(self, answer_id: int) -> Answer | None:
        """Return one of its answers by id."""
        return next((answer for answer, i in self.state.pairs if i == answer_id), None)


class Outcome(StrEnum):
    """The result of going back to another state of a thread."""

    OUT = "out"  # it is not in the library any more
    BACK = "back"
    SHARED = "shared"  # the shared thread is served again, not the guild's version
    OWN = "own"
    SPLIT = "split"
    MERGED = "merged"
    UNDONE = "undone"
    REDONE = "redone"  # an undoing was undone
    THEN = "then"  # as it was at a time
    TAKEN_OVER = "taken_over"  # what the source says


def outcome_of(
    was: ThreadState, now: ThreadState, undoes: bool | None, *, is_version: bool
) -> Outcome:
    """Return what came of going from a state to another.

    ``undoes`` says that a change was undone, or an undoing was; ``None``: neither.
    """
    if now.retired != was.retired:
        if is_version:
            return Outcome.SHARED if now.retired else Outcome.OWN
        return Outcome.OUT if now.retired else Outcome.BACK
    if now.merged != was.merged:
        return Outcome.MERGED if set(now.merged) - set(was.merged) else Outcome.SPLIT
    if undoes is None:
        return Outcome.THEN
    return Outcome.UNDONE if undoes else Outcome.REDONE


@dataclass(frozen=True, slots=True)
class Changed:
    """The result of a change: the thread, and the messages that show it, newest first.

    ``outcome`` is what came of going back to another state.
    """

    thread_id: int
    title: str
    messages: tuple[int, ...] = ()
    outcome: Outcome = Outcome.UNDONE


class AuthorChoice(StrEnum):
    """A member's choice for their messages in the library."""

    WITHOUT_NAME = "without_name"
    LEAVE_OUT = "leave_out"
