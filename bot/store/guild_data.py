"""Everything that belongs to one guild: counted, and deleted in steps of bounded size.

A table is a guild's by its column ``guild_id`` or ``scope``, so that a new table is covered
without a word here. Facts that the program keeps about a guild carry its id in their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    bindparam,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import change_feed
from bot.store.guilds import fact, set_fact
from bot.store.tables import (
    facts,
    guild_memberships,
    guild_settings,
    learned_phrasings,
    metadata,
    postings,
    threads,
    votes,
)

THREADS = 100
"""Threads that are deleted in one step; their answers, votes and vectors go with them."""

ROWS = 1_000
"""Rows of any other table that are deleted in one step."""

_FORGOTTEN = "forgotten_guilds"


@dataclass(frozen=True, slots=True)
class GuildData:
    """How much is kept of a guild; ``rows`` counts everything, in all tables."""

    threads: int
    votes: int
    phrasings: int
    postings: int
    settings: bool
    rows: int


async def count(connection: AsyncConnection, guild_id: int) -> GuildData:
    """How much is kept of a guild; threads that were removed within a day are counted too."""
    found = {
        table.name: await _count(connection, table, _owner(table) == guild_id)
        for table in _of_guilds()
    }
    rows = sum(found.values()) + await _count(connection, facts, _facts_of(guild_id))
    return GuildData(
        threads=found[threads.name],
        votes=found[votes.name],
        phrasings=found[learned_phrasings.name],
        postings=found[postings.name],
        settings=bool(found[guild_settings.name] + found["channel_modes"]),
        rows=rows,
    )


async def delete_some(connection: AsyncConnection, guild_id: int) -> bool:
    """Delete a step's worth of what belongs to a guild; False when nothing was left.

    Threads go into the feed of changes. The membership goes last: as long as it is there, a
    deletion that was interrupted is known to be due.
    """
    if (await connection.execute(delete(facts).where(_facts_of(guild_id)))).rowcount:
        return True
    for table in _of_guilds():
        limit = THREADS if table is threads else ROWS
        mine = select(*table.primary_key).where(_owner(table) == guild_id).limit(limit)
        if keys := (await connection.execute(mine)).all():
            await _delete(connection, table, keys)
            if table is threads:
                gone = [key[0] for key in keys]
                await change_feed.note(connection, gone, is_deleted=True)
            return True
    return False


async def count_forgotten(connection: AsyncConnection) -> None:
    """Let other processes know that a guild was forgotten: see ``forgotten``."""
    await set_fact(connection, _FORGOTTEN, str(await forgotten(connection) + 1))


async def forgotten(connection: AsyncConnection) -> int:
    """How many guilds were ever forgotten; what is cached of guilds is good while it stays."""
    return int(await fact(connection, _FORGOTTEN) or 0)


def _of_guilds() -> list[Table]:
    """The tables with rows of guilds, those last from which a deletion is known to be due."""
    found = [t for t in metadata.tables.values() if _has_owner(t)]
    return sorted(found, key=lambda table: table is guild_memberships)


def _has_owner(table: Table) -> bool:
    return "guild_id" in table.c or "scope" in table.c


def _owner(table: Table) -> Column[int]:
    return table.c["guild_id" if "guild_id" in table.c else "scope"]


def _facts_of(guild_id: int) -> ColumnElement[bool]:
    """Which facts are about a guild: ``import:1``, ``import:1:…``, ``batches:1`` and the like."""
    name = facts.c.name
    # No fact's name has two ids in it, and ids stand between colons.
    return or_(name.like(f"%:{guild_id}"), name.like(f"%:{guild_id}:%"))


async def _delete(connection: AsyncConnection, table: Table, keys: Sequence[Sequence[Any]]) -> None:
    """Delete rows by their primary keys, one by one: SQLite reads a whole index for a list."""
    key = [*table.primary_key]
    this = [column == bindparam(f"key_{n}") for n, column in enumerate(key)]
    rows = [{f"key_{n}": value for n, value in enumerate(found)} for found in keys]
    await connection.execute(delete(table).where(*this), rows)


async def _count(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    return await connection.scalar(select(func.count()).select_from(table).where(which)) or 0
