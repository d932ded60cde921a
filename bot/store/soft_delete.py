"""Soft deletion of threads: removed by a moderator, restored, or deleted for good.

What a moderator removes at once shares its moment, which is the removal's name: by it,
the whole of it comes back. A thread that was imported again meanwhile is back already.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import change_feed, overrides
from bot.store.rows import EPOCH, to_micros
from bot.store.tables import IN_FORCE, answers, threads, votes
from bot.store.write_locks import lock_votes


@dataclass(frozen=True, slots=True)
class Removal:
    """The threads removed at one moment (in microseconds); ``title`` and ``source`` of one."""

    moment: int
    threads: int
    title: str
    source: str | None

    @property
    def at(self) -> datetime:
        """Return the moment as a date."""
        return EPOCH + timedelta(microseconds=self.moment)


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a removal: a thread, or all that are from the same source as it."""

    thread_id: int
    whole_source: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The extent of a removal; ``name`` is a thread's title, or a source."""

    target: Target
    name: str
    threads: int
    votes: int


async def plan(connection: AsyncConnection, scope: int, target: Target) -> Plan | None:
    """Return the extent of removing a target in a scope; ``None`` if nothing is there."""
    found = await _meant(connection, scope, target)
    if found is None:
        return None
    name, *which = found
    count = await connection.scalar(select(func.count()).select_from(threads).where(*which))
    given = select(func.count()).select_from(votes.join(answers).join(threads)).where(*which)
    given = given.where(votes.c.guild_id == scope)
    return Plan(target, name, count or 0, await connection.scalar(given) or 0)


async def remove(connection: AsyncConnection, scope: int, target: Target) -> Removal | None:
    """Take a target in a scope out of sight; ``None`` if there is nothing of it."""
    found = await _meant(connection, scope, target)
    if found is None:
        return None
    name, *which = found
    in_scope = threads.c.scope == scope
    newest = await connection.scalar(select(func.max(threads.c.retired_at)).where(in_scope))
    # A clock that stands still or goes back must not make two removals one.
    moment = max(time.time_ns() // 1000, (newest or 0) + 1)
    values = {"retired_at": moment, "removed": True}
    gone = await connection.execute(update(threads).where(*which).values(values))
    await _tell(connection, *_of(scope, moment))
    removed = (await connection.scalars(select(threads.c.id).where(*_of(scope, moment)))).all()
    await overrides.move_votes(connection, scope, removed)
    return Removal(moment, gone.rowcount, name, name if target.whole_source else None)


async def removals(connection: AsyncConnection, scope: int) -> list[Removal]:
    """Return the removals of a scope that can be undone, newest first."""
    there = (threads.c.scope == scope, threads.c.removed.is_(True))
    t = threads.c
    query = (
        select(t.retired_at, func.count(), func.min(t.title), func.min(t.source))
        .where(*there)
        .group_by(t.retired_at)
        .order_by(t.retired_at.desc())
    )
    return [Removal(*row) for row in (await connection.execute(query)).all()]


async def restore(connection: AsyncConnection, scope: int, moment: int) -> int:
    """Bring back what was removed at a moment; returns how many threads that is."""
    here = _of(scope, moment)
    await _tell(connection, *here)  # while they can still be told by the moment
    back = (await connection.scalars(select(threads.c.id).where(*here))).all()
    values = {"retired_at": None, "removed": False}
    count = (await connection.execute(update(threads).where(*here).values(values))).rowcount
    await overrides.move_votes(connection, scope, back)
    return count


async def purge(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete for good what was removed before a moment, at most ``limit`` threads of it.

    Their answers, votes, phrasings and postings go with them. Returns how many went.
    """
    old = (threads.c.removed.is_(True), threads.c.retired_at < to_micros(before))
    ids = (await connection.execute(select(threads.c.id).where(*old).limit(limit))).scalars().all()
    if ids:
        await lock_votes(connection)
        await change_feed.note(connection, ids, is_deleted=True)
        merged = update(threads).where(threads.c.merged_into.in_(ids))
        await connection.execute(merged.values(merged_into=None))  # an import may bring them again
        await connection.execute(delete(threads).where(threads.c.id.in_(ids)))
    return len(ids)


def _of(scope: int, moment: int) -> tuple[ColumnElement[bool], ...]:
    t = threads.c
    return (t.scope == scope, t.retired_at == moment, t.removed.is_(True))


async def _meant(connection: AsyncConnection, scope: int, target: Target) -> Any:
    """Return the name of a target and the conditions that its threads meet, if any do."""
    t = threads.c
    this = (t.scope == scope, t.id == target.thread_id, IN_FORCE)
    row = (await connection.execute(select(t.title, t.source).where(*this))).first()
    if row is None:
        return None
    if target.whole_source and row.source is not None:
        return row.source, t.scope == scope, t.source == row.source, IN_FORCE
    return row.title, *this


async def _tell(connection: AsyncConnection, *which: Any) -> None:
    """Note threads that meet conditions in the feed of changes."""
    ids = (await connection.execute(select(threads.c.id).where(*which))).scalars().all()
    await change_feed.note(connection, ids)


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
    """Retire those of the next ``limit`` threads of the sources seen whose keys were not.

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
        retired = {"retired_at": time.time_ns() // 1000, "removed": False}
        await connection.execute(update(threads).where(t.id.in_(gone)).values(retired))
        await change_feed.note(connection, gone)
    return (rows[-1].id if len(rows) == limit else None), len(gone)
