"""Votes, and the reactions on messages that they follow from.

A member's vote on an answer in a guild is the newest of their reactions that still stand on
any message showing it, or of their button presses. Every function here runs inside the
caller's transaction. ``add`` and ``remove`` change reactions only, of many members in one
statement: ``update`` must follow. ``give`` and ``withdraw`` do both for one reaction.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, Posting, Reaction, ReactionKind, Vote
from bot.store import acceptances, following
from bot.store.portable_sql import greatest, upsert
from bot.store.rows import Tallies
from bot.store.tables import IN_FORCE, answers, carried_votes, postings, reactions, threads, votes
from bot.store.write_locks import lock_votes

BUTTON = 0
"""The posting id of a vote given by a button instead of a reaction."""

_PORTION = 500
"""Rows that are made objects of at a time, so that the event loop has a turn in between."""

_VOTE = ("answer_id", "guild_id", "user_id", "value", "posting_id")
"""The columns of a vote, which are those of the reaction or press that it follows from."""

_NEWEST_FIRST = (
    reactions.c.given_at.desc(),
    reactions.c.posting_id.desc(),
    reactions.c.value.desc(),
)
"""The order of a member's reactions: the first that stands is their vote."""


_THEIRS = reactions.alias()
_BEFORE = (
    select(func.coalesce(func.max(_THEIRS.c.given_at), 0) + 1)
    .where(*(_THEIRS.c[name] == bindparam(name) for name in ("answer_id", "guild_id", "user_id")))
    .scalar_subquery()
)
_LAST = greatest(bindparam("now", type_=BigInteger()), _BEFORE)
"""When a reaction is given that comes now, in Unix µs: after all others of its member, also where
the clock stands still or goes back."""


class VotePlace(NamedTuple):
    """The place of a vote: a message that shows an answer in a guild, or a button."""

    answer_id: int
    guild_id: int
    posting_id: int = BUTTON

    @classmethod
    def of(cls, posting: Posting) -> VotePlace:
        """Return the place that a posting is."""
        return cls(posting.answer_id, posting.guild_id, posting.message_id)


