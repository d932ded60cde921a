"""Threads and their answers written over: by what an import brings, or by a helper's state.

The answers of an import are matched with those of the library by key or text.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import ThreadState
from bot.models import Answer, Thread
from bot.store.rows import (
    ANSWER,
    ThreadRows,
    answer_columns,
    by_thread,
    columns,
    id_batches,
    insert_rows,
    unpack,
)
from bot.store.tables import answers, phrasings, threads

SAME_TEXT = 60.0
"""``fuzz.ratio`` (0-100) from which two bodies count as one answer, edited."""

_COMPARED = 2_000  # characters; enough to know a text by, and quick for long ones

MOST_COMPARED = 400
"""Pairs of bodies of one thread that are compared, up to 1 ms each: twenty answers that were all
edited at once. A file could bring a thousand, and everybody would wait."""


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that the library has: its id and what tells it apart."""

    id: int
    key: str | None
    body: str
    retired: bool = False


def pair(known: Sequence[Known], new: Sequence[Answer]) -> list[Known | None]:
    """Return for each new answer the known one that it replaces, or ``None``.

    First by source key, then by equal body, then by similar body, the most similar first, where
    one of the two has no key and there are not very many; retired ones only where these are few
    enough as well. Each known answer is used once.
    """
    paired: list[Known | None] = [None] * len(new)
    free = {k.id: k for k in known}
    waiting = defaultdict[tuple[str, str | None], deque[Known]](deque)
    for k in known:
        waiting["body", k.body].append(k)
        name = ("body without key", k.body) if k.key is None else ("key", k.key)
        waiting[name].append(k)

    def first(what: str, text: str | None) -> Known | None:
        # Of thousands with one body, or key, those that are taken are not looked at again.
        while left := waiting.get((what, text)):
            if (found := free.pop(left.popleft().id, None)) is not None:
                return found
        return None

    def match_all(match: Callable[[Answer], Known | None]) -> None:
        for position, answer in enumerate(new):
            if paired[position] is None:
                paired[position] = match(answer)

    match_all(lambda answer: first("key", answer.key))
    # By its body, not one of another key.
    match_all(lambda a: first("body" if a.key is None else "body without key", a.body))
    left = [(position, a) for position, a in enumerate(new) if paired[position] is None]
    several = ([*free.values()], [k for k in free.values() if not k.retired])
    compared = next((some for some in several if len(some) * len(left) <= MOST_COMPARED), [])
    for _, position, k in sorted(_alike(compared, left), key=lambda found: -found[0]):
        if paired[position] is None:
            paired[position] = free.pop(k.id, None)
    return paired


def _alike(
    known: Collection[Known], new: Sequence[tuple[int, Answer]]
) -> Iterator[tuple[float, int, Known]]:
    """Yield known and new answers of similar bodies, with their ratio and the new one's position.

    Of each pair, at most one has a key.
    """
    for position, answer in new:
        for k in known:
            old, body = k.body[:_COMPARED], answer.body[:_COMPARED]
            ratio = fuzz.ratio(old, body, score_cutoff=SAME_TEXT)
            if ratio and (k.key is None or answer.key is None):
                yield ratio, position, k


async def replace(connection: AsyncConnection, batch: Mapping[int, ThreadRows]) -> list[int]:
    """Replace threads, by their ids, by what an import brings; retired ones come back.

    Votes stay with the answers that are the same. Returns the ids of threads of which
    something has changed that is searched: a new score alone needs no new index. The
    text version is raised only where the meaning may be another, so that vectors are kept.
    """
    t = threads.c
    query = select(t.id, t.title, t.body, t.tags, t.text_version, t.retired_at)
    old = (await connection.execute(query.where(t.id.in_(batch)))).all()
    texts, known = await phrasings_of(connection, batch), await known_answers(connection, batch)

    def newer() -> list[tuple[dict[str, Any], ThreadState, bool]]:
        return [_newer(row, texts[row.id], known[row.id], batch[row.id]) for row in old]

    found = await asyncio.to_thread(newer)  # comparing texts takes a while
    await update_rows(connection, threads, [values for values, _, _ in found])
    await put_texts(connection, {values["of"]: state for values, state, _ in found})
    return [values["of"] for values, _, is_searched in found if is_searched]


