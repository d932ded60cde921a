"""Which threads belong to which scope: what the text indexes, one a scope, are kept right by."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED
from bot.store.tables import threads
from bot.store.threads import IN_FORCE


async def scopes_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, int]:
    """The scopes of threads, by id, retired ones as well; those deleted for good are left out."""
    query = select(threads.c.id, threads.c.scope).where(threads.c.id.in_(ids))
    return {row.id: row.scope for row in (await connection.execute(query)).all()}


async def ids_of(connection: AsyncConnection, scope: int, after: int, limit: int) -> list[int]:
    """The next threads in force of a scope, by id."""
    query = select(threads.c.id).where(threads.c.scope == scope, threads.c.id > after, IN_FORCE)
    query = query.order_by(threads.c.id).limit(limit)
    return list((await connection.execute(query)).scalars().all())


async def not_shared(connection: AsyncConnection) -> list[int]:
    """The ids of all threads of guilds, retired ones as well."""
    query = select(threads.c.id).where(threads.c.scope != SHARED)
    return list((await connection.execute(query)).scalars().all())
