"""Learned phrasings: the words in which a guild's members asked a thread.

They belong to one guild and are read only for it. Nothing here decides what is
worth learning: that is the service's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, case, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import LearnedPhrasing
from bot.store.rows import from_micros, row_batches, to_micros
from bot.store.tables import learned_phrasings as learned
from bot.store.tables import threads
from bot.store.threads import IN_FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPhrasing:
    """What one posting taught: its question, for the thread that it shows.

    ``wording`` is what texts in the same words share; ``chosen`` says that the asker
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
    """Learn a phrasing and return its id; ``None`` if the thread has the wording here already.

    A thread keeps ``cap`` phrasings in a guild. Where there are more, the member who taught
    most of them loses their oldest: so nobody pushes out what others taught but who has more
    than themselves. ``None`` as well if that is the new phrasing itself.
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
    """Which phrasings must go, of pairs (id, member) from the oldest to the newest.

    Of members with the same number of phrasings it is the newcomer who loses one.
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
    """A posting was wrong: forget what it taught and, if it is known, the wording.

    Returns how many phrasings went.
    """
    same = [learned.c.message_id == message_id]
    if wording is not None:
        same.append(learned.c.wording == wording)
    there = (learned.c.guild_id == guild_id, learned.c.thread_id == thread_id, or_(*same))
    return int((await connection.execute(delete(learned).where(*there))).rowcount)


async def withdraw(connection: AsyncConnection, message_id: int) -> int:
    """Forget what a vote on a posting taught; what was chosen stays. Returns how many went."""
    voted = (learned.c.message_id == message_id, learned.c.chosen.is_(False))
    return int((await connection.execute(delete(learned).where(*voted))).rowcount)


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[LearnedPhrasing]:
    """All that a guild has learned of threads that it can see, newest first."""
    return await _found(connection, _of_guild(guild_id))


async def saying(
    connection: AsyncConnection, guild_id: int, parts: Sequence[str]
) -> list[LearnedPhrasing]:
    """Those of a guild's phrasings in whose wording all of the parts occur, newest first."""
    said = [learned.c.wording.contains(part, autoescape=True) for part in parts]
    return await _found(connection, _of_guild(guild_id).where(*said))


async def version(
    connection: AsyncConnection, guild_id: int, model: str | None = None
) -> tuple[int, int, int]:
    """Three numbers that stay the same as long as a guild learns and forgets nothing.

    Ids are never given again: whatever is added raises the first, and what only
    goes lowers the second. The third is how many have a vector of ``model``.
    """
    of_model = func.count(case((learned.c.model == model, 1)))
    query = select(func.coalesce(func.max(learned.c.id), 0), func.count(), of_model)
    query = query.select_from(learned.join(threads)).where(IN_FORCE)
    row = (await connection.execute(query.where(learned.c.guild_id == guild_id))).one()
    return int(row[0]), int(row[1]), int(row[2])


async def remove(connection: AsyncConnection, guild_id: int, phrasing_id: int) -> str | None:
    """Forget one phrasing of a guild and return its text; ``None`` if there is no such one."""
    this = (learned.c.id == phrasing_id, learned.c.guild_id == guild_id)
    text = await connection.scalar(select(learned.c.text).where(*this))
    await connection.execute(delete(learned).where(*this))
    return text


async def forget_user(connection: AsyncConnection, user_id: int) -> int:
    """Forget all that a member taught, in every guild; returns how many phrasings that were."""
    return int(
        (await connection.execute(delete(learned).where(learned.c.user_id == user_id))).rowcount
    )


def _of_guild(guild_id: int) -> Select[Any]:
    return (
        select(learned, threads.c.key, threads.c.title)
        .join(threads, threads.c.id == learned.c.thread_id)
        .where(learned.c.guild_id == guild_id, IN_FORCE)
        .order_by(learned.c.id.desc())
    )


async def _found(connection: AsyncConnection, query: Select[Any]) -> list[LearnedPhrasing]:
    return [_phrasing(row) async for part in row_batches(connection, query) for row in part]


def _phrasing(row: Row[Any]) -> LearnedPhrasing:
    return LearnedPhrasing(
        id=row.id,
        guild_id=row.guild_id,
        thread_id=row.thread_id,
        key=row.key,
        title=row.title,
        text=row.text,
        user_id=row.user_id,
        message_id=row.message_id,
        learned_at=from_micros(row.learned_at),
        model=row.model,
        vector=row.vector,
    )
