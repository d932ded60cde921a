"""Bounds of the histories that are kept: of each thread, and of all threads of a guild.

The state in force always stays, and the one before its change, so that *Undo* works.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.curation_tables import revisions
from bot.store.rows import id_batches

MAX_KEPT = 200
"""Revisions kept of one thread; beyond that the oldest go, but for the first."""

MAX_SIZE = 4_000_000
"""Characters of JSON kept of one thread; beyond that the oldest go, the first as well."""

MAX_GUILD_SIZE = 256_000_000
"""Characters of JSON kept of all threads of a guild; beyond that the oldest go."""

CHECKED = 32
"""A guild's revisions are added up when one is made whose id is a multiple of this: not each time,
since that reads all of them."""

NEWEST = 3
"""Revisions of each thread that stay when a guild has too much: one change may make two."""


async def drop_oldest(connection: AsyncConnection, guild_id: int, thread_id: int) -> None:
    """Drop the oldest revisions of a thread that has too many of them, or too large ones."""
    r = revisions.c
    mine = (r.guild_id == guild_id, r.thread_id == thread_id)
    query = select(r.id, r.change, r.size, r.proposed).where(*mine)
    rows = (await connection.execute(query.order_by(r.id.desc()))).all()
    in_force = [row for row in rows if not row.proposed]
    before = (row for row in in_force if row.change < in_force[0].change)
    needed = {row.id for row in (*in_force[:1], *(row for row in rows if row.proposed))}
    needed |= {row.id for row in islice(before, 1)}
    size, gone = sum(row.size for row in rows if row.id in needed), list[int]()
    for place, row in enumerate(rows):
        if row.id in needed:
            continue
        size += row.size
        is_first = place == len(rows) - 1
        if size > MAX_SIZE or (place >= MAX_KEPT - 1 and not is_first):
            gone.append(row.id)
    await _drop(connection, gone)


async def drop_oldest_of_guild(connection: AsyncConnection, guild_id: int) -> None:
    """Drop the oldest revisions of a guild that has too much of them."""
    r = revisions.c
    mine = r.guild_id == guild_id
    size = await connection.scalar(select(func.coalesce(func.sum(r.size), 0)).where(mine)) or 0
    if size <= MAX_GUILD_SIZE:
        return
    rank = func.row_number().over(partition_by=r.thread_id, order_by=r.id.desc()).label("rank")
    ranked = select(r.id, r.size, r.proposed, rank).where(mine).subquery()
    old = (ranked.c.rank > NEWEST, ranked.c.proposed.is_(False))
    query = select(ranked.c.id, ranked.c.size).where(*old).order_by(ranked.c.id)
    gone = list[int]()
    for row in (await connection.execute(query)).all():
        if size <= MAX_GUILD_SIZE:
            break
        size -= row.size
        gone.append(row.id)
    await _drop(connection, gone)


async def _drop(connection: AsyncConnection, ids: Collection[int]) -> None:
    for batch in id_batches(ids):
        await connection.execute(delete(revisions).where(revisions.c.id.in_(batch)))
