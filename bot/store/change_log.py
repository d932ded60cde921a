"""The changes of a guild's threads, as helpers read them: a page at a time, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
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
    # Of a bare column SQLite would use the index, and read all that the guild ever changed.
    mine = table.c.guild_id + 0 == guild_id
    made = dict[int, list[Revision]]()
    for number in numbers:
        this = [mine, table.c.change == number]
        if number == 0:  # the states from before the first changes have no number of their own
            this.append(table.c.thread_id == thread_id)
        rows = await connection.execute(select(table).where(*this).order_by(table.c.id))
        made[number] = [of_row(row) for row in rows.all()]
    return [await _entry(connection, made[number], thread_id) for number in numbers]


async def titles(
    connection: AsyncConnection, guild_id: int, typed: str, limit: int
) -> list[tuple[int, str]]:
    """Return ids and titles of changed threads with these letters, the one changed last first.

    Those that were undone or merged are among them.
    """
    r, t = table.c, threads.c
    query = select(t.id, t.title)
    if typed:
        mine = (t.scope == guild_id, t.curated, t.title.icontains(typed, autoescape=True))
        rows = (
            await connection.execute(query.where(*mine).order_by(t.id.desc()).limit(limit))
        ).all()
        return [(row.id, row.title) for row in rows]
    ids = await _latest(connection, r.thread_id, limit, r.guild_id == guild_id)
    rows = (await connection.execute(query.where(t.id.in_(ids)))).all()
    named = {row.id: row.title for row in rows}
    return [(thread_id, named[thread_id]) for thread_id in ids]


async def _numbers(
    connection: AsyncConnection, guild_id: int, thread_id: int | None, limit: int, offset: int
) -> list[int]:
    """Return the numbers of changes: of the proposed ones first, then of those in force.

    Without a thread, 0 is not among them: it is the number of no change.
    """
    r, wanted = table.c, offset + limit
    mine = [
        r.guild_id == guild_id,
        r.change != 0 if thread_id is None else r.thread_id == thread_id,
    ]
    found = await _latest(connection, r.change, wanted, *mine, r.proposed.is_(True))
    of: ColumnElement[bool] = r.proposed.is_(False)
    if thread_id is None:
        of = and_(of, or_(r.user_id != 0, r.action.not_in(FROM_SOURCES)))
    if len(found) < wanted:
        found += await _latest(connection, r.change, wanted - len(found), *mine, of)
    return found[offset:wanted]


async def _latest(
    connection: AsyncConnection,
    column: ColumnElement[int],
    wanted: int,
    *which: ColumnElement[bool],
) -> list[int]:
    """Return different values of a column, of the newest rows first; so many are read as needed."""
    found, last = dict[int, None](), None
    query = select(table.c.id, column).where(*which).order_by(table.c.id.desc()).limit(wanted)
    while len(found) < wanted:
        older = query if last is None else query.where(table.c.id < last)
        rows = (await connection.execute(older)).all()
        found |= dict.fromkeys(row[1] for row in rows)
        if len(rows) < wanted:
            break
        last = rows[-1].id
    return [*found][:wanted]


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
