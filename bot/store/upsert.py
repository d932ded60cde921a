"""Newer versions of threads in place of older ones, a batch at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Thread
from bot.store.answer_matching import Known, pair
from bot.store.rows import answer_columns, by_thread, columns
from bot.store.serialization import ANSWER, insert_rows
from bot.store.tables import answers, phrasings, threads


class Change(NamedTuple):
    """A thread of the library and its newer version, with its digest and fingerprint."""

    thread_id: int
    new: Thread
    digest: str
    fingerprint: str | None


@dataclass
class _Rows:
    """What is written, table by table."""

    threads: list[dict[str, Any]] = field(default_factory=list)
    said_anew: dict[int, tuple[str, ...]] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    new_answers: list[tuple[Any, ...]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


async def replace(connection: AsyncConnection, batch: Sequence[Change]) -> list[int]:
    """Put new versions in place of those that there are; retired ones come back.

    Votes stay with the answers that are the same. Returns the ids of threads of which
    something has changed that is searched: a new score alone needs no new index. The
    revision is raised only where the meaning may be another, so that vectors are kept.
    """
    old = await _Old.read(connection, [change.thread_id for change in batch])
    rows, touched = await asyncio.to_thread(_taken, old, batch)  # comparing texts takes a while
    await _write(connection, rows)
    return touched


def _taken(old: _Old, batch: Sequence[Change]) -> tuple[_Rows, list[int]]:
    """What is to be written, and the threads of which something has changed that is searched."""
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
        values |= {"fingerprint": change.fingerprint, "retired_at": None, "removed": False}
        rows.threads.append(values | {"revision": this.revision + (not same_meaning)})
    return rows, touched


async def add_answers(connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write answers: of each the columns of ``packing.ANSWER``, and the id of its thread."""
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
    """What the library has of some threads, by id."""

    threads: dict[int, Any]
    phrasings: dict[int, tuple[str, ...]]
    answers: dict[int, list[Row[Any]]]

    @classmethod
    async def read(cls, connection: AsyncConnection, ids: Sequence[int]) -> _Old:
        t = threads.c
        query = select(t.id, t.title, t.body, t.tags, t.revision, t.retired_at)
        found = (await connection.execute(query.where(t.id.in_(ids)))).all()
        given: dict[int, list[Row[Any]]] = defaultdict(list)
        # By id: of several that are like a new one, the oldest is taken for it.
        of_these = select(answers).where(answers.c.thread_id.in_(ids)).order_by(answers.c.id)
        for row in (await connection.execute(of_these)).all():
            given[row.thread_id].append(row)
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
