"""Is the database sound? Questions that only ``doctor`` asks."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.tables import metadata

FEW = 3
"""So many complaints of the database are passed on; more wouldn't help anybody."""


@dataclass(frozen=True, slots=True)
class Health:
    """The migration the database is at, and what is wrong with it (nothing: empty)."""

    revision: str
    problems: tuple[str, ...]


async def examine(database: Database) -> Health:
    """Read the whole database once and say what is wrong with it.

    Takes seconds for a gigabyte. Raises StoreError when it can't be read at all.
    """
    async with database.read() as connection:
        revision = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
        problems: list[str] = []
        if database.is_sqlite:
            said = (await connection.execute(text("PRAGMA integrity_check(5)"))).scalars().all()
            problems += [str(line) for line in said if line != "ok"]
            orphans = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
            problems += [
                f"a row of {row[0]} points to one of {row[2]} that is gone" for row in orphans
            ]
            problems += await _missing(connection)
    return Health(revision or "none", tuple(problems[:FEW]))


async def _missing(connection: AsyncConnection) -> list[str]:
    """The tables and indexes that a database of this program has and this one lacks."""
    said = await connection.execute(text("SELECT type, name FROM sqlite_master"))
    there = {(row[0], row[1]) for row in said.all()}
    wanted = [("table", table.name) for table in metadata.sorted_tables]
    wanted += [("index", str(i.name)) for table in metadata.sorted_tables for i in table.indexes]
    return [f"the {kind} {name} is missing" for kind, name in wanted if (kind, name) not in there]
