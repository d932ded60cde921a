"""A library on a PostgreSQL server, through asyncpg.

A reader sees one state (REPEATABLE READ). Transactions take turns by an advisory lock, in all
processes, so that the numbers of the change feed are committed in order; those that write votes
alone don't, and wait for one another only where they are about the same members.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StoreError
from bot.store import postgres_errors, server_url, write_locks
from bot.store.backend import BUSY_SECONDS, READERS
from bot.store.change_watch import Watch
from bot.store.columns import metadata
from bot.store.postgres_listener import Listener

CONNECT_SECONDS = 10.0
"""Seconds after which a server that says nothing isn't there."""

VOTERS = 8
"""Transactions that write votes at the same time."""

NUL_REPLACEMENT = "\ufffd"
"""What is kept in the place of a NUL character."""

_SESSION = {
    "application_name": "threadwise",
    "synchronous_commit": "on",  # what was acknowledged is on disk, whatever the server's default
    "lock_timeout": f"{BUSY_SECONDS * 1000:.0f}",
    "jit": "off",  # our statements are short
}


class Postgres:
    """PostgreSQL through asyncpg; see ``backend.Backend``."""

    path: Path | None = None
    one_connection = False
    voters = VOTERS
    errors: tuple[type[BaseException], ...] = (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
    )

    def __init__(self, url: URL):
        self.url = url
        self.writer = self._engine(VOTERS + 1)
        readers = self._engine(READERS, isolation_level="REPEATABLE READ")
        self.readers = readers.execution_options(postgresql_readonly=True)
        self._listener = Listener(self._connect_args())

    async def prepare(self, index: object) -> None:
        """Connect once; only a connection shows whether all of the URL is understood."""
        try:
            async with self.readers.connect():
                pass
        except (TypeError, ValueError, asyncpg.ClientConfigurationError) as error:
            raise server_url.unusable_url(error) from None

    async def begin_write(self, connection: AsyncConnection) -> None:
        """Wait for its turn to write; the commit notifies those who listen for changes."""
        await write_locks.take_turn(connection)

    async def begin_votes(self, connection: AsyncConnection, user_ids: Collection[int]) -> None:
        """Wait for others that write votes of the same members."""
        await write_locks.lock_voters(connection, user_ids)

    def watch(self) -> Watch:
        """Return a watch that the server tells of changes."""
        return self._listener.watch()

    async def close(self) -> None:
        """Listen no longer."""
        await self._listener.close()

    def explain(self, error: BaseException) -> StoreError:
        """Return a driver's error in words that say what to do."""
        return postgres_errors.explain(error, self.url)

    def storable(self, value: Any) -> Any:
        """Return a value as it comes back, without NUL characters in a text."""
        return _cleaned(value)

    def version(self, connection: Connection) -> str:
        """Return the server's version, and where the library is on it."""
        number = connection.scalar(text("SHOW server_version"))
        return f"PostgreSQL {str(number).split()[0]} at {server_url.place(self.url)}"

    def problems(self, connection: Connection) -> list[str]:
        """Read every table, and return what the server finds wrong with it or with an index."""
        there = set(inspect(connection).get_table_names())
        for table in metadata.sorted_tables:
            if table.name in there:
                quoted = connection.dialect.identifier_preparer.format_table(table)
                connection.execute(text(f"SELECT count(t.*) FROM {quoted} AS t"))
        query = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
        broken = connection.execute(text(query)).scalars()
        return [f"the index {name} is not valid; run REINDEX INDEX {name}" for name in broken]

    def _connect_args(self) -> dict[str, Any]:
        _, given = self.writer.dialect.create_connect_args(self.url)
        return {**given, **_OPTIONS}

    def _engine(self, size: int, **options: Any) -> AsyncEngine:
        """Make an engine of ``size`` connections, which are never more."""
        options |= {"pool_size": size, "max_overflow": 0, "pool_timeout": None}
        engine = create_async_engine(self.url, connect_args=_OPTIONS, **options)
        event.listen(engine.sync_engine, "connect", _check_encoding)
        event.listen(engine.sync_engine, "checkout", _check_open)
        event.listen(engine.sync_engine, "before_cursor_execute", _without_nul, retval=True)
        return engine


class _CancellableConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that ends when a task is cancelled that inserts many rows with it.

    asyncpg's own ``executemany`` takes a cancellation while it sends rows for nothing, and then
    waits for ever for the end of what it no longer sends (its issue 873).
    """

    async def executemany(self, *arguments: Any, **options: Any) -> Any:
        inserting = asyncio.ensure_future(super().executemany(*arguments, **options))
        try:
            return await asyncio.shield(inserting)
        except asyncio.CancelledError:
            self.terminate()
            inserting.cancel()  # it no longer waits for room to send
            await asyncio.wait([inserting])
            if not inserting.cancelled():
                inserting.exception()  # of the connection that was ended
            raise


_OPTIONS = {
    "connection_class": _CancellableConnection,
    "timeout": CONNECT_SECONDS,
    "server_settings": _SESSION,
    "prepared_statement_cache_size": 500,
}


def _check_encoding(connection: Any, _record: Any) -> None:
    encoding = connection.driver_connection.get_settings().server_encoding
    if encoding != "UTF8":
        raise StoreError(
            f"this PostgreSQL database is in the encoding {encoding}, which has not every letter; "
            "make one for the bot with: createdb --encoding UTF8 --template template0 NAME"
        )


def _check_open(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool connect anew where the server, or the way to it, was gone meanwhile."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _without_nul(
    _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool
) -> tuple[str, Any]:
    """Replace NUL characters, which no text of PostgreSQL holds. Readers of files let none pass."""
    return statement, [_cleaned_row(row) for row in values] if many else _cleaned_row(values)


def _cleaned_row(row: Any) -> Any:
    if not any(isinstance(value, str) and "\0" in value for value in row):
        return row
    return tuple(_cleaned(value) for value in row)


def _cleaned(value: Any) -> Any:
    return value.replace("\0", NUL_REPLACEMENT) if isinstance(value, str) else value
