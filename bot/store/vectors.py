"""Vectors of threads and learned phrasings, kept so that a model makes each once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import MAX_PHRASINGS, StoredThread
from bot.store import change_feed, guilds, threads
from bot.store.tables import IN_FORCE, learned_phrasings, vectors
from bot.store.tables import threads as thread_table
from bot.store.upsert import phrasings_of

_DONE = "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    """A thread's packed vectors and the scope that may see them."""

    thread_id: int
    scope: int
    data: bytes


async def of_threads(
    connection: AsyncConnection, ids: Sequence[int], model: str
) -> dict[int, Vector]:
    """Return the vectors of threads, by id, that are of this model and of their present text."""
    query = (
        select(vectors.c.thread_id, vectors.c.data, thread_table.c.scope)
        .join(thread_table, thread_table.c.id == vectors.c.thread_id)
        .where(vectors.c.thread_id.in_(ids), _current(model), IN_FORCE)
    )
    rows = (await connection.execute(query)).all()
    return {row.thread_id: Vector(row.thread_id, row.scope, row.data) for row in rows}


async def without_vectors(
    connection: AsyncConnection, ids: Sequence[int], model: str
) -> list[tuple[StoredThread, int]]:
    """Return the threads that have no vectors of this model, each with its revision."""
    query = (
        select(thread_table.c.id, thread_table.c.revision)
        .outerjoin(vectors, (vectors.c.thread_id == thread_table.c.id) & _current(model))
        .where(thread_table.c.id.in_(ids), vectors.c.thread_id.is_(None), IN_FORCE)
    )
    revisions = {row.id: row.revision for row in (await connection.execute(query)).all()}
    by_id = await threads.fetch(connection, list(revisions), None)
    return [(thread, revisions[i]) for i, thread in by_id.items()]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A thread with a vector of its own and none yet of its phrasings, which are ``texts``."""

    thread_id: int
    revision: int
    own: bytes
    texts: tuple[str, ...]


async def without_phrasings(
    connection: AsyncConnection, ids: Sequence[int], model: str, row_bytes: int
) -> list[Unfinished]:
    """Return the threads with valid vectors that lack those of their phrasings."""
    query = (
        select(vectors.c.thread_id, vectors.c.revision, vectors.c.data)
        .join(thread_table, thread_table.c.id == vectors.c.thread_id)
        .where(vectors.c.thread_id.in_(ids), _current(model), IN_FORCE)
        .where(func.length(vectors.c.data) == row_bytes)
    )
    rows = {row.thread_id: row for row in (await connection.execute(query)).all()}
    texts = await phrasings_of(connection, [*rows])
    return [
        Unfinished(i, row.revision, bytes(row.data), texts[i][:MAX_PHRASINGS])
        for i, row in rows.items()
        if texts[i]
    ]


async def put(
    connection: AsyncConnection, model: str, packed: Mapping[int, tuple[int, bytes]]
) -> None:
    """Keep vectors by thread id, with the revision of the text, and note them as changes.

    A thread that is gone by now, or has a newer text, is passed over: another process may
    have made the vectors of that.
    """
    t = thread_table.c
    query = select(t.id, t.revision).where(t.id.in_(packed))
    rows_there = (await connection.execute(query)).all()
    there = [row.id for row in rows_there if row.revision == packed[row.id][0]]
    if not there:
        return
    rows = [
        {"thread_id": i, "model": model, "revision": packed[i][0], "data": packed[i][1]}
        for i in there
    ]
    await connection.execute(delete(vectors).where(vectors.c.thread_id.in_(there)))
    await connection.execute(insert(vectors), rows)
    await change_feed.note(connection, there, text=False)


async def begin(connection: AsyncConnection, model: str) -> None:
    """Begin to make vectors of this model, from the first change if it was another before."""
    known = json.loads(await guilds.fact(connection, _DONE) or "{}")
    if known.get("model") != model:
        await set_done(connection, model, 0)


async def discard(connection: AsyncConnection, ids: Sequence[int], row_bytes: int) -> int:
    """Delete vectors whose length is no multiple of ``row_bytes``; return how many.

    They are noted as changes, so that they are made again.
    """
    length = func.length(vectors.c.data)
    wrong = (length == 0) | (length % row_bytes != 0)
    query = select(vectors.c.thread_id).where(vectors.c.thread_id.in_(ids), wrong)
    broken = (await connection.execute(query)).scalars().all()
    if broken:
        await connection.execute(delete(vectors).where(vectors.c.thread_id.in_(broken)))
        await change_feed.note(connection, broken)
    return len(broken)


async def done(connection: AsyncConnection, model: str) -> int:
    """Return the change up to which all threads have vectors of this model."""
    known = json.loads(await guilds.fact(connection, _DONE) or "{}")
    return int(known.get("seq", 0)) if known.get("model") == model else 0


async def set_done(connection: AsyncConnection, model: str, seq: int) -> None:
    """Keep the change up to which all threads have vectors of this model."""
    await guilds.set_fact(connection, _DONE, json.dumps({"model": model, "seq": seq}))


async def learned_without_vector(
    connection: AsyncConnection, model: str, limit: int, row_bytes: int | None = None
) -> list[tuple[int, str]]:
    """Return ids and texts of learned phrasings without a vector of this model.

    They are one of each guild in turn. With ``row_bytes``, a vector of another length is none.
    """
    c = learned_phrasings.c
    stale = c.model.is_distinct_from(model)
    if row_bytes is not None:
        stale |= func.length(c.vector) != row_bytes
    turn = func.row_number().over(partition_by=c.guild_id, order_by=c.id)
    query = select(c.id, c.text).where(stale).order_by(turn, c.id).limit(limit)
    return [(row.id, row.text) for row in (await connection.execute(query)).all()]


async def put_learned(connection: AsyncConnection, model: str, packed: Mapping[int, bytes]) -> None:
    """Keep the vectors of learned phrasings, by id."""
    for phrasing_id, data in packed.items():
        this = learned_phrasings.c.id == phrasing_id
        values = {"model": model, "vector": data}
        await connection.execute(update(learned_phrasings).where(this).values(values))


def _current(model: str) -> ColumnElement[bool]:
    return (vectors.c.model == model) & (vectors.c.revision == thread_table.c.revision)
