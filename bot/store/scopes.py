"""Which threads belong to which scope: what the text indexes, one a scope, are kept right by."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import threads
from bot.store.threads import IN_FORCE


async def scopes_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, int]:
    """The scopes of threads, by id, retired ones as well; those deleted for good are left out."""
    query = select(threads.c.id, threads.c.scope).where(threads.c.id.in_(ids))
    return {row.id: row.scope for row in (await connection.execute(query)).all()}


async def ids_of(
    connection: AsyncConnection, scope: int | None, after: int, limit: int
) -> list[int]:
    """Return the ids of the next threads in force of a scope, or of all; in order."""
    query = select(threads.c.id).where(threads.c.id > after, IN_FORCE)
    query = query.order_by(threads.c.id).limit(limit)
    if scope is not None:
        query = query.where(threads.c.scope == scope)
    return list((await connection.execute(query)).scalars().all())
