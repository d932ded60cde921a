"""The interface between ``Database`` and a kind of database; there are two of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import StoreError
from bot.store.change_watch import Watch

BUSY_SECONDS = 15.0
"""Seconds that a connection waits for another program's write lock."""

READERS = 4
"""Connections that read at the same time."""


class Backend(Protocol):
    """One kind of database: its connections, its locks, and what its errors mean.

    ``path`` is the file, if it is one; ``one_connection`` says that readers and the writer share
    theirs; ``voters`` is how many transactions may write votes at the same time. ``errors`` are
    the driver's, which ``explain`` turns into StoreErrors.
    """

    url: URL
    path: Path | None
    one_connection: bool
    voters: int
    writer: AsyncEngine
    readers: AsyncEngine
    errors: tuple[type[BaseException], ...]

    async def prepare(self, index: Path | None) -> None:
        """Check the place before the first transaction, and make it if that can be done."""

    async def begin_write(self, connection: AsyncConnection) -> None:
        """Begin a transaction beside which others may write votes alone."""

    async def begin_votes(self, connection: AsyncConnection, user_ids: Collection[int]) -> None:
        """Begin a transaction that writes votes of some members."""

    def watch(self) -> Watch:
        """Return what tells of the changes of others."""

    async def close(self) -> None:
        """Close what is open beside the engines."""

    def explain(self, error: BaseException) -> StoreError:
        """Return a driver's error in words that say what to do."""

    def storable(self, value: Any) -> Any:
        """Return a value as it comes back once it was stored."""

    def version(self, connection: Connection) -> str:
        """Return the program's name and version, and where the library is if that is a server."""

    def problems(self, connection: Connection) -> list[str]:
        """Read the whole database, and return what is wrong with what it keeps."""
