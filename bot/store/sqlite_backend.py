"""A library in a file of SQLite, or in memory.

In WAL mode readers never wait for the writer, and every write transaction takes the lock at its
start (``BEGIN IMMEDIATE``), so it can't fail half-way.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from bot.errors import StoreBusy, StoreError
from bot.store import database_file
from bot.store.backend import BUSY_SECONDS, READERS
from bot.store.change_watch import PollingWatch, VersionWatch, Watch
from bot.store.server_url import unusable_url


class Sqlite:
    """SQLite through aiosqlite; see ``backend.Backend``."""

    errors: tuple[type[BaseException], ...] = (sqlite3.Error, OSError)
    voters = 1

    def __init__(self, url: URL):
        self.url = url
        self.path = database_file.sqlite_file(url)
        self.one_connection = self.path is None
        self._watching = list[sqlite3.Connection]()
        self.writer = self._engine("BEGIN IMMEDIATE", 1)
        self.readers = self.writer if self.one_connection else self._engine("BEGIN", READERS)

    async def prepare(self, index: Path | None) -> None:
        """Make the folder, check the file and connect to it once, without aiosqlite.

        Where aiosqlite fails to connect, it leaves a thread behind.
        """
        if self.path is not None:
            await asyncio.to_thread(self._prepare_file, self.path, index)

    async def begin_write(self, connection: AsyncConnection) -> None:
        """Nothing more: BEGIN IMMEDIATE has taken the lock."""

    async def begin_votes(self, connection: AsyncConnection, user_ids: Collection[int]) -> None:
        """Nothing more: BEGIN IMMEDIATE has taken the lock."""

    def watch(self) -> Watch:
        """Return a watch that notices when the file was written."""
        if self.path is None:
            return PollingWatch()
        return VersionWatch(_FileVersion(self.path, self._watching).read)

    async def close(self) -> None:
        """Watch no longer."""
        for connection in self._watching:
            connection.close()
        self._watching.clear()

    def explain(self, error: BaseException) -> StoreError:
        """Return a driver's error in words that say what to do."""
        return explain(error, self.path or self.url)

    def storable(self, value: Any) -> Any:
        """Return the value: what is stored comes back as it is."""
        return value

    def version(self, connection: Connection) -> str:
        """Return SQLite's version."""
        return f"SQLite {sqlite3.sqlite_version}"

    def problems(self, connection: Connection) -> list[str]:
        """Read the whole file, and return what is wrong with it."""
        checked = connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars()
        found = [str(row) for row in checked if row != "ok"]
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check")
        return found + [
            f"a row of {row[0]} points to one of {row[2]} that is gone" for row in orphans
        ]

    def _prepare_file(self, path: Path, index: Path | None) -> None:
        database_file.make_folder(path)
        database_file.check_not_emptied(path, index or path.parent / "index")
        where, options = self.writer.dialect.create_connect_args(self.url)
        trial = sqlite3.connect(where[0], **{**options, "timeout": BUSY_SECONDS})
        with closing(trial):
            database_file.make_private(path)
            _prepare_connection(trial, None)

    def _engine(self, begin: str, size: int) -> AsyncEngine:
        """Make an engine of ``size`` connections whose transactions start with ``begin``."""
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}}
        options |= {"poolclass": StaticPool} if self.one_connection else {"pool_size": size}
        try:
            engine = create_async_engine(self.url, **options)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise unusable_url(error) from None
        event.listen(engine.sync_engine, "connect", _prepare_connection)
        event.listen(engine.sync_engine, "invalidate", _roll_back)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql(begin))
        return engine


class _FileVersion:
    """A number of a file that is another one after each transaction that others have written.

    That is what SQLite's ``data_version`` is, in one connection. It waits for no lock, and takes
    some microseconds. ``opened`` gets the connection.
    """

    def __init__(self, path: Path, opened: list[sqlite3.Connection]):
        self._path, self._opened = path, opened
        self._connection: sqlite3.Connection | None = None

    async def read(self) -> object:
        """Return the number; ``None`` where it can't be read."""
        try:
            if self._connection is None:
                uri = f"{self._path.absolute().as_uri()}?mode=ro"
                self._connection = sqlite3.connect(uri, uri=True, timeout=0)
                self._opened.append(self._connection)
            return self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return None


def explain(error: BaseException, where: object) -> StoreError:
    """Return SQLite's error in words that say what to do; ``where`` names the database."""
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return StoreBusy(
            f"{where} has been locked by another program for over {BUSY_SECONDS:.0f} s; "
            "stop that program or wait for it, then try again"
        )
    if "no such table" in text or "no such column" in text:
        return StoreError(f"{where} is damaged: {error}; put a backup back with threadwise restore")
    for signs, advice in _ADVICE.items():
        if any(sign in text for sign in signs):
            return StoreError(advice.format(where))
    return StoreError(f"{where}: {error}")


_ADVICE = {
    ("readonly", "read-only"): "{} can't be written; check the file's and the folder's permissions",
    ("not a database", "malformed"): "{} is damaged or not a Threadwise database; put a backup "
    "back with threadwise restore, or move it away and import your threads again",
    ("full", "no space"): "no room left on the disk of {}; free some and try again",
    ("unable to open",): "{} can't be opened; check that it is a file you may read and write",
}
"""Advice, by words of SQLite's messages."""


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, not by the driver
    cursor = connection.cursor()
    _use_wal(cursor)
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Change to WAL; SQLite itself doesn't wait for others that do so at the same time."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _roll_back(connection: Any, _record: Any, _error: Any) -> None:
    """Undo what a cancelled task leaves, before its connection is closed.

    SQLite closes a connection only when its cursors are gone too, and the task's
    traceback may hold those, and so the write lock, for a long while.
    """
    with suppress(asyncio.CancelledError, Exception):
        connection.rollback()
