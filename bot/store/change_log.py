"""The changes of a guild's threads, as helpers read them: a page at a time, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import FROM_SOURCES, Action, HistoryEntry, Revision
from bot.store.curation_tables import revisions as table
from bot.store.revisions import before, of_row
from bot.store.tables import threads


async def entries(
    connection: AsyncConnection, guild_id: int, thread_id: int | None, limit: int, offset: int
) -> list[HistoryEntry]:
    """Return changes of a guild's threads, or of one: the proposed ones first, the newest first.

    Without a thread, those are left out that no member made, such as posts that were solved.
    """
    numbers = await _numbers(connection, guild_id, thread_id, limit, offset)
    these = select(table).where(table.c.guild_id == guild_id, table.c.change.in_(numbers))
    if 0 in numbers:  # the states from before the first changes have no number of their own
        these = these.where(or_(table.c.change > 0, table.c.thread_id == thread_id))
    rows = (await connection.execute(these.order_by(table.c.id))).all()
    made = dict[int, list[Revision]]()
    for row in rows:
        made.setdefault(row.change, []).append(of_row(row))
    return [await _entry(connection, made[number], thread_id) for number in numbers]


async def titles(
    connection: AsyncConnection, guild_id: int, typed: str, limit: int
) -> list[tuple[int, str]]:
    """Return ids and titles of changed threads with these letters, the one changed last first.

    Those that were undone or merged are among them.
    """
    r, t = table.c, threads.c
    query = select(t.id, t.title).join(table, r.thread_id == t.id)
    mine = [r.guild_id == guild_id, r.proposed.is_(False)]
    if typed:
        mine.append(t.title.icontains(typed, autoescape=True))
    newest = query.where(*mine).group_by(t.id).order_by(func.max(r.id).desc()).limit(limit)
    return [(row.id, row.title) for row in (await connection.execute(newest)).all()]


async def _numbers(
    connection: AsyncConnection, guild_id: int, thread_id: int | None, limit: int, offset: int
) -> list[int]:
    r = table.c
    of: ColumnElement[bool] = r.thread_id == thread_id
    if thread_id is None:
        of = or_(r.proposed, r.user_id != 0, r.action.not_in(FROM_SOURCES))
    newest = (func.max(r.proposed).desc(), func.max(r.id).desc())
    query = select(r.change).where(r.guild_id == guild_id, of).group_by(r.change)
    query = query.order_by(*newest).limit(limit).offset(offset)
    return [*(await connection.scalars(query)).all()]


async def _entry(
    connection: AsyncConnection, made: Sequence[Revision], thread_id: int | None
) -> HistoryEntry:
    """Return the states that one change made as one entry: of a thread, or of the first."""
    mine = [r for r in made if r.thread_id == thread_id] if thread_id is not None else made
    main = next((r for r in mine if r.action is not Action.OVERRIDDEN), mine[-1])
    others = (r.state.thread.title for r in made if r.thread_id != main.thread_id)
    other = next(others, None) if main.action is Action.MERGED else None
    earlier = await before(connection, main.thread_id, main.change)
    return HistoryEntry(main, None if earlier is None else earlier.state, other)
