"""Copying a SQLite database that is in use, and looking whether a copy is sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite

from bot.errors import InputError, StoreNewer
from bot.store.database import BUSY_SECONDS, is_known

PAGES = 500
"""Pages that are copied between two looks at whether to go on; 2 MB, usually."""

Progress = Callable[[int, int], None]
"""Told how many pages are copied since the last call, and of how many."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a copy holds; threads out of sight are counted too."""

    threads: int
    answers: int
    votes: int


async def copy(source: str, target: Path, progress: Progress | None) -> None:
    """Copy a database as it is at one moment; ``source`` is a URI that SQLite opens.

    Others may write to it meanwhile. Raises sqlite3.Error.
    """
    stopped, done = False, 0

    def step(_status: int, left: int, total: int) -> None:
        nonlocal done
        if stopped:
            raise InterruptedError
        if progress is not None:
            progress(total - left - done, total)
        done = total - left

    def stop() -> None:
        nonlocal stopped
        stopped = True

    async with connected(source) as there, connected(target.as_uri()) as here:
        # One state from beginning to end: else each write of others would begin it anew.
        await there.execute("BEGIN")
        await there.execute_fetchall("SELECT name FROM sqlite_master")
        # To its end: neither of the two may be closed while its thread is at it.
        await _to_its_end(there.backup(here, pages=PAGES, progress=step, sleep=0.05), stop)
        await here.execute("PRAGMA journal_mode = DELETE")  # one file, without others beside it


async def checked(copy: Path) -> Content:
    """What a copy holds. Raises InputError when it is not sound or not ours, StoreNewer."""
    async with connected(copy.as_uri()) as connection:
        if lacking(await connection.execute_fetchall("SELECT name FROM sqlite_master")):
            raise InputError("it is no database of Threadwise")
        revision = await _number(connection, "SELECT version_num FROM alembic_version")
        if not is_known(str(revision)):
            raise StoreNewer("it was written by a newer Threadwise; install that version first")
        said = await _number(connection, "PRAGMA integrity_check(1)")
        if said != "ok":
            raise InputError(f"it is damaged: {said}")
        if await connection.execute_fetchall("PRAGMA foreign_key_check"):
            raise InputError("it is damaged: rows point to others that are gone")
        counts = [
            int(str(await _number(connection, f"SELECT count(*) FROM {name}")))
            for name in ("threads", "answers", "votes")
        ]
    return Content(*counts)


async def _number(connection: aiosqlite.Connection, query: str) -> object:
    rows = list(await connection.execute_fetchall(query))
    return rows[0][0] if rows else None


def lacking(tables: Iterable[Any]) -> set[str]:
    """The tables that a database of ours has and this one hasn't."""
    names = {row[0] for row in tables}
    return {"alembic_version", "threads", "answers", "votes", "facts"} - names


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[aiosqlite.Connection]:
    """A connection in no transaction; who is told to leave doesn't wait for what it does."""
    connection = aiosqlite.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        await _to_its_end(connection)
        try:
            yield connection
        except asyncio.CancelledError:
            await connection.interrupt()
            raise
    finally:
        await _to_its_end(connection.close())


async def _to_its_end(work: Awaitable[object], stop: Callable[[], None] = lambda: None) -> None:
    """Wait for what a connection's thread does, also when told to leave, and only then leave.

    ``stop`` then lets it know that it needn't go on.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        stop()
        while not task.done():
            with suppress(asyncio.CancelledError, InterruptedError):
                await asyncio.shield(task)
        raise
