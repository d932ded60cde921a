"""In which guilds an application is a member, and since when it no longer is.

Only guilds in which an application was seen have a row. So another bot account that works
on the same library, or threads imported for a guild, say nothing about a removal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import guild_memberships as memberships
from bot.store.timestamps import to_micros

_AT_ONCE = 500  # ids in one statement; databases limit the number of parameters


async def seen(
    connection: AsyncConnection, application_id: int, guild_ids: Collection[int], now: datetime
) -> None:
    """Note that an application is in these guilds; a removal noted before is void."""
    moment = to_micros(now)
    for ids in _parts(guild_ids):
        mine = (memberships.c.application_id == application_id, memberships.c.guild_id.in_(ids))
        query = select(memberships.c.guild_id).where(*mine)
        known = set((await connection.execute(query)).scalars())
        values: dict[str, int | None] = {"seen_at": moment, "removed_at": None}
        await connection.execute(update(memberships).where(*mine).values(values))
        new = [i for i in ids if i not in known]
        if new:
            rows = [{"guild_id": i, "application_id": application_id, **values} for i in new]
            await connection.execute(insert(memberships), rows)


async def removed(
    connection: AsyncConnection, application_id: int, guild_ids: Collection[int], now: datetime
) -> int:
    """Note that guilds removed an application that was in them; returns how many did.

    Where a removal is noted already, its time stays.
    """
    count = 0
    for ids in _parts(guild_ids):
        mine = (
            memberships.c.application_id == application_id,
            memberships.c.guild_id.in_(ids),
            memberships.c.removed_at.is_(None),
        )
        gone = update(memberships).where(*mine).values(removed_at=to_micros(now))
        count += (await connection.execute(gone)).rowcount
    return count


async def member_of(connection: AsyncConnection, application_id: int) -> set[int]:
    """The guilds in which an application is a member, as far as it is known."""
    mine = (memberships.c.application_id == application_id, memberships.c.removed_at.is_(None))
    query = select(memberships.c.guild_id).where(*mine)
    return set((await connection.execute(query)).scalars())


async def is_noted(connection: AsyncConnection, application_id: int, guild_id: int) -> bool:
    """Whether an application was ever seen in a guild whose data is still kept."""
    this = (memberships.c.application_id == application_id, memberships.c.guild_id == guild_id)
    return await connection.scalar(select(memberships.c.guild_id).where(*this)) is not None


async def is_member(connection: AsyncConnection, guild_id: int) -> bool:
    """Whether any application is a member of a guild, as far as it is known."""
    there = (memberships.c.guild_id == guild_id, memberships.c.removed_at.is_(None))
    return (
        await connection.scalar(select(memberships.c.guild_id).where(*there).limit(1)) is not None
    )


async def due(
    connection: AsyncConnection,
    before: datetime,
    application_ids: Collection[int],
    guild_id: int | None = None,
) -> list[int]:
    """The guilds that every application seen in them had left by a moment.

    One of ``application_ids`` is among those. With a ``guild_id``, that guild alone is
    looked at.
    """
    other = memberships.alias()
    stays = select(other.c.guild_id).where(
        other.c.guild_id == memberships.c.guild_id,
        other.c.removed_at.is_(None) | (other.c.removed_at > to_micros(before)),
    )
    query = (
        select(memberships.c.guild_id)
        .distinct()
        .where(
            memberships.c.removed_at <= to_micros(before),
            memberships.c.application_id.in_(application_ids),
            ~stays.exists(),
        )
        .order_by(memberships.c.guild_id)
    )
    if guild_id is not None:
        query = query.where(memberships.c.guild_id == guild_id)
    return [*(await connection.execute(query)).scalars()]


def _parts(ids: Collection[int]) -> list[Sequence[int]]:
    found = sorted(set(ids))
    return [found[i : i + _AT_ONCE] for i in range(0, len(found), _AT_ONCE)]
