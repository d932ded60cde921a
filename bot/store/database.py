"""One database: opened, migrated, read by many and written by one.

It is SQLite by default, or PostgreSQL: ``backend`` says what both do. Write transactions take
turns, but for votes on a server. What a ``write`` block did is on disk when the block ends.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import StoreError
from bot.observing import UNOBSERVED, Observer
from bot.store import database_file, migrations, server_url
from bot.store.backend import READERS, Backend
from bot.store.change_watch import Watch
from bot.store.facts import LIBRARY_ID, MOVE, fact, set_fact
from bot.store.sqlite_backend import Sqlite

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """The open database. ``read()`` and ``write()`` give connections in a transaction."""

    def __init__(self, url: str, observer: Observer = UNOBSERVED):
        self.url = database_file.parse_url(url)
        self.backend = _backend(self.url)
        self.path = self.backend.path
        self.id = ""
        self._observer = observer
        self._writer, self._readers = self.backend.writer, self.backend.readers
        self._write_lock = asyncio.Lock()
        self._vote_turns = asyncio.Semaphore(self.backend.voters)
        self._read_slots = asyncio.Semaphore(READERS)
        self._readers_now: set[asyncio.Task[Any] | None] = set()
        self._is_closed = False
        for engine in {self._writer, self._readers}:
            event.listen(engine.sync_engine, "checkin", self._close_late)

    @classmethod
    async def open(
        cls,
        url: str,
        index: Path | None = None,
        observer: Observer = UNOBSERVED,
        *,
        unfinished: bool = False,
    ) -> Database:
        """Open the database at ``url``, make or migrate its tables, and give it an id.

        ``index`` is the folder of the search index that follows it: by default the one beside
        it. Raises ConfigError for a URL that can't be used, StoreError for a database that can't
        be opened or, but for ``unfinished``, into which a library is being moved, and StoreNewer
        for one of a later program.
        """
        database = cls(url, observer)
        try:
            with database._explained_errors():
                await database.backend.prepare(index)
            async with database.write() as connection:
                await connection.run_sync(migrations.upgrade)
                database.id = await _library_id(connection)
                if not unfinished and await fact(connection, MOVE) is not None:
                    raise StoreError(
                        f"a library is being moved into {database.where}; run the same threadwise "
                        "move again, which goes on where it was stopped"
                    )
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def where(self) -> str:
        """Return what people are told the database is, without its password."""
        return str(self.path) if self.path is not None else server_url.place(self.url)

    async def close(self) -> None:
        """Close all connections; SQLite folds its log into the file.

        Those in use are closed once they are given back.
        """
        self._is_closed = True
        await self.backend.close()
        await self._readers.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one consistent state and never waits for a writer.

        One block must not be within another: each takes one of ``READERS`` turns, and as many
        that hold one and wait for a second would wait for ever. RuntimeError is raised for it.
        """
        if self.backend.one_connection:  # take turns with the writers
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
        async with self._writing(self._write_lock, self.backend.begin_write) as connection:
            yield connection

    @asynccontextmanager
    async def write_votes(self, user_ids: Collection[int]) -> AsyncIterator[AsyncConnection]:
        """Give a connection that may write these members' votes and reactions, and postings.

        On a server, votes of other members may be written at the same time.
        """
        if self.backend.voters == 1:
            async with self.write() as connection:
                yield connection
            return

        async def begin(connection: AsyncConnection) -> None:
            await self.backend.begin_votes(connection, user_ids)

        async with self._writing(self._vote_turns, begin) as connection:
            yield connection

    @asynccontextmanager
    async def _writing(
        self,
        turn: asyncio.Lock | asyncio.Semaphore,
        begin: Callable[[AsyncConnection], Awaitable[None]],
    ) -> AsyncIterator[AsyncConnection]:
        with self._explained_errors():
            asked = time.perf_counter()
            async with turn, self._writer.begin() as connection:
                await begin(connection)
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

    def watch(self) -> Watch:
        """Return what tells one task that others may have changed the library."""
        return self.backend.watch()

    def _close_late(self, _connection: Any, record: ConnectionPoolEntry) -> None:
        """Close a connection that is given back after ``close``: its pool would keep it open."""
        if self._is_closed:
            record.invalidate()

    @contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turn the driver's errors into StoreErrors that say what to do."""
        known: tuple[type[BaseException], ...] = (DBAPIError, *self.backend.errors)
        try:
            yield
        except known as error:
            self._observer.database_failed()
            original = error.orig if isinstance(error, DBAPIError) else None
            raise self.backend.explain(original or error) from error


def _backend(url: URL) -> Backend:
    if not server_url.is_on_server(url):
        return Sqlite(url)
    try:
        from bot.store.postgres_backend import Postgres  # its driver is in an extra
    except ModuleNotFoundError:
        raise server_url.without_driver() from None
    return Postgres(url)


async def _library_id(connection: AsyncConnection) -> str:
    """Return the id by which an index knows whether it belongs to this database."""
    known = await fact(connection, LIBRARY_ID)
    if known is None:
        known = uuid.uuid4().hex
        await set_fact(connection, LIBRARY_ID, known)
    return known
