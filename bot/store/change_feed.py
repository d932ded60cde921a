"""The feed of changes: which threads were changed, in order, for the indexes that follow them.

It holds the newest change of each thread: a change of its text, and a later one of its vectors
alone. A reader that has read up to a number finds all that was changed since after it. The
changes of threads that were deleted for good go after ``KEPT``; an index that had not read
those, see ``floor``, must be made anew from the threads themselves. Those of a forgotten guild go
with it; an index that had not read them, see ``dropped``, looks for itself which of its scopes
hold threads that are no more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.facts import fact, set_fact
from bot.store.rows import id_batches
from bot.store.tables import changes, threads

KEPT = timedelta(days=30)
"""For how long the feed names a thread that was deleted: an index on a disk that was away for
longer is made anew."""

_FLOOR = "change_feed_floor"
_DROPPED = "change_feed_dropped"


class Noted(NamedTuple):
    """A thread's change: its number in the feed, and the scope of the thread."""

    seq: int
    scope: int


async def note(
    connection: AsyncConnection,
    thread_ids: Sequence[int],
    *,
    text: bool = True,
    is_new: bool = False,
    is_deleted: bool = False,
) -> None:
    """Note that threads were changed; without ``text``, their vectors alone.

    Of threads that are new (``is_new``), older changes are not looked for. Those that are
    deleted for good are noted before they go.
    """
    now = time.time_ns() // 1000 if is_deleted else None
    for ids in id_batches(thread_ids):
        if not is_new:
            older = delete(changes).where(changes.c.thread_id.in_(ids))
            if not text:
                older = older.where(changes.c.text.is_(False))
            await connection.execute(older)
        t, of_them = threads.c, threads.c.id.in_(ids)
        rows = select(t.id, t.scope, literal(text), literal(now, BigInteger)).where(of_them)
        names = ["thread_id", "scope", "text", "deleted_at"]
        await connection.execute(insert(changes).from_select(names, rows.order_by(t.id)))
    if now is not None:
        await _forget(connection, now - KEPT // timedelta(microseconds=1))


async def last_change(connection: AsyncConnection, *, text: bool = False) -> int:
    """Return the newest number that was in the feed; 0 when there was none.

    With ``text``, that of the newest change in it which is not of vectors alone.
    """
    newest_first = select(changes.c.seq).order_by(changes.c.seq.desc()).limit(1)
    if text:
        return await connection.scalar(newest_first.where(changes.c.text.is_(True))) or 0
    newest = await connection.scalar(newest_first) or 0
    return max(newest, await floor(connection), await dropped(connection))


async def floor(connection: AsyncConnection) -> int:
    """Return the number up to which an index must have read, or be made anew; 0: none."""
    return int(await fact(connection, _FLOOR) or 0)


async def dropped(connection: AsyncConnection) -> int:
    """Return the newest number that went with a forgotten guild; 0: none.

    An index that has read less may have missed that threads of a scope are gone.
    """
    return int(await fact(connection, _DROPPED) or 0)


async def changed_after(
    connection: AsyncConnection, seq: int, limit: int, *, text: bool = False
) -> tuple[int, dict[int, Noted]]:
    """Return the number that the next ``limit`` changes go up to, and their threads by id.

    With ``text``, those whose vectors
    alone have changed are left out. When the number is ``seq`` itself, nothing has changed.
    """
    c = changes.c
    query = select(c.seq, c.thread_id, c.scope, c.text).where(c.seq > seq)
    rows = (await connection.execute(query.order_by(c.seq).limit(limit))).all()
    found = {row.thread_id: Noted(row.seq, row.scope) for row in rows if row.text or not text}
    return (rows[-1].seq if rows else seq), found


async def count_after(connection: AsyncConnection, seq: int) -> int:
    """Return how many threads' texts were changed after a number in the feed."""
    c = changes.c
    query = select(func.count()).select_from(changes).where(c.seq > seq, c.text.is_(True))
    return await connection.scalar(query) or 0


async def note_dropped(connection: AsyncConnection, seqs: Sequence[int]) -> None:
    """Note that changes of a guild that is forgotten are deleted, by their numbers."""
    await set_fact(connection, _DROPPED, str(max(*seqs, await dropped(connection))))


async def _forget(connection: AsyncConnection, before: int) -> None:
    """Leave out the threads that were deleted before a time in microseconds."""
    old = changes.c.deleted_at < before
    last = await connection.scalar(select(func.max(changes.c.seq)).where(old))
    if last is not None:
        await connection.execute(delete(changes).where(old))
        await set_fact(connection, _FLOOR, str(max(last, await floor(connection))))
