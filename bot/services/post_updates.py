"""Updates of a post's thread by newer messages; helpers may have edited it meanwhile.

A text that a helper wrote stays; what its message says by now is proposed to the helpers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from bot.curation import FROM_SOURCES, Action, AnswerPair, Revision, ThreadState
from bot.models import Answer, Thread

_FIELDS = ("title", "body", "tags")
"""What helpers edit of a question."""


@dataclass(slots=True)
class HelpersWords:
    """Parts of a thread that helpers wrote: fields, answers by id; and the keys they took out."""

    fields: set[str] = field(default_factory=set)
    answers: set[int] = field(default_factory=set)
    taken_out: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Update:
    """The state that newer messages make of a thread.

    ``proposed`` is what it would be if helpers gave their words up; ``None``: the same.
    """

    state: ThreadState
    proposed: ThreadState | None = None


def helpers_words(revisions: Iterable[Revision]) -> HelpersWords:
    """Return what helpers wrote of a thread, by its revisions, oldest first."""
    words, before = HelpersWords(), None
    for revision in revisions:
        if not revision.is_proposed:
            _note(words, before, revision)
            before = revision.state
    return words


def updated(
    current: ThreadState,
    words: HelpersWords,
    now: Thread,
    gone: Collection[str],
    *,
    is_whole: bool,
) -> Update:
    """Return what a post makes of the thread that was made of it before.

    ``now`` is what would be made of it alone. ``gone`` are the keys of answers whose messages
    are there no more. Without ``is_whole`` the post was merged into the thread of another
    question: its answers alone count.
    """
    state, wanted = current, current
    if is_whole:
        facts = {name: getattr(now, name) for name in ("author", "url", "source", "asked_at")}
        theirs = {name: getattr(now, name) for name in _FIELDS}
        free = {name: value for name, value in theirs.items() if name not in words.fields}
        state = replace(current, thread=replace(current.thread, **facts, **free))
        wanted = replace(current, thread=replace(current.thread, **facts, **theirs))
    state = _with_answers(state, now, gone, words.taken_out, words.answers, is_whole=is_whole)
    wanted = _with_answers(wanted, now, gone, words.taken_out, (), is_whole=is_whole)
    return Update(state, None if wanted == state else wanted)


def without_answers(current: ThreadState, keys: Collection[str]) -> ThreadState:
    """Return a thread's state without these answers; retired if there are no others."""
    kept = [pair for pair in current.pairs if pair[0].key not in keys]
    return current.with_pairs(kept) if kept else replace(current, retired=True)


def _note(words: HelpersWords, before: ThreadState | None, revision: Revision) -> None:
    """Note what a revision changed, as helpers' words or as messages'."""
    by_helper = revision.action not in FROM_SOURCES
    is_merging = revision.action is Action.MERGED
    state = revision.state
    if before is None or is_merging:
        if by_helper and before is None:
            words.fields |= set(_FIELDS)
            words.answers |= {i for i in state.answer_ids if i is not None}
        return
    for name in _FIELDS:
        if getattr(state.thread, name) != getattr(before.thread, name):
            (words.fields.add if by_helper else words.fields.discard)(name)
    was, known = _by_id(before), _by_id(state)
    for answer_id, answer in known.items():
        if answer_id not in was or was[answer_id].body != answer.body:
            (words.answers.add if by_helper else words.answers.discard)(answer_id)
    gone = {was[i].key for i in was.keys() - known.keys()} - {None}
    words.taken_out -= {answer.key or "" for answer in known.values()}
    if by_helper:
        words.taken_out |= {key for key in gone if key is not None}


def _by_id(state: ThreadState) -> dict[int, Answer]:
    return {i: answer for answer, i in state.pairs if i is not None}


def _with_answers(
    current: ThreadState,
    now: Thread,
    gone: Collection[str],
    taken_out: Collection[str],
    helpers: Collection[int],
    *,
    is_whole: bool,
) -> ThreadState:
    newer = {answer.key: answer for answer in now.answers}
    kept = list[AnswerPair]()
    for answer, answer_id in current.pairs:
        new = newer.pop(answer.key, None) if answer.key is not None else None
        if answer.key in gone:
            continue
        if new is not None:
            body = answer.body if answer_id in helpers else new.body
            accepted = new.accepted if is_whole else answer.accepted
            answer = replace(new, body=body, accepted=accepted, score=answer.score)
        elif is_whole and any(other.accepted for other in now.answers):
            answer = replace(answer, accepted=False)
        kept.append((answer, answer_id))
    kept += [
        (answer if is_whole else replace(answer, accepted=False), None)
        for key, answer in newer.items()
        if key not in taken_out
    ]
    return current.with_pairs(kept)
