"""Replacing threads by newer versions, a batch at a time, their answers matched by id or text."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from rapidfuzz import fuzz
from sqlalchemy import Row, Table, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Answer, Thread
from bot.store.rows import ANSWER, answer_columns, by_thread, columns, insert_rows
from bot.store.tables import answers, phrasings, threads

SAME_TEXT = 60.0
"""``fuzz.ratio`` (0-100) from which two bodies count as one answer, edited."""

_COMPARED = 2_000  # characters; enough to know a text by, and quick for long ones

MOST = 400
"""Pairs of bodies of one thread that are compared, up to 0.1 ms each: twenty answers that were
all edited at once. A file could bring a thousand, and everybody would wait."""


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that the library has: its id and what tells it apart."""

    id: int
    key: str | None
    body: str


def pair(known: Sequence[Known], new: Sequence[Answer]) -> list[Known | None]:
    """Return for each new answer the known one that it replaces, or ``None``.

    First by source key, then by equal body, then by similar body among answers
    that no key names, unless there are very many; each known answer is used once.
    """
    paired: list[Known | None] = [None] * len(new)
    free = _Free(known)

    def match_all(like: Callable[[Answer], Known | None]) -> None:
        for position, answer in enumerate(new):
            if paired[position] is None:
                paired[position] = like(answer)

    match_all(free.with_key)
    match_all(free.with_body)
    if len(free) * paired.count(None) <= MOST:
        match_all(free.alike)
    return paired


class _Free:
    """Known answers that no new one replaces yet.

    A thread may have thousands with one body, or one key: those that are used are not
    looked at again.
    """

    def __init__(self, known: Sequence[Known]):
        self._free = {k.id: k for k in known}
        self._like = defaultdict[tuple[str, str], deque[Known]](deque)
        for k in known:
            self._like["body", k.body].append(k)
            name = ("body without key", k.body) if k.key is None else ("key", k.key)
            self._like[name].append(k)

    def __len__(self) -> int:
        return len(self._free)

    def with_key(self, answer: Answer) -> Known | None:
        """Take the first that has the answer's key, if it has one."""
        return None if answer.key is None else self._first("key", answer.key)

    def with_body(self, answer: Answer) -> Known | None:
        """Take the first with the answer's body; not one of another key."""
        return self._first("body" if answer.key is None else "body without key", answer.body)

    def alike(self, answer: Answer) -> Known | None:
        """Take the first with a body like the answer's; not one of another key."""
        candidates = (k for k in self._free.values() if k.key is None or answer.key is None)
        found = next((k for k in candidates if _alike(k, answer)), None)
        return None if found is None else self._free.pop(found.id)

    def _first(self, what: str, text: str) -> Known | None:
        waiting = self._like.get((what, text))
        while waiting:
            found = waiting.popleft()
            if self._free.pop(found.id, None) is not None:
                return found
        return None


def _alike(known: Known, answer: Answer) -> bool:
    old, new = known.body[:_COMPARED], answer.body[:_COMPARED]
    return fuzz.ratio(old, new, score_cutoff=SAME_TEXT) > 0


class Change(NamedTuple):
    """A thread of the library and its newer version, with its digest and fingerprint."""

    thread_id: int
    new: Thread
    digest: str
    fingerprint: str | None