def _newer(
    old: Any, texts: tuple[str, ...], known: Sequence[Known], packed: ThreadRows
) -> tuple[dict[str, Any], ThreadState, bool]:
    """Return a thread's new row and state, and whether something changes that is searched."""
    new = unpack(packed)
    same_question = (old.title, old.body, texts) == (new.title, new.body, new.phrasings)
    shown = sorted(answer.body for answer in known if not answer.retired)
    same_answers = shown == sorted(answer.body for answer in new.answers)
    same_tags = list(old.tags) == list(new.tags)
    # Without a text of its own a thread means what its best answer says.
    same_meaning = same_question and bool(old.body.strip())
    values = columns(new) | {"content_hash": packed.digest, "fingerprint": packed.fingerprint}
    values |= {"of": old.id, "retired_at": None, "removed": False, "curated": False}
    values["text_version"] = old.text_version + (not same_meaning)
    is_searched = not (same_question and same_answers and same_tags) or old.retired_at is not None
    return values, state_of(new, known), is_searched


def state_of(new: Thread, known: Sequence[Known]) -> ThreadState:
    """Return the state that a thread with these answers is in once a new text replaces it."""
    ids = (None if same is None else same.id for same in pair(known, new.answers))
    return ThreadState(thread=new, answer_ids=tuple(ids))


async def put_texts(connection: AsyncConnection, states: Mapping[int, ThreadState]) -> None:
    """Write the phrasings and answers of threads in place of those that they have.

    Answers of a state that have no id are new; those that are not in it are retired.
    """

    def rows() -> list[tuple[int | None, dict[str, Any]]]:
        return [
            (answer_id, answer_columns(answer, position) | {"thread_id": thread_id})
            for thread_id, state in states.items()
            for position, (answer, answer_id) in enumerate(state.pairs)
        ]

    found = await asyncio.to_thread(rows)
    old = [values | {"of": i} for i, values in found if i is not None]
    new = [tuple(values.values()) for i, values in found if i is None]
    gone = set[int]()
    for ids in id_batches(states):
        await connection.execute(delete(phrasings).where(phrasings.c.thread_id.in_(ids)))
        query = select(answers.c.id).where(answers.c.thread_id.in_(ids))
        gone.update(await connection.scalars(query.where(answers.c.retired.is_(False))))
    gone.difference_update(row["of"] for row in old)
    await update_rows(connection, answers, old)
    await update_rows(connection, answers, [{"of": i, "retired": True} for i in gone])
    await add_answers(connection, new)
    await add_phrasings(connection, {i: state.thread.phrasings for i, state in states.items()})


async def add_answers(connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write answers: of each the columns of ``rows.ANSWER``, and the id of its thread."""
    await insert_rows(connection, answers, (*ANSWER, "thread_id"), rows)


async def add_phrasings(connection: AsyncConnection, given: Mapping[int, tuple[str, ...]]) -> None:
    """Write the phrasings of threads that have none, by the threads' ids."""
    rows = [
        (thread_id, position, text)
        for thread_id, texts in given.items()
        for position, text in enumerate(texts)
    ]
    await insert_rows(connection, phrasings, ("thread_id", "position", "text"), rows)


async def known_answers(
    connection: AsyncConnection, ids: Collection[int]
) -> dict[int, tuple[Known, ...]]:
    """Return the answers of threads, retired ones as well."""
    a = answers.c
    query = select(a.id, a.key, a.body, a.retired, a.thread_id).where(a.thread_id.in_(ids))
    # Of several that are like a new one, it is one that is shown, and of those the oldest.
    query = query.order_by(a.retired, a.id)
    return await by_thread(connection, query, lambda row: Known(*tuple(row)[:4]))


async def phrasings_of(
    connection: AsyncConnection, ids: Collection[int]
) -> dict[int, tuple[str, ...]]:
    """Return the phrasings of threads, in order."""
    p = phrasings.c
    query = select(phrasings).where(p.thread_id.in_(ids)).order_by(p.thread_id, p.position)
    return await by_thread(connection, query, attrgetter("text"))


async def update_rows(
    connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]
) -> None:
    """Write rows over those with the id ``of``; all must name the same columns."""
    if rows:
        await connection.execute(update(table).where(table.c.id == bindparam("of")), rows)