async def give(
    connection: AsyncConnection, place: VotePlace, reaction: Reaction, at: int | None = None
) -> None:
    """Note a reaction as given just now, so that it becomes the member's vote, or at ``at``.

    ``at`` is in Unix microseconds; where the member gave others since, those count.
    """
    if at is not None:
        await remove(connection, place, [reaction])
        await add(connection, place, [(reaction, at)])
        await update(connection, place, [reaction.user_id])
        return
    row = place._asdict() | reaction._asdict() | {"now": time.time_ns() // 1000}
    for statement in _give_now(connection.dialect.name):
        await connection.execute(statement, row)


@cache
def _give_now(dialect: str) -> Sequence[Insert]:
    """Return what writes a reaction that comes now, and the vote that follows from it."""
    reaction = upsert(dialect, reactions, (*_VOTE, "kind"), given_at=_LAST)
    vote = upsert(dialect, votes, _VOTE)
    if dialect == "postgresql":  # the way to a server and back takes longer than either
        return [vote.add_cte(reaction.cte("given"))]
    return [reaction, vote]


async def withdraw(connection: AsyncConnection, place: VotePlace, *gone: Reaction) -> bool:
    """Take a member's reactions away; what stands of their others decides. False if unknown."""
    removed = await remove(connection, place, gone)
    if removed:
        await update(connection, place, [gone[0].user_id])
    return removed > 0


async def add(
    connection: AsyncConnection, place: VotePlace, new: Sequence[tuple[Reaction, int]]
) -> None:
    """Insert reactions, each with the time when it was given (Unix µs)."""
    if new:
        rows = [
            {**place._asdict(), **reaction._asdict(), "given_at": given_at}
            for reaction, given_at in new
        ]
        await connection.execute(insert(reactions), rows)


async def remove(connection: AsyncConnection, place: VotePlace, gone: Sequence[Reaction]) -> int:
    """Delete reactions; return how many were there."""
    if not gone:
        return 0
    these = delete(reactions).where(
        *_about(place, reactions),
        reactions.c.posting_id == place.posting_id,
        reactions.c.user_id == bindparam("member"),
        reactions.c.value == bindparam("sign"),
        reactions.c.kind == bindparam("sort"),
    )
    rows = [{"member": r.user_id, "sign": int(r.value), "sort": int(r.kind)} for r in gone]
    return int((await connection.execute(these, rows)).rowcount)


async def update(connection: AsyncConnection, place: VotePlace, user_ids: Collection[int]) -> None:
    """Make the votes of these members on the answer what their newest reactions say."""
    rank = func.row_number().over(partition_by=reactions.c.user_id, order_by=_NEWEST_FIRST)
    ranked = select(*(reactions.c[name] for name in _VOTE), rank.label("rank"))
    ranked_here = ranked.where(
        *_about(place, reactions), reactions.c.user_id.in_(user_ids)
    ).subquery()
    first = select(*(ranked_here.c[name] for name in _VOTE)).where(ranked_here.c.rank == 1)
    old = (*_about(place, votes), votes.c.user_id.in_(user_ids))
    await connection.execute(delete(votes).where(*old))
    await connection.execute(insert(votes).from_select(_VOTE, first))


async def standing(connection: AsyncConnection, place: VotePlace) -> AsyncIterator[list[Reaction]]:
    """Yield the reactions known to stand on a message, in portions."""
    query = select(reactions.c.user_id, reactions.c.value, reactions.c.kind)
    query = query.where(*_about(place, reactions), reactions.c.posting_id == place.posting_id)
    result = await connection.stream(query)
    async for rows in result.partitions(_PORTION):
        yield [Reaction(row.user_id, Vote(row.value), ReactionKind(row.kind)) for row in rows]


async def newest_times(
    connection: AsyncConnection, place: VotePlace, user_ids: Collection[int]
) -> Mapping[int, int]:
    """Return when each of these members gave their newest reaction for the answer (Unix µs)."""
    query = select(reactions.c.user_id, func.max(reactions.c.given_at).label("at"))
    query = query.where(*_about(place, reactions), reactions.c.user_id.in_(user_ids))
    rows = (await connection.execute(query.group_by(reactions.c.user_id))).all()
    return {row.user_id: int(row.at) for row in rows}


async def in_force(connection: AsyncConnection, place: VotePlace, user_id: int) -> Vote | None:
    """Return the member's vote on the answer, if they have one."""
    query = select(votes.c.value).where(*_about(place, votes), votes.c.user_id == user_id)
    value = await connection.scalar(query)
    return None if value is None else Vote(value)


async def any_down(connection: AsyncConnection, posting_id: int) -> bool:
    """Return whether anybody's vote is a reaction on this message, and against its answer."""
    query = select(votes.c.user_id).join(
        reactions,
        and_(
            reactions.c.answer_id == votes.c.answer_id,
            reactions.c.guild_id == votes.c.guild_id,
            reactions.c.user_id == votes.c.user_id,
            reactions.c.posting_id == votes.c.posting_id,
        ),
    )
    down = (reactions.c.posting_id == posting_id, votes.c.value == int(Vote.DOWN))
    return (await connection.execute(query.where(*down).limit(1))).first() is not None


async def tallies(
    connection: AsyncConnection, answer_ids: Collection[int], guild_id: int
) -> Mapping[int, int]:
    """Return the score plus this guild's votes, for each of the answers that the guild sees.

    Those are the answers in force of threads in force, in the shared library or the guild's own.
    """
    query = select(answers.c.id, answers.c.score, votes_of(guild_id))
    seen = (threads.c.scope.in_((SHARED, guild_id)), IN_FORCE, answers.c.retired.is_(False))
    query = query.select_from(answers.join(threads)).where(answers.c.id.in_(answer_ids), *seen)
    # Added up here: the sum of a score of 64 bits and a vote may need one more.
    return {row.id: row.score + int(row.votes) for row in (await connection.execute(query)).all()}


async def forget_user(connection: AsyncConnection, user_id: int) -> int:
    """Delete all that is kept about a member; return how many votes that were."""
    await lock_votes(connection)
    gone = await connection.execute(delete(votes).where(votes.c.user_id == user_id))
    await connection.execute(delete(reactions).where(reactions.c.user_id == user_id))
    asked = postings.update().where(postings.c.asker_id == user_id).values(asker_id=0)
    await connection.execute(asked)
    await acceptances.forget_user(connection, user_id)
    await following.forget_user(connection, user_id)
    return int(gone.rowcount)


def _about(place: VotePlace, table: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that a row is about the place's answer in its guild."""
    return table.c.answer_id == place.answer_id, table.c.guild_id == place.guild_id


def votes_of(guild_id: int | None) -> Any:
    """Return the SQL of an answer's sum of all votes that count in one guild."""

    def total(table: Table) -> Any:
        mine = (table.c.answer_id == answers.c.id, table.c.guild_id == guild_id)
        query = select(func.coalesce(func.sum(table.c.value), 0)).where(*mine)
        return query.correlate(answers).scalar_subquery()

    return (total(votes) + total(carried_votes)).label("votes")


async def votes_on(
    connection: AsyncConnection, thread_ids: Sequence[int], guild_id: int
) -> list[tuple[str, int]]:
    """Return a guild's votes on answers of threads, as the texts of these and the sums.

    Only of threads in force that the guild may see. A text may come twice.
    """
    seen = (threads.c.id.in_(thread_ids), threads.c.scope.in_((SHARED, guild_id)), IN_FORCE)

    def given(table: Table) -> Any:
        of_guild = and_(table.c.answer_id == answers.c.id, table.c.guild_id == guild_id)
        query = select(answers.c.body, func.sum(table.c.value).label("votes"))
        query = query.select_from(answers.join(threads).join(table, of_guild))
        return query.where(*seen, answers.c.retired.is_(False)).group_by(answers.c.body)

    rows = await connection.execute(given(votes).union_all(given(carried_votes)))
    return [(row.body, int(row.votes)) for row in rows]


async def tallies_by_guild(
    connection: AsyncConnection, thread_ids: Sequence[int]
) -> dict[int, Tallies]:
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
