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
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, insert, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import asbool

from bot.errors import ConfigError, StoreBusy, StoreError, StoreNewer
from bot.store import database_file
from bot.store.tables import facts

BUSY_SECONDS = 15.0
"""How long a connection waits for another program's write lock."""

READERS = 4
"""Connections that read at the same time; one more writes."""


class Database:
    """The open database. ``read()`` and ``write()`` give connections in a transaction."""

    def __init__(self, url: str):
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        try:
            self.path = _sqlite_file(self.url) if self.is_sqlite else None
        except ValueError as error:
            raise _unusable(error) from None
        self.id = ""
        self._write_lock = asyncio.Lock()
        self._reading = asyncio.Semaphore(READERS)
        self._holders: set[asyncio.Task[Any] | None] = set()
        self._writer = self._engine("BEGIN IMMEDIATE", 1)
        self._readers = self._writer if self._in_memory else self._engine("BEGIN", READERS)

    @classmethod
    async def open(cls, url: str, index: Path | None = None) -> Database:
        """Open the database at ``url``, make or migrate its tables, and give it an id.

        ``index`` is the folder of the search index that follows it: by default the one beside
        it. Raises ConfigError for a URL that can't be used, StoreError for a database
        that can't be opened, and StoreNewer for one of a later program.
        """
        database = cls(url)
        try:
            if database.path is not None:
                with database._explained():
                    await asyncio.to_thread(database._try, index)
            async with database.write() as connection:
                await connection.run_sync(_migrate)
                database.id = await connection.run_sync(_own_id)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Give all connections back; SQLite folds its log into the file."""
        await self._readers.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state and never waits for a writer.

        One block must not be within another: each takes one of ``READERS`` turns, and as many
        that hold one and wait for a second would wait for ever. RuntimeError is raised for it.
        """
        if self._in_memory:  # one connection for all: take turns
            async with self.write() as connection:
                yield connection
            return
        task = asyncio.current_task()
        if task in self._holders:
            raise RuntimeError("Database.read() within Database.read()")
        with self._explained():
            # Whoever waits here costs the event loop nothing; the pool would open more.
            async with self._reading, self._readers.connect() as connection:
                self._holders.add(task)
                try:
                    yield connection
                finally:
                    self._holders.discard(task)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a write transaction: committed at the end, undone on an error."""
        with self._explained():
            async with self._write_lock, self._writer.begin() as connection:
                yield connection

    @property
    def _in_memory(self) -> bool:
        return self.is_sqlite and self.path is None

    def _try(self, index: Path | None) -> None:
        """Connect once without aiosqlite: where that fails to, it leaves a thread behind."""
        assert self.path is not None
        database_file.make_folder(self.path)
        database_file.check_not_emptied(self.path, index or self.path.parent / "index")
        where, options = self._writer.dialect.create_connect_args(self.url)
        trial = sqlite3.connect(where[0], **{**options, "timeout": BUSY_SECONDS})
        with closing(trial):
            database_file.make_private(self.path)
            _prepare_sqlite(trial, None)

    def _engine(self, begin: str, size: int) -> AsyncEngine:
        try:
            if not self.is_sqlite:
                return create_async_engine(self.url, pool_size=size, pool_pre_ping=True)
            options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}}
            options |= {"poolclass": StaticPool} if self._in_memory else {"pool_size": size}
            engine = create_async_engine(self.url, **options)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise _unusable(error) from None
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "invalidate", _roll_back)
        event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql(begin))
        return engine

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the driver's errors into ours, which say what to do."""
        try:
            yield
        except DBAPIError as error:
            raise explain(error.orig or error, self.path or self.url) from error
        except (sqlite3.Error, OSError) as error:
            raise explain(error, self.path or self.url) from error


def exists(url: str) -> bool:
    """Whether there is a database to open; of one on a server that is taken for granted.

    Raises ConfigError for a URL that can't be used.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        return True
    file = _sqlite_file(parsed)
    return file is not None and file.exists()


def sqlite_file(url: str) -> Path | None:
    """The file of the database at a URL; ``None`` if it is in memory or on a server.

    Raises ConfigError for a URL that can't be used.
    """
    parsed = _parse(url)
    return _sqlite_file(parsed) if parsed.get_backend_name() == "sqlite" else None


def is_known(revision: str) -> bool:
    """Whether this program knows a revision of the tables; a newer one has others."""
    return revision in {known.revision for known in _script().walk_revisions()}


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise ConfigError(
            "DATABASE_URL is not a database URL; the default is "
            "sqlite+aiosqlite:///data/threadwise.db"
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.get_driver_name() != "aiosqlite":
        parsed = parsed.set(drivername="sqlite+aiosqlite")
    return parsed


def _unusable(error: Exception) -> ConfigError:
    why = str(error).splitlines()[0].rstrip(":;. ")
    return ConfigError(f"DATABASE_URL can't be used: {why}")


def _sqlite_file(url: URL) -> Path | None:
    """The file that a SQLite URL names, ``None`` for a database in memory."""
    name, query = url.database or "", url.query
    if name.startswith("file:") and asbool(query.get("uri", "")):  # SQLite's own kind of URL
        name = "" if query.get("mode") == "memory" else unquote(urlsplit(name).path)
    return None if name in ("", ":memory:") else Path(name)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, not by the driver
    cursor = connection.cursor()
    _use_wal(cursor)
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Change to WAL; SQLite itself doesn't wait for others who are at that as well."""
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


def explain(error: BaseException, where: object) -> StoreError:
    """What a driver's error means for people, and what they can do about it."""
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return StoreBusy(
            f"{where} has been locked by another program for over {BUSY_SECONDS:.0f} s; "
            "stop that program or wait for it, then try again"
        )
    if "readonly" in text or "read-only" in text:
        return StoreError(
            f"{where} can't be written; check the file's and the folder's permissions"
        )
    if "not a database" in text or "malformed" in text:
        return StoreError(
            f"{where} is damaged or not a Threadwise database; put a backup back with "
            "threadwise restore, or move it away and import your threads again"
        )
    if "no such table" in text or "no such column" in text:
        return StoreError(f"{where} is damaged: {error}; put a backup back with threadwise restore")
    if "full" in text or "no space" in text:
        return StoreError(f"no room left on the disk of {where}; free some and try again")
    if "unable to open" in text:
        return StoreError(
            f"{where} can't be opened; check that it is a file you may read and write"
        )
    return StoreError(f"{where}: {error}")


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _migrate(connection: Connection) -> None:
    script, current = _script(), MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and not is_known(current):
        raise StoreNewer(
            "this database was written by a newer Threadwise; install that version, "
            "or set DATA_DIR to another folder"
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _own_id(connection: Connection) -> str:
    """The id by which an index knows whether it belongs to this database."""
    known = connection.scalar(select(facts.c.value).where(facts.c.name == "library_id"))
    if known is None:
        known = uuid.uuid4().hex
        connection.execute(insert(facts).values(name="library_id", value=known))
    return str(known)
