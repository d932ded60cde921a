"""The data of a guild: counted, deleted in steps; and the guilds that the bot is in.

A table has rows of guilds if it has a column ``guild_id`` or ``scope``, so that a new table is
covered without a change here. Facts about a guild carry its id in their names.

Only guilds in which an application (a bot account) was seen have a row in
``guild_memberships``. So another bot account that works on the same library, or threads
imported for a guild, say nothing about a removal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

import bot.store.curation_tables  # noqa: F401 (adds its tables)
from bot.store import change_feed
from bot.store.columns import metadata
from bot.store.facts import fact, set_fact
from bot.store.rows import id_batches, to_micros
from bot.store.tables import (
    changes,
    facts,
    guild_settings,
    learned_phrasings,
    postings,
    threads,
    votes,
)
from bot.store.tables import guild_memberships as memberships
from bot.store.write_locks import lock_votes

THREADS = 100
"""Threads deleted in one step; their answers, votes and vectors go with them."""

ROWS = 1_000
"""Rows of another table deleted in one step: some milliseconds in which nobody else writes."""

_FORGOTTEN = "forgotten_guilds"


@dataclass(frozen=True, slots=True)
class GuildData:
    """Counts of a guild's data; ``rows`` is of everything, in all tables."""

    threads: int
    votes: int
    phrasings: int
    postings: int
    settings: bool
    rows: int


async def count(connection: AsyncConnection, guild_id: int) -> GuildData:
    """Count what is kept of a guild, with threads that were removed within a day."""
    counts = {
        table.name: await _count(connection, table, _owner(table) == guild_id)
        for table in _of_guilds()
    }
    rows = sum(counts.values()) + await _count(connection, facts, _facts_of(guild_id))
    return GuildData(
        threads=counts[threads.name],
        votes=counts[votes.name],
        phrasings=counts[learned_phrasings.name],
        postings=counts[postings.name],
        settings=bool(counts[guild_settings.name] + counts["channel_modes"]),
        rows=rows,
    )


async def delete_some(connection: AsyncConnection, guild_id: int) -> bool:
    """Delete some rows of a guild; return whether there were any.

    Threads go into the feed of changes, for a guild may come back before all are deleted; the
    feed's rows go after the threads. The membership goes last: as long as it is there, a deletion
    that was interrupted is known to be due.
    """
    if (await connection.execute(delete(facts).where(_facts_of(guild_id)))).rowcount:
        return True
    await lock_votes(connection)
    for table in _of_guilds():
        limit = THREADS if table is threads else ROWS
        mine = select(*table.primary_key).where(_owner(table) == guild_id).limit(limit)
        if keys := (await connection.execute(mine)).all():
            if table is threads:
                await change_feed.note(connection, [key[0] for key in keys], is_deleted=True)
            elif table is changes:
                await change_feed.note_dropped(connection, [key[0] for key in keys])
            await _delete(connection, table, keys)
            return True
    return False


async def count_forgotten(connection: AsyncConnection) -> None:
    """Count a guild whose data is deleted, for other processes: see ``forgotten``."""
    await set_fact(connection, _FORGOTTEN, str(await forgotten(connection) + 1))


async def forgotten(connection: AsyncConnection) -> int:
    """Return how many guilds' data was ever deleted; caches of guilds are valid while it stays."""
    return int(await fact(connection, _FORGOTTEN) or 0)


async def note_member(
    connection: AsyncConnection,
    application_id: int,
    guild_ids: Collection[int],
    now: datetime,
    *,
    greeted: bool = False,
) -> None:
    """Note that an application is in these guilds, also if they had removed it.

    With ``greeted``, those that were not noted count as greeted.
    """
    for ids in id_batches(guild_ids):
        mine = (memberships.c.application_id == application_id, memberships.c.guild_id.in_(ids))
        query = select(memberships.c.guild_id).where(*mine)
        known = set((await connection.execute(query)).scalars())
        values: dict[str, int | None] = {"seen_at": to_micros(now), "removed_at": None}
        await connection.execute(update(memberships).where(*mine).values(values))
        new = [i for i in ids if i not in known]
        if new:
            values["greeted_at"] = to_micros(now) if greeted else None
            rows = [{"guild_id": i, "application_id": application_id, **values} for i in new]
            await connection.execute(insert(memberships), rows)


