"""Learned phrasings: questions in which a guild's members asked for a thread.

They belong to one guild and are read only for it. What is worth learning is decided by
``services/learning.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, case, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import LearnedPhrasing
from bot.store.rows import from_micros, row_batches, to_micros
from bot.store.tables import IN_FORCE, threads
from bot.store.tables import learned_phrasings as learned


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPhrasing:
    """A phrasing to be added: the question of a posting, for the thread that it shows.

    ``wording`` is the same for texts in the same words; ``chosen`` says that the asker
    chose the thread in a menu, rather than voted for its answer.
    """

    guild_id: int
    thread_id: int
    text: str
    wording: str
    user_id: int
    message_id: int
    chosen: bool


async def add(connection: AsyncConnection, phrasing: NewPhrasing, cap: int) -> int | None:
    """Add a phrasing and return its id; ``None`` if the thread has the wording here already.

    A thread keeps ``cap`` phrasings in a guild. Of more, the member with the most loses their
    oldest: so a member can push out phrasings only of members who have more than they.
    ``None`` is returned as well if that is the new phrasing itself.
    """
    row = asdict(phrasing) | {"learned_at": to_micros(datetime.now(UTC))}
    try:
        async with connection.begin_nested():  # or a refusal would spoil the transaction
            await connection.execute(insert(learned).values(row))
    except IntegrityError:
        return None
    mine = (learned.c.guild_id == phrasing.guild_id, learned.c.thread_id == phrasing.thread_id)
    oldest_first = select(learned.c.id, learned.c.user_id).where(*mine).order_by(learned.c.id)
    kept = [(row.id, row.user_id) for row in (await connection.execute(oldest_first)).all()]
    added = int(kept[-1][0])  # ids only grow
    surplus = _surplus(kept, phrasing.user_id, cap)
    await connection.execute(delete(learned).where(learned.c.id.in_(surplus)))
    return None if added in surplus else added


def _surplus(kept: Sequence[tuple[int, int]], newcomer: int, cap: int) -> list[int]:
    """Return the ids to delete, of pairs (id, member) from the oldest to the newest.

    Of members with the same number of phrasings, the newcomer loses one.
    """
    left, gone = list(kept), list[int]()
    while len(left) > cap:
        counts = Counter(user_id for _, user_id in left)
        most = max(counts, key=lambda user_id: (counts[user_id], user_id == newcomer))
        oldest = next(pair for pair in left if pair[1] == most)
        left.remove(oldest)
        gone.append(oldest[0])
    return gone


async def take_back(
    connection: AsyncConnection, guild_id: int, thread_id: int, message_id: int, wording: str | None
) -> int:
    """Delete what was learned from a posting and, if given, the wording; return how many."""
    same = [learned.c.message_id == message_id]
    if wording is not None:
        same.append(learned.c.wording == wording)
    there = (learned.c.guild_id == guild_id, learned.c.thread_id == thread_id, or_(*same))
    return int((await connection.execute(delete(learned).where(*there))).rowcount)


async def withdraw(connection: AsyncConnection, message_id: int) -> int:
    """Delete what was learned from votes on a posting, not from choices; return how many."""
    voted = (learned.c.message_id == message_id, learned.c.chosen.is_(False))
    return int((await connection.execute(delete(learned).where(*voted))).rowcount)


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[LearnedPhrasing]:
    """Return a guild's phrasings of threads that it can see, newest first."""
    return await _found(connection, _of_guild(guild_id))


async def saying(
    connection: AsyncConnection, guild_id: int, parts: Sequence[str]
) -> list[LearnedPhrasing]:
    """Return a guild's phrasings in whose wording all of the parts occur, newest first."""
    conditions = [learned.c.wording.contains(part, autoescape=True) for part in parts]
    return await _found(connection, _of_guild(guild_id).where(*conditions))


async def version(
    connection: AsyncConnection, guild_id: int, model: str | None = None
) -> tuple[int, int, int]:
    """Return three numbers that change with a guild's phrasings.

    The highest id, which every addition raises, since ids are never given again; how many
    there are; how many have a vector of ``model``.
    """
    of_model = func.count(case((learned.c.model == model, 1)))
    query = select(func.coalesce(func.max(learned.c.id), 0), func.count(), of_model)
    query = query.select_from(learned.join(threads)).where(IN_FORCE)
    row = (await connection.execute(query.where(learned.c.guild_id == guild_id))).one()
    return int(row[0]), int(row[1]), int(row[2])


async def remove(connection: AsyncConnection, guild_id: int, phrasing_id: int) -> str | None:
    """Delete a phrasing of a guild and return its text; ``None`` if there is no such one."""
    this = (learned.c.id == phrasing_id, learned.c.guild_id == guild_id)
    text = await connection.scalar(select(learned.c.text).where(*this))
    await connection.execute(delete(learned).where(*this))
    return text


async def forget_user(connection: AsyncConnection, user_id: int) -> int:
    """Delete a member's phrasings in every guild; return how many."""
    return int(
        (await connection.execute(delete(learned).where(learned.c.user_id == user_id))).rowcount
    )


def _of_guild(guild_id: int) -> Select[Any]:
    own = [column for column in learned.c if column.name not in ("wording", "chosen")]
    return (
        select(*own, threads.c.key, threads.c.title)
        .join(threads, threads.c.id == learned.c.thread_id)
        .where(learned.c.guild_id == guild_id, IN_FORCE)
        .order_by(learned.c.id.desc())
    )


async def _found(connection: AsyncConnection, query: Select[Any]) -> list[LearnedPhrasing]:
    return [
        LearnedPhrasing(**row._asdict() | {"learned_at": from_micros(row.learned_at)})
        async for batch in row_batches(connection, query)
        for row in batch
    ]
