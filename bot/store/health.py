"""Is the database sound? Questions that only ``doctor`` asks."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot.store.database import Database

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
    return Health(revision or "none", tuple(problems[:FEW]))
