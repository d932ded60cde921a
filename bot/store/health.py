"""Checks of a database, for ``doctor``, and of copies, for backups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import InputError, StoreNewer
from bot.store import migrations
from bot.store.database import Database
from bot.store.tables import metadata

MAX_PROBLEMS = 3
"""Problems that are reported; more would help nobody."""


@dataclass(frozen=True, slots=True)
class Health:
    """The migration that a database is at, and what is wrong with it (nothing: empty)."""

    revision: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """How much a copy holds; threads that are retired count too."""

    threads: int
    answers: int
    votes: int


async def examine(database: Database) -> Health:
    """Read the whole database once and return what is wrong with it.

    Takes seconds for a gigabyte. Raises StoreError when it can't be read at all.
    """
    async with database.read() as connection:
        revision = await connection.run_sync(migrations.current_revision)
        problems: list[str] = []
        if database.is_sqlite:
            rows = (await connection.execute(text("PRAGMA integrity_check(5)"))).scalars().all()
            problems += [str(row) for row in rows if row != "ok"]
            orphans = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
            problems += [
                f"a row of {row[0]} points to one of {row[2]} that is gone" for row in orphans
            ]
            problems += await _missing(connection)
    return Health(revision or "none", tuple(problems[:MAX_PROBLEMS]))


async def check_copy(connection: aiosqlite.Connection) -> Content:
    """Return what a copy holds.

    Raises InputError when it is not sound or not of this program, StoreNewer when it is of a
    newer version.
    """
    if missing_tables(await connection.execute_fetchall("SELECT name FROM sqlite_master")):
        raise InputError("it is no database of Threadwise")
    revision = await _value(connection, "SELECT version_num FROM alembic_version")
    if not migrations.is_known(str(revision)):
        raise StoreNewer("it was written by a newer Threadwise; install that version first")
    result = await _value(connection, "PRAGMA integrity_check(1)")
    if result != "ok":
        raise InputError(f"it is damaged: {result}")
    if await connection.execute_fetchall("PRAGMA foreign_key_check"):
        raise InputError("it is damaged: rows point to others that are gone")
    tables = ("threads", "answers", "votes")
    counts = [await _value(connection, f"SELECT count(*) FROM {table}") for table in tables]
    return Content(*counts)


def missing_tables(tables: Iterable[Any]) -> set[str]:
    """Return the tables that every version of this program has, and that are not there.

    ``tables`` are rows that begin with a table's name.
    """
    names = {row[0] for row in tables}
    return {"alembic_version", "threads", "answers", "votes", "facts"} - names


async def _value(connection: aiosqlite.Connection, query: str) -> Any:
    rows = list(await connection.execute_fetchall(query))
    return rows[0][0] if rows else None


async def _missing(connection: AsyncConnection) -> list[str]:
    """Return a line for each table and index of this program that isn't there."""
    rows = await connection.execute(text("SELECT type, name FROM sqlite_master"))
    there = {(row[0], row[1]) for row in rows.all()}
    wanted = [("table", table.name) for table in metadata.sorted_tables]
    wanted += [("index", str(i.name)) for table in metadata.sorted_tables for i in table.indexes]
    return [f"the {kind} {name} is missing" for kind, name in wanted if (kind, name) not in there]
