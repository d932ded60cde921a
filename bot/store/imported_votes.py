"""Imported votes: a guild's sum for an answer, without who gave them.

They count beside the votes that members give here. They are taken in once: an answer that
has votes in a guild, of its own or carried, keeps those it has, so that importing one's own
export again changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED
from bot.store.rows import Tallies, ThreadRows
from bot.store.tables import answers, carried_votes, threads, votes


def votes_of(guild_id: int | None) -> Any:
    """Return the SQL of an answer's sum of all votes that count in one guild."""

    def total(table: Table) -> Any:
        mine = (table.c.answer_id == answers.c.id, table.c.guild_id == guild_id)
        query = select(func.coalesce(func.sum(table.c.value), 0)).where(*mine)
        return query.correlate(answers).scalar_subquery()

    return (total(votes) + total(carried_votes)).label("votes")


async def take(connection: AsyncConnection, scope: int, batch: Sequence[ThreadRows]) -> None:
    """Keep the tallies that came with threads, which are in the library already.

    Into a guild's own library come its own votes only: other guilds don't see it.
    """
    brought = {packed.key: packed.tallies for packed in batch if packed.tallies}
    if not brought:
        return
    there = (threads.c.scope == scope, threads.c.key.in_(brought), answers.c.retired.is_(False))
    query = select(answers.c.id, answers.c.position, threads.c.key, threads.c.id.label("thread"))
    rows = (await connection.execute(query.join(threads).where(*there))).all()
    found = await tallies(connection, [row.thread for row in rows])
    known = {row.id: frozenset(guild_id for guild_id, _ in found[row.id]) for row in rows}
    new = [
        {"answer_id": row.id, "guild_id": guild_id, "value": value}
        for row in rows
        for guild_id, value in brought[row.key][row.position]
        if value and scope in (SHARED, guild_id) and guild_id not in known[row.id]
    ]
    if new:
        await connection.execute(insert(carried_votes), new)


async def tallies(connection: AsyncConnection, thread_ids: Sequence[int]) -> dict[int, Tallies]:
    """Return by answer the sums of votes in every guild that gave any, of some threads."""
    sums: dict[int, Counter[int]] = defaultdict(Counter)
    for table in (votes, carried_votes):
        given = select(table.c.answer_id, table.c.guild_id, func.sum(table.c.value).label("sum"))
        given = given.join(answers, answers.c.id == table.c.answer_id)
        given = given.where(answers.c.thread_id.in_(thread_ids))
        rows = await connection.execute(given.group_by(table.c.answer_id, table.c.guild_id))
        for row in rows.all():
            sums[row.answer_id][row.guild_id] += int(row.sum)
    return defaultdict(tuple, {i: tuple(sorted(found.items())) for i, found in sums.items()})
