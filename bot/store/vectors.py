"""Vectors: what threads mean to an embedding model, kept so that it is reckoned once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import StoredThread
from bot.store import guilds, threads
from bot.store.tables import changes, learned_phrasings, vectors
from bot.store.tables import threads as thread_table

_DONE = "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    """A thread's packed rows and the scope that may see them."""

    thread_id: int
    scope: int
    data: bytes


async def of_threads(
    connection: AsyncConnection, ids: Sequence[int], model: str
) -> dict[int, Vector]:
    """Those of the threads whose vectors are of this model and of their present text."""
    query = (
        select(vectors.c.thread_id, vectors.c.data, thread_table.c.scope)
        .join(thread_table, thread_table.c.id == vectors.c.thread_id)
        .where(vectors.c.thread_id.in_(ids), _current(model), threads.IN_FORCE)
    )
    rows = (await connection.execute(query)).all()
    return {row.thread_id: Vector(row.thread_id, row.scope, row.data) for row in rows}


async def lacking(
    connection: AsyncConnection, ids: Sequence[int], model: str
) -> list[tuple[StoredThread, int]]:
    """Those of the threads that have no vectors of this model, each with its revision."""
    query = (
        select(thread_table.c.id, thread_table.c.revision)
        .outerjoin(vectors, (vectors.c.thread_id == thread_table.c.id) & _current(model))
        .where(thread_table.c.id.in_(ids), vectors.c.thread_id.is_(None), threads.IN_FORCE)
    )
    revisions = {row.id: row.revision for row in (await connection.execute(query)).all()}
    found = await threads.fetch(connection, list(revisions), None)
    return [(thread, revisions[i]) for i, thread in found.items()]


async def put(
    connection: AsyncConnection, model: str, packed: Mapping[int, tuple[int, bytes]]
) -> None:
    """Keep threads' vectors (id: revision, rows), in place of others, and tell the feed.

    A thread that is gone by now is passed over; one with a newer text stays stale.
    """
    query = select(thread_table.c.id).where(thread_table.c.id.in_(packed))
    there = (await connection.execute(query)).scalars().all()
    if not there:
        return
    rows = [
        {"thread_id": i, "model": model, "revision": packed[i][0], "data": packed[i][1]}
        for i in there
    ]
    await connection.execute(delete(vectors).where(vectors.c.thread_id.in_(there)))
    await connection.execute(insert(vectors), rows)
    await connection.execute(insert(changes), [{"thread_id": i, "text": False} for i in there])


async def discard(connection: AsyncConnection, ids: Sequence[int], row_bytes: int) -> int:
    """Delete those of the threads' vectors that are not of whole rows; returns how many.

    The feed of changes has them made again.
    """
    length = func.length(vectors.c.data)
    wrong = (length == 0) | (length % row_bytes != 0)
    query = select(vectors.c.thread_id).where(vectors.c.thread_id.in_(ids), wrong)
    found = (await connection.execute(query)).scalars().all()
    if found:
        await connection.execute(delete(vectors).where(vectors.c.thread_id.in_(found)))
        await connection.execute(insert(changes), [{"thread_id": i} for i in found])
    return len(found)


async def done(connection: AsyncConnection, model: str) -> int:
    """The change up to which every thread has had vectors of this model made."""
    known = json.loads(await guilds.fact(connection, _DONE) or "{}")
    return int(known.get("seq", 0)) if known.get("model") == model else 0


async def set_done(connection: AsyncConnection, model: str, seq: int) -> None:
    """Remember how far the making of vectors has come."""
    await guilds.set_fact(connection, _DONE, json.dumps({"model": model, "seq": seq}))


async def unlearnt(
    connection: AsyncConnection, model: str, limit: int, row_bytes: int | None = None
) -> list[tuple[int, str]]:
    """Learned phrasings of any guild that have no vector of this model: ids and texts.

    One that has not ``row_bytes`` bytes, if they are given, is none.
    """
    stale = learned_phrasings.c.model.is_distinct_from(model)
    if row_bytes is not None:
        stale |= func.length(learned_phrasings.c.vector) != row_bytes
    query = select(learned_phrasings.c.id, learned_phrasings.c.text).where(stale).limit(limit)
    return [(row.id, row.text) for row in (await connection.execute(query)).all()]


async def put_learned(connection: AsyncConnection, model: str, packed: Mapping[int, bytes]) -> None:
    """Keep the vectors of learned phrasings, by id."""
    for phrasing_id, data in packed.items():
        this = learned_phrasings.c.id == phrasing_id
        values = {"model": model, "vector": data}
        await connection.execute(update(learned_phrasings).where(this).values(values))


def _current(model: str) -> ColumnElement[bool]:
    return (vectors.c.model == model) & (vectors.c.revision == thread_table.c.revision)
