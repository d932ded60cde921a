"""Retiring the threads that a newer copy of their source lacks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import change_feed
from bot.store.tables import threads
from bot.store.threads import IN_FORCE


class Seen:
    """The keys that an import has read, and the ``sources`` that they are from.

    SQLite keeps the keys in the folder for temporary files, for there may be millions, and
    removes them itself.
    """

    def __init__(self) -> None:
        self.sources: set[str] = set()
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE keys (key TEXT PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Forget the keys."""
        self._database.close()

    def add(self, keys: Iterable[str]) -> None:
        """Keep keys."""
        insert = "INSERT OR IGNORE INTO keys VALUES (?)"
        self._database.executemany(insert, ((key,) for key in keys))

    def __contains__(self, key: str) -> bool:
        query = "SELECT 1 FROM keys WHERE key = ?"
        return self._database.execute(query, (key,)).fetchone() is not None


async def count_of(connection: AsyncConnection, scope: int, sources: Collection[str]) -> int:
    """Count the threads in force of some sources."""
    t = threads.c
    query = select(func.count()).where(t.scope == scope, t.source.in_(sources), IN_FORCE)
    return (await connection.scalar(query)) or 0


async def retire_unseen(
    connection: AsyncConnection,
    scope: int,
    seen: Seen,
    after: int,
    limit: int,
) -> tuple[int | None, int]:
    """Of the next ``limit`` threads of the sources seen, retire those whose keys were not.

    They keep their votes and phrasings, the feed of changes names them, and being put
    again brings them back. Return the id to go on after (``None`` at the end), and how many
    were retired.
    """
    t = threads.c
    query = select(t.id, t.key).where(t.scope == scope, t.source.in_(seen.sources), IN_FORCE)
    query = query.where(t.id > after).order_by(t.id).limit(limit)
    rows = (await connection.execute(query)).all()
    gone = [row.id for row in rows if row.key not in seen]
    if gone:
        await _retire(connection, gone)
    return (rows[-1].id if len(rows) == limit else None), len(gone)


async def _retire(connection: AsyncConnection, ids: Sequence[int]) -> None:
    now = time.time_ns() // 1000
    which = threads.c.id.in_(ids)
    await connection.execute(update(threads).where(which).values(retired_at=now, removed=False))
    await change_feed.note(connection, ids)
