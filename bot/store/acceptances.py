"""The answers that guilds accepted, in place of what the source of a thread accepts."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED
from bot.store.tables import IN_FORCE, acceptances, answers, threads


async def accept(
    connection: AsyncConnection, guild_id: int, answer_id: int, user_id: int
) -> int | None:
    """Make an answer its thread's accepted one in a guild; return the id of the thread.

    ``None`` if the guild sees no such answer. Another that it had accepted is so no longer.
    """
    seen = (threads.c.scope.in_((SHARED, guild_id)), IN_FORCE, answers.c.retired.is_(False))
    query = select(threads.c.id).select_from(answers.join(threads))
    thread_id = await connection.scalar(query.where(answers.c.id == answer_id, *seen))
    if thread_id is None:
        return None
    before = (acceptances.c.guild_id == guild_id, acceptances.c.thread_id == thread_id)
    await connection.execute(delete(acceptances).where(*before))
    row = {"guild_id": guild_id, "thread_id": thread_id, "answer_id": answer_id}
    row |= {"user_id": user_id, "accepted_at": time.time_ns() // 1000}
    await connection.execute(insert(acceptances).values(row))
    return int(thread_id)


async def withdraw(connection: AsyncConnection, guild_id: int, answer_id: int) -> int | None:
    """Take a guild's acceptance of an answer back; return the id of its thread, if there was one.

    What the source accepts holds again.
    """
    mine = (acceptances.c.guild_id == guild_id, acceptances.c.answer_id == answer_id)
    thread_id = await connection.scalar(select(acceptances.c.thread_id).where(*mine))
    await connection.execute(delete(acceptances).where(*mine))
    return thread_id


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Keep no longer that a member accepted answers; these stay accepted."""
    theirs = acceptances.c.user_id == user_id
    await connection.execute(update(acceptances).where(theirs).values(user_id=0))


def accepted_by(guild_id: int | None) -> Any:
    """Return the SQL of the id of the answer that a guild accepted of an answer's thread.

    NULL where it accepted none, or one that has left its source.
    """
    accepted = answers.alias()
    mine = (acceptances.c.guild_id == guild_id, acceptances.c.thread_id == answers.c.thread_id)
    query = select(acceptances.c.answer_id).where(*mine, accepted.c.retired.is_(False))
    joined = query.join(accepted, accepted.c.id == acceptances.c.answer_id)
    return joined.correlate(answers).scalar_subquery().label("accepted_id")
