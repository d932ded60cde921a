"""One database: opened, migrated, read by many and written by one.

SQLite in WAL mode is the default: readers never wait for the writer, and every
write transaction takes the lock at its start (``BEGIN IMMEDIATE``), so it can't
fail half-way. What a ``write`` block did is on disk when the block ends.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, event, insert, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from bot.errors import StoreBusy, StoreError
from bot.observing import UNOBSERVED, Observer
from bot.store import database_file, migrations
from bot.store.tables import facts

BUSY_SECONDS = 15.0
"""Seconds that a connection waits for another program's write lock."""

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
"""Connections that read at the same time; one more writes."""


class Database:
    """The open database. ``read()`` and ``write()`` give connections in a transaction."""

    def __init__(self, url: str, observer: Observer = UNOBSERVED):
        self.url = database_file.parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = database_file.sqlite_file(self.url)
        self.id = ""
        self._observer = observer
        self._in_memory = self.is_sqlite and self.path is None
        self._write_lock = asyncio.Lock()
        self._read_slots = asyncio.Semaphore(READERS)
        self._readers_now: set[asyncio.Task[Any] | None] = set()
        self._writer = self._engine("BEGIN IMMEDIATE", 1)
        self._readers = self._writer if self._in_memory else self._engine("BEGIN", READERS)
        self._is_closed = False
        for engine in {self._writer, self._readers}:
            event.listen(engine.sync_engine, "checkin", self._close_late)

    @classmethod
    async def open(
        cls, url: str, index: Path | None = None, observer: Observer = UNOBSERVED
    ) -> Database:
        """Open the database at ``url``, make or migrate its tables, and give it an id.

        ``index`` is the folder of the search index that follows it: by default the one beside
        it. Raises ConfigError for a URL that can't be used, StoreError for a database
        that can't be opened, and StoreNewer for one of a later program.
        """
        database = cls(url, observer)
        try:
            if database.path is not None:
                with database._explained_errors():
                    await asyncio.to_thread(database._prepare_file, database.path, index)
            async with database.write() as connection:
                await connection.run_sync(migrations.upgrade)
                database.id = await connection.run_sync(_library_id)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close all connections; SQLite folds its log into the file.

        Those in use are closed once they are given back.
        """
        self._is_closed = True
        await self._readers.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one consistent state and never waits for a writer.

        One block must not be within another: each takes one of ``READERS`` turns, and as many
        that hold one and wait for a second would wait for ever. RuntimeError is raised for it.
        """
        if self._in_memory:  # there is one connection: take turns with the writers
            async with self.write() as connection:
                yield connection
            return
        task = asyncio.current_task()
        if task in self._readers_now:
            raise RuntimeError("Database.read() within Database.read()")
        with self._explained_errors():
            # Waiting for the pool instead would open more connections than READERS.
            asked = time.perf_counter()
            async with self._read_slots, self._readers.connect() as connection:
                begun = time.perf_counter()
                self._readers_now.add(task)
                try:
                    yield connection
                finally:
                    self._readers_now.discard(task)
            self._observer.used_database("read", begun - asked, time.perf_counter() - begun)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a write transaction: committed at the end, undone on an error."""
        with self._explained_errors():
            asked = time.perf_counter()
            async with self._write_lock, self._writer.begin() as connection:
                begun = time.perf_counter()
                yield connection
            self._observer.used_database("write", begun - asked, time.perf_counter() - begun)

    async def reading(
        self,
        step: Callable[Concatenate[AsyncConnection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what one step of reading gives, which takes a connection and these arguments."""
        async with self.read() as connection:
            return await step(connection, *args, **kwargs)

    async def writing(
        self,
        step: Callable[Concatenate[AsyncConnection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do one step of writing in a transaction of its own, and return its result."""
        async with self.write() as connection:
            return await step(connection, *args, **kwargs)

    def _prepare_file(self, path: Path, index: Path | None) -> None:
        """Make the folder, check the file and connect to it once, without aiosqlite.

        Where aiosqlite fails to connect, it leaves a thread behind.
        """
        database_file.make_folder(path)
        database_file.check_not_emptied(path, index or path.parent / "index")
        where, options = self._writer.dialect.create_connect_args(self.url)
        trial = sqlite3.connect(where[0], **{**options, "timeout": BUSY_SECONDS})
        with closing(trial):
            database_file.make_private(path)
            _prepare_connection(trial, None)

    def _engine(self, begin: str, size: int) -> AsyncEngine:
        """Make an engine of ``size`` connections whose transactions start with ``begin``."""
        try:
            if not self.is_sqlite:
                return create_async_engine(self.url, pool_size=size, pool_pre_ping=True)
            options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}}
            options |= {"poolclass": StaticPool} if self._in_memory else {"pool_size": size}
            engine = create_async_engine(self.url, **options)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise database_file.unusable_url(error) from None
        event.listen(engine.sync_engine, "connect", _prepare_connection)
        event.listen(engine.sync_engine, "invalidate", _roll_back)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql(begin))
        return engine

    def _close_late(self, _connection: Any, record: ConnectionPoolEntry) -> None:
        """Close a connection that is given back after ``close``: its pool would keep it open."""
        if self._is_closed:
            record.invalidate()

    @contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turn the driver's errors into StoreErrors that say what to do."""
        try:
            yield
        except DBAPIError as error:
            self._observer.database_failed()
            raise explain(error.orig or error, self.path or self.url) from error
        except (sqlite3.Error, OSError) as error:
            self._observer.database_failed()
            raise explain(error, self.path or self.url) from error


def explain(error: BaseException, where: object) -> StoreError:
    """Return a driver's error in words that say what to do; ``where`` names the database."""
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


def _library_id(connection: Connection) -> str:
    """Return the id by which an index knows whether it belongs to this database."""
    known = connection.scalar(select(facts.c.value).where(facts.c.name == "library_id"))
    if known is None:
        known = uuid.uuid4().hex
        connection.execute(insert(facts).values(name="library_id", value=known))
    return str(known)
