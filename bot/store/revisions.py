"""Revisions: the states of a guild's threads, with who made each, when and by what."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import Action, Revision, ThreadState
from bot.models import Answer, Thread
from bot.store import history_bounds as bounds
from bot.store.curation_tables import revisions
from bot.store.rows import (
    EPOCH,
    answer_columns,
    answer_fields,
    columns,
    from_micros,
    id_batches,
    thread_fields,
    to_micros,
)

IN_LIBRARY = revisions.c.guild_id > 0
"""The condition that a revision is not of an import that is still going on: see ``histories``."""


async def begin_change(connection: AsyncConnection) -> int:
    """Return a number for a change that no other has: the time in Unix µs, or a later one."""
    newest = await connection.scalar(select(func.max(revisions.c.change)))
    return max(time.time_ns() // 1000, (newest or 0) + 1)


async def record(
    connection: AsyncConnection,
    guild_id: int,
    thread_id: int,
    state: ThreadState,
    *,
    action: Action,
    user_id: int,
    change: int,
    proposed: bool = False,
    made_at: datetime | None = None,
) -> int:
    """Keep a state of a thread, and drop old ones; return the id of the revision.

    ``made_at`` is when it was made: now, unless it comes with an import.
    """
    row = _content(state) | {
        "guild_id": guild_id,
        "thread_id": thread_id,
        "action": action.value,
        "user_id": user_id,
        "made_at": to_micros(made_at) or time.time_ns() // 1000,
        "change": change,
        "proposed": proposed,
    }
    made = await connection.scalar(insert(revisions).values(row).returning(revisions.c.id))
    await bounds.drop_oldest(connection, guild_id, thread_id)
    if int(made or 0) % bounds.CHECKED == 0:
        await bounds.drop_oldest_of_guild(connection, guild_id)
    return int(made or 0)


async def of_thread(
    connection: AsyncConnection, guild_id: int, thread_id: int, limit: int = bounds.MAX_KEPT
) -> list[Revision]:
    """Return a guild's revisions of a thread, newest first."""
    mine = (revisions.c.guild_id == guild_id, revisions.c.thread_id == thread_id)
    query = select(revisions).where(*mine).order_by(revisions.c.id.desc()).limit(limit)
    return [of_row(row) for row in (await connection.execute(query)).all()]


async def get(connection: AsyncConnection, guild_id: int, revision_id: int) -> Revision | None:
    """Return a guild's revision."""
    this = (revisions.c.guild_id == guild_id, revisions.c.id == revision_id)
    row = (await connection.execute(select(revisions).where(*this))).first()
    return None if row is None else of_row(row)


async def newest_id(connection: AsyncConnection, thread_id: int) -> int:
    """Return the id of the revision in force of a thread; 0 for one that nobody changed."""
    mine = _of_thread(thread_id, proposed=False)
    return await connection.scalar(select(func.max(revisions.c.id)).where(*mine)) or 0


async def is_undone(connection: AsyncConnection, thread_id: int) -> bool:
    """Return whether the newest change of a thread was undone, and that not undone again."""
    r = revisions.c
    mine = _of_thread(thread_id, proposed=False)
    changed = select(func.max(r.id)).where(*mine, r.action != Action.RESTORED.value)
    last = func.coalesce(changed.scalar_subquery(), 0)
    restored = await connection.scalar(select(func.count()).where(*mine, r.id > last))
    return bool((restored or 0) % 2)