async def note_removal(
    connection: AsyncConnection, application_id: int, guild_ids: Collection[int], now: datetime
) -> int:
    """Note that guilds removed an application that was in them; return how many did.

    Where a removal is noted already, its time stays.
    """
    count = 0
    for ids in id_batches(guild_ids):
        mine = (
            memberships.c.application_id == application_id,
            memberships.c.guild_id.in_(ids),
            memberships.c.removed_at.is_(None),
        )
        gone = update(memberships).where(*mine).values(removed_at=to_micros(now))
        count += (await connection.execute(gone)).rowcount
    return count


async def claim_greeting(
    connection: AsyncConnection, application_id: int, guild_id: int, now: datetime
) -> bool:
    """Note that an application greets a guild that it is in; False if it has done so."""
    mine = (
        memberships.c.application_id == application_id,
        memberships.c.guild_id == guild_id,
        memberships.c.removed_at.is_(None),
        memberships.c.greeted_at.is_(None),
    )
    done = update(memberships).where(*mine).values(greeted_at=to_micros(now))
    return bool((await connection.execute(done)).rowcount)


async def drop_greeting(connection: AsyncConnection, application_id: int, guild_id: int) -> None:
    """Note that an application has not greeted a guild after all."""
    mine = (memberships.c.application_id == application_id, memberships.c.guild_id == guild_id)
    await connection.execute(update(memberships).where(*mine).values(greeted_at=None))


async def guilds_of(connection: AsyncConnection, application_id: int) -> set[int]:
    """Return the guilds in which an application is, as far as it is known."""
    mine = (memberships.c.application_id == application_id, memberships.c.removed_at.is_(None))
    query = select(memberships.c.guild_id).where(*mine)
    return set((await connection.execute(query)).scalars())


async def is_noted(connection: AsyncConnection, application_id: int, guild_id: int) -> bool:
    """Return whether an application was ever seen in a guild whose data is still kept."""
    this = (memberships.c.application_id == application_id, memberships.c.guild_id == guild_id)
    return await connection.scalar(select(memberships.c.guild_id).where(*this)) is not None


async def is_member(connection: AsyncConnection, guild_id: int) -> bool:
    """Return whether any application is in a guild, as far as it is known."""
    there = (memberships.c.guild_id == guild_id, memberships.c.removed_at.is_(None))
    return (
        await connection.scalar(select(memberships.c.guild_id).where(*there).limit(1)) is not None
    )


async def due_removals(
    connection: AsyncConnection,
    before: datetime,
    application_ids: Collection[int],
    guild_id: int | None = None,
) -> list[int]:
    """Return the guilds that all applications seen in them had left at the time ``before``.

    One of ``application_ids`` is among those. With a ``guild_id``, only that guild is looked at.
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


def _of_guilds() -> list[Table]:
    """Return the tables with rows of guilds, the memberships last, before them the changes."""
    tables = [t for t in metadata.tables.values() if "guild_id" in t.c or "scope" in t.c]
    return sorted(tables, key=lambda table: (table is memberships, table is changes))


def _owner(table: Table) -> Column[int]:
    return table.c["guild_id" if "guild_id" in table.c else "scope"]


def _facts_of(guild_id: int) -> ColumnElement[bool]:
    """Return the condition for facts about a guild: ``words:1``, ``import:1:…`` and the like."""
    name = facts.c.name
    # No fact's name has two ids in it, and ids are between colons.
    return or_(name.like(f"%:{guild_id}"), name.like(f"%:{guild_id}:%"))


async def _delete(connection: AsyncConnection, table: Table, keys: Sequence[Sequence[Any]]) -> None:
    """Delete rows by their primary keys, one by one: SQLite reads a whole index for a list."""
    key = [*table.primary_key]
    this = [column == bindparam(f"key_{n}") for n, column in enumerate(key)]
    rows = [{f"key_{n}": value for n, value in enumerate(row)} for row in keys]
    await connection.execute(delete(table).where(*this), rows)


async def _count(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    return await connection.scalar(select(func.count()).select_from(table).where(which)) or 0
