"""The answers that guilds accepted, in place of what the source of a thread accepts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, StoredAnswer
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


async def applied(
    connection: AsyncConnection, guild_id: int, by_thread: Mapping[int, tuple[StoredAnswer, ...]]
) -> dict[int, tuple[StoredAnswer, ...]]:
    """Return the answers of threads, by their ids, with those accepted that a guild accepted.

    Where the accepted one is gone, what the source accepts holds.
    """
    query = select(acceptances.c.thread_id, acceptances.c.answer_id)
    mine = (acceptances.c.guild_id == guild_id, acceptances.c.thread_id.in_(by_thread))
    applied = defaultdict(tuple, by_thread)
    for row in await connection.execute(query.where(*mine)):
        given = by_thread[row.thread_id]
        if any(answer.id == row.answer_id for answer in given):
            applied[row.thread_id] = tuple(_marked(answer, row.answer_id) for answer in given)
    return applied


def _marked(answer: StoredAnswer, accepted_id: int) -> StoredAnswer:
    """Return an answer as it is where the guild accepted one of its thread."""
    here = answer.id == accepted_id
    return replace(answer, accepted=here, accepted_here=here)


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Keep no longer that a member accepted answers; these stay accepted."""
    theirs = acceptances.c.user_id == user_id
    await connection.execute(update(acceptances).where(theirs).values(user_id=0))