async def before(connection: AsyncConnection, thread_id: int, change: int) -> Revision | None:
    """Return the revision that was in force of a thread before a change."""
    r = revisions.c
    older = (*_of_thread(thread_id, proposed=False), r.change < change)
    query = select(revisions).where(*older).order_by(r.id.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return None if row is None else of_row(row)


async def to_undo(connection: AsyncConnection, thread_id: int) -> Revision | None:
    """Return what undoes the last change of a thread: the state before it.

    Of a thread that was made here, that is its being retired. ``None`` if nobody changed it.
    """
    mine = _of_thread(thread_id, proposed=False)
    query = select(revisions).where(*mine).order_by(revisions.c.id.desc()).limit(1)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    earlier = await before(connection, thread_id, row.change)
    if earlier is not None:
        return earlier
    only = of_row(row)
    return replace(only, state=replace(only.state, retired=True))


async def before_merging(
    connection: AsyncConnection, thread_ids: Iterable[int]
) -> dict[int, ThreadState]:
    """Return the states that merged threads were in before they were, as far as they are kept."""
    states = dict[int, ThreadState]()
    for thread_id in thread_ids:
        made = await latest_of(connection, thread_id, Action.MERGED)
        found = None if made is None else await before(connection, thread_id, made)
        if found is not None:
            states[thread_id] = found.state
    return states


async def merge_of(connection: AsyncConnection, revision: Revision) -> Revision | None:
    """Return the state of the thread that another was merged into, by the latter's revision."""
    r = revisions.c
    other = (IN_LIBRARY, r.change == revision.change, r.thread_id != revision.thread_id)
    query = select(revisions).where(*other).order_by(revisions.c.id.desc())
    rows = (await connection.execute(query)).all()
    kept = (of_row(row) for row in rows)
    return next((one for one in kept if revision.thread_id in one.state.merged), None)


async def latest_of(connection: AsyncConnection, thread_id: int, action: Action) -> int | None:
    """Return the number of the newest change of a kind to a thread."""
    r = revisions.c
    mine = (IN_LIBRARY, r.thread_id == thread_id, r.action == action.value)
    newest: int | None = await connection.scalar(select(func.max(r.change)).where(*mine))
    return newest


async def has(connection: AsyncConnection, thread_id: int, digest: str, *, proposed: bool) -> bool:
    """Return whether a thread has a revision with these texts, proposed or once in force."""
    r = revisions.c
    same = (*_of_thread(thread_id, proposed=proposed), r.digest == digest)
    return bool(await connection.scalar(select(exists(select(1).where(*same)))))


async def settle(connection: AsyncConnection, thread_id: int) -> None:
    """Take the proposals for a thread away, which are decided about."""
    await connection.execute(delete(revisions).where(*_of_thread(thread_id, proposed=True)))


async def rewrite(
    connection: AsyncConnection,
    thread_ids: Collection[int],
    make: Callable[[ThreadState, int], ThreadState],
) -> None:
    """Write what ``make`` makes of each state of some threads and their ids, as if it had been so.

    Only what may never come back is taken out this way.
    """
    for ids in id_batches(thread_ids):
        query = select(revisions).where(revisions.c.thread_id.in_(ids))
        for row in (await connection.execute(query)).all():
            state = make(_state(row.state), row.thread_id)
            this = update(revisions).where(revisions.c.id == row.id)
            await connection.execute(this.values(_content(state)))


async def changed_together(connection: AsyncConnection, thread_ids: Collection[int]) -> set[int]:
    """Return threads, with all that were merged with one of them, be it undone or not.

    Their histories may have each other's answers.
    """
    r, found, new = revisions.c, set(thread_ids), set(thread_ids)
    while new:
        others = set[int]()
        for ids in id_batches(sorted(new)):
            changes = select(r.change).where(r.thread_id.in_(ids), r.change > 0)
            query = select(r.thread_id).where(r.change.in_(changes)).distinct()
            others.update(await connection.scalars(query))
        new = others - found
        found |= new
    return found


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Keep no longer that a member made revisions; these stay."""
    theirs = revisions.c.user_id == user_id
    await connection.execute(update(revisions).where(theirs).values(user_id=0))


def digest(thread: Thread) -> str:
    """Return the SHA-256 of what a thread says: scores and dates are not part of it."""
    content = [
        thread.title,
        thread.body,
        list(thread.tags),
        list(thread.phrasings),
        [[answer.body, answer.accepted] for answer in thread.answers],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _of_thread(thread_id: int, *, proposed: bool) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a thread's revisions: the proposed ones, or those in force."""
    r = revisions.c
    return (IN_LIBRARY, r.thread_id == thread_id, r.proposed.is_(proposed))


def _content(state: ThreadState) -> dict[str, Any]:
    """Return the columns that follow from a state."""
    kept = {
        "thread": columns(state.thread),
        "phrasings": list(state.thread.phrasings),
        "answers": [{"id": i, **answer_columns(a, n)} for n, (a, i) in enumerate(state.pairs)],
        "retired": state.retired,
        "merged": list(state.merged),
    }
    return {"state": kept, "digest": digest(state.thread), "size": len(json.dumps(kept))}


def _state(kept: dict[str, Any]) -> ThreadState:
    return ThreadState(
        thread=Thread(
            **thread_fields(kept["thread"]),
            phrasings=tuple(kept["phrasings"]),
            answers=tuple(Answer(**answer_fields(a)) for a in kept["answers"]),
        ),
        answer_ids=tuple(a["id"] for a in kept["answers"]),
        retired=kept["retired"],
        merged=tuple(kept["merged"]),
    )


def of_row(row: Row[Any]) -> Revision:
    """Return the revision that a row of the table is."""
    return Revision(
        id=row.id,
        thread_id=row.thread_id,
        action=Action(row.action),
        user_id=row.user_id,
        made_at=from_micros(row.made_at) or EPOCH,
        change=row.change,
        state=_state(row.state),
        is_proposed=row.proposed,
    )
