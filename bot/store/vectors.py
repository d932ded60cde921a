"""Vectors of threads and learned phrasings, kept so that a model makes each once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import VectorStage
from bot.store import change_feed
from bot.store.facts import fact, set_fact
from bot.store.tables import IN_FORCE, changes, learned_phrasings, phrasings, postings, vectors
from bot.store.tables import threads as thread_table

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


@dataclass(frozen=True, slots=True)
class Pending:
    """A thread of which some stage is missing, and what tells how soon its turn is.

    ``made`` is the last stage that it has, 0 without any. ``asks`` counts the postings that
    show it, ``score`` is its source's, ``asked_at`` in Unix microseconds (0: unknown).
    """

    thread_id: int
    scope: int
    made: int
    asks: int
    score: int
    asked_at: int
    phrasings: int


async def pending(connection: AsyncConnection, ids: Sequence[int], model: str) -> list[Pending]:
    """Return those of the threads whose vectors of this model are missing or unfinished, by id."""
    t, made = thread_table.c, func.coalesce(vectors.c.stage, 0)

    def count(table: Table) -> ColumnElement[int]:
        counted = select(func.count()).select_from(table).where(table.c.thread_id == t.id)
        return counted.scalar_subquery()

    asked_at = func.coalesce(t.asked_at, 0)
    query = (
        select(t.id, t.scope, made, count(postings), t.score, asked_at, count(phrasings))
        .outerjoin(vectors, (vectors.c.thread_id == t.id) & _current(model))
        .where(t.id.in_(ids), IN_FORCE, made < max(VectorStage))
        .order_by(t.id)
    )
    return [Pending(*row) for row in (await connection.execute(query)).all()]


@dataclass(frozen=True, slots=True)
class Made:
    """The vectors of a thread's text of one version, up to a stage; none at stage 0."""

    text_version: int
    stage: int = 0
    data: bytes = b""


async def made(connection: AsyncConnection, ids: Sequence[int], model: str) -> dict[int, Made]:
    """Return what there is of this model, by thread id, of each of the threads in force."""
    t, v = thread_table.c, vectors.c
    query = (
        select(t.id, t.text_version, v.stage, v.data)
        .outerjoin(vectors, (v.thread_id == t.id) & _current(model))
        .where(t.id.in_(ids), IN_FORCE)
    )
    rows = (await connection.execute(query)).all()
    return {row.id: Made(row.text_version, row.stage or 0, row.data or b"") for row in rows}


async def unfinished(connection: AsyncConnection, model: str, limit: int) -> int:
    """Count the threads of which some stage is missing; at most ``limit`` of them."""
    t, c = thread_table.c, changes.c
    missing = (
        select(t.id)
        .join(changes, c.thread_id == t.id)
        .outerjoin(vectors, (vectors.c.thread_id == t.id) & _current(model))
        .where(c.text.is_(True), c.seq > await done(connection, model), IN_FORCE)
        .where(func.coalesce(vectors.c.stage, 0) < max(VectorStage))
        .limit(limit)
    )
    return await connection.scalar(select(func.count()).select_from(missing.subquery())) or 0


async def put(connection: AsyncConnection, model: str, packed: Mapping[int, Made]) -> None:
    """Keep vectors by thread id, and note them as changes.

    A thread that is gone by now, or has a newer text, is passed over, as is one that has as
    much already: another process may have made that.
    """
    known = await made(connection, [*packed], model)
    there = [
        i
        for i, now in known.items()
        if now.text_version == packed[i].text_version and now.stage < packed[i].stage
    ]
    if not there:
        return
    rows = [{"thread_id": i, "model": model} | asdict(packed[i]) for i in there]
    await connection.execute(delete(vectors).where(vectors.c.thread_id.in_(there)))
    await connection.execute(insert(vectors), rows)
    await change_feed.note(connection, there, text=False)


async def begin(connection: AsyncConnection, model: str) -> None:
    """Begin to make vectors of this model, from the first change if it was another before."""
    known = json.loads(await fact(connection, _DONE) or "{}")
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
    """Return the change up to which all threads have all their vectors of this model."""
    known = json.loads(await fact(connection, _DONE) or "{}")
    return int(known.get("seq", 0)) if known.get("model") == model else 0


async def set_done(connection: AsyncConnection, model: str, seq: int) -> None:
    """Keep the change up to which all threads have all their vectors of this model."""
    await set_fact(connection, _DONE, json.dumps({"model": model, "seq": seq}))


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
    return (vectors.c.model == model) & (vectors.c.text_version == thread_table.c.text_version)
