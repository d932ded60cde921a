"""Soft deletion of threads: removed by a moderator, restored, retired, or deleted for good.

What a moderator removes at once shares its moment, which is the removal's name: by it,
the whole of it comes back. A thread that was imported again meanwhile is back already.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED
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
    gone = await _set(connection, which, retired_at=moment, removed=True)
    await overrides.move_votes(connection, scope, gone)
    return Removal(moment, len(gone), name, name if target.whole_source else None)


async def removals(connection: AsyncConnection, scope: int) -> list[Removal]:
    """Return the removals of a scope that can be undone, newest first."""
    t = threads.c
    query = select(t.retired_at, func.count(), func.min(t.title), func.min(t.source))
    query = query.where(t.scope == scope, t.removed.is_(True)).group_by(t.retired_at)
    rows = await connection.execute(query.order_by(t.retired_at.desc()))
    return [Removal(*row) for row in rows.all()]


async def restore(connection: AsyncConnection, scope: int, moment: int) -> int:
    """Bring back what was removed at a moment; returns how many threads that is."""
    t = threads.c
    these = (t.scope == scope, t.retired_at == moment, t.removed.is_(True))
    back = await _set(connection, these, retired_at=None, removed=False)
    await overrides.move_votes(connection, scope, back)
    return len(back)


async def retire(connection: AsyncConnection, scope: int, thread_ids: Sequence[int]) -> int:
    """Retire those of some threads of a scope that are in force; return how many that were.

    They keep their votes and phrasings. In place of a guild's version, its shared thread is shown
    again, with the votes and phrasings of that guild. Being put again brings them back.
    """
    these = (threads.c.id.in_(thread_ids), IN_FORCE)
    now = time.time_ns() // 1000
    gone = await _set(connection, these, retired_at=now, removed=False)
    if scope != SHARED:
        await overrides.move_votes(connection, scope, gone)
    return len(gone)


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


async def _set(
    connection: AsyncConnection, which: Sequence[ColumnElement[bool]], **values: Any
) -> Sequence[int]:
    """Retire threads or put them in force, and note that in the feed of changes; return ids."""
    ids = (await connection.scalars(select(threads.c.id).where(*which))).all()
    await connection.execute(update(threads).where(*which).values(values))
    await change_feed.note(connection, ids)
    return ids


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
