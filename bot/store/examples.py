"""Titles of threads that are worth asking for, as examples."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED
from bot.store.tables import IN_FORCE, answers, postings, threads

LOOKED_THROUGH = 1_000
"""Newest threads of a scope among which the best scored are looked for, whatever its size, and
latest postings of a guild among which the most asked are."""

LONGEST = 90
"""Characters of a title that reads well in a line."""


async def titles(connection: AsyncConnection, guild_id: int, count: int) -> list[str]:
    """Return titles of answered threads that a guild sees.

    First those that it asks most, then its own, then shared ones, the best scored first.
    """
    found = dict.fromkeys(await _most_asked(connection, guild_id, count))
    for scope in dict.fromkeys((guild_id, SHARED)):
        if len(found) < count:
            found |= dict.fromkeys(await _best_scored(connection, scope, count))
    return list(found)[:count]


async def _most_asked(connection: AsyncConnection, guild_id: int, count: int) -> list[str]:
    latest = (
        select(postings.c.thread_id)
        .where(postings.c.guild_id == guild_id)
        .order_by(postings.c.message_id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    asked = func.count()
    query = (
        select(threads.c.title)
        .join(latest, latest.c.thread_id == threads.c.id)
        .where(IN_FORCE, func.length(threads.c.title) <= LONGEST)
        .group_by(threads.c.id, threads.c.title)
        .having(asked > 1)
        .order_by(asked.desc(), threads.c.id)
        .limit(count)
    )
    return list(await connection.scalars(query))


async def _best_scored(connection: AsyncConnection, scope: int, count: int) -> list[str]:
    newest = (
        select(threads.c.id, threads.c.title)
        .where(threads.c.scope == scope, IN_FORCE, func.length(threads.c.title) <= LONGEST)
        .order_by(threads.c.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    score = func.max(answers.c.score)
    query = (
        select(newest.c.title)
        .join(answers, answers.c.thread_id == newest.c.id)
        .where(answers.c.retired.is_(False))
        .group_by(newest.c.id, newest.c.title)
        .order_by(score.desc(), newest.c.id)
        .limit(count)
    )
    return list(await connection.scalars(query))
