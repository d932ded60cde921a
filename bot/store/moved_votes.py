"""What members gave to an answer, moved to another that takes its place in their guild.

A member's vote stays their newest reaction or press, on whichever of the two it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import votes as vote_store
from bot.store.tables import (
    acceptances,
    answers,
    carried_votes,
    learned_phrasings,
    postings,
    reactions,
    votes,
)
from bot.store.votes import VotePlace
from bot.store.write_locks import lock_votes


async def move(
    connection: AsyncConnection, guild_id: int, pairs: Sequence[tuple[int, int]]
) -> None:
    """Move a guild's votes, postings and acceptances of answers to others: (from, to)."""
    if pairs:
        await lock_votes(connection)
    for old, new in pairs:
        await _move_reactions(connection, guild_id, old, new)
        await _move_carried(connection, guild_id, old, new)
        await _move_rest(connection, guild_id, old, new)


async def move_phrasings(connection: AsyncConnection, guild_id: int, old: int, new: int) -> None:
    """Move a guild's learned phrasings of a thread to another that means the same."""
    p, there = learned_phrasings.c, learned_phrasings.alias()
    mine = (p.guild_id == guild_id, p.thread_id == old)
    same = and_(
        there.c.guild_id == p.guild_id,
        there.c.thread_id == new,
        there.c.wording == p.wording,
        there.c.user_id == p.user_id,
    )
    known = exists(select(1).where(same).correlate(learned_phrasings))
    await connection.execute(delete(learned_phrasings).where(*mine, known))
    await connection.execute(update(learned_phrasings).where(*mine).values(thread_id=new))


async def _move_reactions(connection: AsyncConnection, guild_id: int, old: int, new: int) -> None:
    r, other = reactions.c, reactions.alias()
    same = and_(
        other.c.guild_id == r.guild_id,
        other.c.user_id == r.user_id,
        other.c.posting_id == r.posting_id,
        other.c.value == r.value,
        other.c.kind == r.kind,
    )

    async def drop_older(of: int, for_: int, *, or_equal: bool) -> None:
        later = other.c.given_at >= r.given_at if or_equal else other.c.given_at > r.given_at
        there = select(1).where(same, other.c.answer_id == for_, later).correlate(reactions)
        mine = (r.answer_id == of, r.guild_id == guild_id)
        await connection.execute(delete(reactions).where(*mine, exists(there)))

    await drop_older(old, new, or_equal=True)
    await drop_older(new, old, or_equal=False)
    moved = (r.answer_id == old, r.guild_id == guild_id)
    query = select(r.user_id).where(*moved).distinct()
    members = list((await connection.scalars(query)).all())
    await connection.execute(update(reactions).where(*moved).values(answer_id=new))
    gone = (votes.c.answer_id == old, votes.c.guild_id == guild_id)
    await connection.execute(delete(votes).where(*gone))
    if members:
        await vote_store.update(connection, VotePlace(new, guild_id), members)


async def _move_carried(connection: AsyncConnection, guild_id: int, old: int, new: int) -> None:
    c = carried_votes.c
    both = (c.guild_id == guild_id, c.answer_id.in_((old, new)))
    total = await connection.scalar(select(func.sum(c.value)).where(*both))
    if total is not None:
        await connection.execute(delete(carried_votes).where(*both))
        row = {"answer_id": new, "guild_id": guild_id, "value": int(total)}
        await connection.execute(insert(carried_votes).values(row))


async def _move_rest(connection: AsyncConnection, guild_id: int, old: int, new: int) -> None:
    """Move postings, and acceptance unless the other thread has one of its own."""
    thread_id = await connection.scalar(select(answers.c.thread_id).where(answers.c.id == new))
    values = {"answer_id": new, "thread_id": thread_id}
    shown = (postings.c.answer_id == old, postings.c.guild_id == guild_id)
    await connection.execute(update(postings).where(*shown).values(values))
    a = acceptances.c
    mine = (a.guild_id == guild_id, a.thread_id == thread_id)
    accepted = (a.guild_id == guild_id, a.answer_id == old)
    if await connection.scalar(select(a.answer_id).where(*mine, a.answer_id != old)) is None:
        await connection.execute(update(acceptances).where(*accepted).values(values))
    else:
        await connection.execute(delete(acceptances).where(*accepted))
