"""Threads out of everybody's sight: removed by hand, brought back, or gone for good.

What a moderator removes at once shares its moment, which is the removal's name: by it,
the whole of it comes back. A thread that was imported again meanwhile is back already.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import change_feed
from bot.store.rows import EPOCH, to_micros
from bot.store.tables import answers, threads, votes
from bot.store.threads import IN_FORCE


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed at one moment (in microseconds): ``title`` and ``source`` are of one."""

    moment: int
    threads: int
    title: str
    source: str | None

    @property
    def at(self) -> datetime:
        """The moment as such."""
        return EPOCH + timedelta(microseconds=self.moment)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be removed: a thread, or all that are from the same source as it."""

    thread_id: int
    whole_source: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a removal would take away: ``name`` is a thread's title, or a source."""

    target: Target
    name: str
    threads: int
    votes: int


async def plan(connection: AsyncConnection, scope: int, target: Target) -> Plan | None:
    """What there is of a target in a scope, with the votes given there; ``None`` if nothing."""
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
    return Removal(moment, gone.rowcount, name, name if target.whole_source else None)


async def removals(connection: AsyncConnection, scope: int) -> list[Removal]:
    """What can be brought back in a scope, newest first."""
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
    values = {"retired_at": None, "removed": False}
    return (await connection.execute(update(threads).where(*here).values(values))).rowcount


async def purge(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete for good what was removed before a moment, at most ``limit`` threads of it.

    Their answers, votes, phrasings and postings go with them. Returns how many went.
    """
    old = (threads.c.removed.is_(True), threads.c.retired_at < to_micros(before))
    ids = (await connection.execute(select(threads.c.id).where(*old).limit(limit))).scalars().all()
    if ids:
        await connection.execute(delete(threads).where(threads.c.id.in_(ids)))
        await change_feed.note(connection, ids, is_deleted=True)
    return len(ids)


def _of(scope: int, moment: int) -> tuple[ColumnElement[bool], ...]:
    t = threads.c
    return (t.scope == scope, t.retired_at == moment, t.removed.is_(True))


async def _meant(connection: AsyncConnection, scope: int, target: Target) -> Any:
    """What a target is called and then the conditions that its threads meet, if any do."""
    t = threads.c
    this = (t.scope == scope, t.id == target.thread_id, IN_FORCE)
    row = (await connection.execute(select(t.title, t.source).where(*this))).first()
    if row is None:
        return None
    if target.whole_source and row.source is not None:
        return row.source, t.scope == scope, t.source == row.source, IN_FORCE
    return row.title, *this


async def _tell(connection: AsyncConnection, *which: Any) -> None:
    """Name threads in the feed of changes."""
    ids = (await connection.execute(select(threads.c.id).where(*which))).scalars().all()
    await change_feed.note(connection, ids)
