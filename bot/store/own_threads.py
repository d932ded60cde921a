"""The thread that a guild has in the place of one: its own, its version, or a merged one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import ThreadState
from bot.models import SHARED
from bot.store import thread_states
from bot.store.rows import id_batches
from bot.store.tables import IN_FORCE
from bot.store.tables import threads as table


async def own(connection: AsyncConnection, guild_id: int, thread_id: int) -> ThreadState | None:
    """Return the state of a guild's own thread that was not merged; ``None`` if it has none."""
    mine = (table.c.id == thread_id, table.c.scope == guild_id, table.c.merged_into.is_(None))
    found = await connection.scalar(select(table.c.id).where(*mine))
    return None if found is None else await thread_states.read(connection, thread_id)


async def own_id(connection: AsyncConnection, guild_id: int, thread_id: int) -> int | None:
    """Return the id of the guild's own thread that has the place of a thread, retired or not.

    It is the thread itself, its version of a shared one, or the one that these were merged into.
    """
    t = table.c
    query = select(t.id, t.merged_into).where(t.scope == guild_id)
    row = (await connection.execute(query.where(t.id == thread_id))).first()
    if row is None:
        row = (await connection.execute(query.where(t.overrides == thread_id))).first()
    known = set[int]()
    while row is not None and row.merged_into is not None and row.id not in known:
        known.add(row.id)
        row = (await connection.execute(query.where(t.id == row.merged_into))).first()
    return None if row is None else int(row.id)


async def id_in_force(connection: AsyncConnection, guild_id: int, key: str) -> int | None:
    """Return the id of the guild's own thread with a key, or that it was merged into, in force."""
    same = (table.c.scope == guild_id, table.c.key == key)
    thread_id = await connection.scalar(select(table.c.id).where(*same))
    mine = None if thread_id is None else await own_id(connection, guild_id, thread_id)
    found: int | None = await connection.scalar(
        select(table.c.id).where(table.c.id == mine, IN_FORCE)
    )
    return found


async def is_key_of(connection: AsyncConnection, thread_id: int, key: str) -> bool:
    """Return whether a key is that of a thread."""
    return await connection.scalar(select(table.c.key).where(table.c.id == thread_id)) == key


async def ids_merged_into(connection: AsyncConnection, thread_id: int) -> list[int]:
    """Return the ids of the threads that were merged into one."""
    query = select(table.c.id).where(table.c.merged_into == thread_id)
    return list((await connection.scalars(query)).all())


async def parents(connection: AsyncConnection, thread_ids: Collection[int]) -> dict[int, list[int]]:
    """Return by thread that was merged what it was merged into, then what that was, and so on."""
    parent_of, last = dict[int, int](), {*thread_ids}
    while last:
        found = dict[int, int]()
        for ids in id_batches(last):
            query = select(table.c.id, table.c.merged_into).where(table.c.id.in_(ids))
            rows = await connection.execute(query.where(table.c.merged_into.is_not(None)))
            found |= {row.id: row.merged_into for row in rows}
        parent_of |= found
        last = {*found.values()} - parent_of.keys()
    chains = dict[int, list[int]]()
    for thread_id in parent_of.keys() & {*thread_ids}:
        chain = [thread_id]
        while (parent := parent_of.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        chains[thread_id] = chain[1:]
    return chains


async def has_key(connection: AsyncConnection, guild_id: int, key: str) -> bool:
    """Return whether a guild has a thread of its own with a key, retired or not."""
    query = select(table.c.id).where(table.c.scope == guild_id, table.c.key == key)
    return await connection.scalar(query) is not None


async def count(connection: AsyncConnection, guild_id: int) -> int:
    """Count a guild's own threads, retired ones as well."""
    query = select(func.count()).select_from(table).where(table.c.scope == guild_id)
    return await connection.scalar(query) or 0


async def seen(
    connection: AsyncConnection, guild_id: int, thread_id: int
) -> tuple[int, ThreadState] | None:
    """Return the thread in force that a guild sees in the place of a thread, with its state."""
    mine = await own_id(connection, guild_id, thread_id)
    shared = (table.c.id == thread_id, table.c.scope == SHARED, IN_FORCE)
    for which in ((table.c.id == mine, IN_FORCE), shared):
        found = await connection.scalar(select(table.c.id).where(*which))
        if found is not None:
            return int(found), await thread_states.present(connection, found)
    return None


async def is_version(connection: AsyncConnection, thread_id: int) -> bool:
    """Return whether a thread is a guild's version of a shared one."""
    query = select(table.c.overrides).where(table.c.id == thread_id)
    return await connection.scalar(query) is not None


async def shown_id(connection: AsyncConnection, guild_id: int, thread_id: int) -> int:
    """Return the thread in force that a guild is shown in the place of one, or that itself."""
    if guild_id == SHARED:
        return thread_id
    mine = await own_id(connection, guild_id, thread_id)
    if mine is None or mine == thread_id:
        return thread_id
    in_force = select(table.c.id).where(table.c.id == mine, IN_FORCE)
    return mine if await connection.scalar(in_force) is not None else thread_id