@dataclass
class _Rows:
    """The rows to be written, table by table."""

    threads: list[dict[str, Any]] = field(default_factory=list)
    said_anew: dict[int, tuple[str, ...]] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    new_answers: list[tuple[Any, ...]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


async def replace(connection: AsyncConnection, batch: Sequence[Change]) -> list[int]:
    """Replace threads by their new versions; retired ones come back.

    Votes stay with the answers that are the same. Returns the ids of threads of which
    something has changed that is searched: a new score alone needs no new index. The
    text version is raised only where the meaning may be another, so that vectors are kept.
    """
    old = await _Old.read(connection, [change.thread_id for change in batch])
    rows, touched = await asyncio.to_thread(_taken, old, batch)  # comparing texts takes a while
    await _write(connection, rows)
    return touched


def _taken(old: _Old, batch: Sequence[Change]) -> tuple[_Rows, list[int]]:
    """Return the rows to be written, and the threads of which something searched has changed."""
    rows, touched = _Rows(), list[int]()
    for change in batch:
        this = old.threads[change.thread_id]
        texts = old.phrasings[change.thread_id]
        same_name = (this.title, this.body, texts) == _name(change.new)
        same_answers = _take_answers(rows, old.answers[change.thread_id], change)
        if texts != change.new.phrasings:
            rows.said_anew[change.thread_id] = change.new.phrasings
        if not (same_name and same_answers and list(this.tags) == list(change.new.tags)) or (
            this.retired_at is not None
        ):
            touched.append(change.thread_id)
        # Without a text of its own a thread means what its best answer says.
        same_meaning = same_name and bool(this.body.strip())
        values = columns(change.new) | {"content_hash": change.digest, "of": change.thread_id}
        values |= {"fingerprint": change.fingerprint, "retired_at": None}
        values |= {"removed": False, "curated": False}
        rows.threads.append(values | {"text_version": this.text_version + (not same_meaning)})
    return rows, touched


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


@dataclass
class _Old:
    """The stored versions of some threads, by id."""

    threads: dict[int, Any]
    phrasings: dict[int, tuple[str, ...]]
    answers: dict[int, tuple[Row[Any], ...]]

    @classmethod
    async def read(cls, connection: AsyncConnection, ids: Sequence[int]) -> _Old:
        t = threads.c
        query = select(t.id, t.title, t.body, t.tags, t.text_version, t.retired_at)
        found = (await connection.execute(query.where(t.id.in_(ids)))).all()
        # By id: of several that are like a new one, the oldest is taken for it.
        of_these = select(answers).where(answers.c.thread_id.in_(ids)).order_by(answers.c.id)
        given = await by_thread(connection, of_these, lambda row: row)
        return cls({row.id: row for row in found}, await phrasings_of(connection, ids), given)


async def phrasings_of(
    connection: AsyncConnection, ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """The phrasings of threads, in order."""
    query = (
        select(phrasings)
        .where(phrasings.c.thread_id.in_(ids))
        .order_by(phrasings.c.thread_id, phrasings.c.position)
    )
    return await by_thread(connection, query, attrgetter("text"))


def _name(thread: Thread) -> tuple[str, str, tuple[str, ...]]:
    return thread.title, thread.body, thread.phrasings


def _take_answers(rows: _Rows, old: Sequence[Row[Any]], change: Change) -> bool:
    """Note what is written of a thread's answers; whether what they say is as it was."""
    new = change.new.answers
    pairs = pair([Known(row.id, row.key, row.body) for row in old], new)
    kept = {known.id for known in pairs if known is not None}
    shown = [row for row in old if not row.retired]
    rows.gone += [row.id for row in shown if row.id not in kept]
    for position, (answer, known) in enumerate(zip(new, pairs, strict=True)):
        values = answer_columns(answer, position)
        if known is None:
            rows.new_answers.append((*values.values(), change.thread_id))
        else:
            rows.answers.append(values | {"of": known.id})
    return sorted(row.body for row in shown) == sorted(answer.body for answer in new)


async def _write(connection: AsyncConnection, rows: _Rows) -> None:
    await _update(connection, threads, rows.threads)
    if rows.said_anew:
        those = phrasings.c.thread_id.in_(rows.said_anew)
        await connection.execute(delete(phrasings).where(those))
        await add_phrasings(connection, rows.said_anew)
    await _update(connection, answers, rows.answers)
    await _update(connection, answers, [{"of": i, "retired": True} for i in rows.gone])
    await add_answers(connection, rows.new_answers)


async def _update(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write rows over those with the id ``of``; all must name the same columns."""
    if rows:
        await connection.execute(update(table).where(table.c.id == bindparam("of")), rows)
