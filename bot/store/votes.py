"""Votes, and the reactions on messages that they follow from.

A member's vote on an answer in a guild is the newest of their reactions that
still stand on any message showing it, or of their button presses. Every function
here runs inside the caller's transaction and leaves ``votes`` true to ``reactions``.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, ReactionKind, Vote
from bot.store import imported_votes
from bot.store.tables import answers, postings, reactions, threads, votes
from bot.store.threads import IN_FORCE


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one vote is about and whose it is: there is one vote for each ballot."""

    answer_id: int
    guild_id: int
    user_id: int


BUTTON = 0
"""The posting id of a vote given by a button instead of a reaction."""

NEWEST_FIRST = (
    reactions.c.given_at.desc(),
    reactions.c.posting_id.desc(),
    reactions.c.value.desc(),
)
"""The order of a member's signs: the first that stands is their vote."""


async def give(
    connection: AsyncConnection,
    ballot: Ballot,
    posting_id: int,
    value: Vote,
    *,
    kind: ReactionKind = ReactionKind.NORMAL,
    at: int | None = None,
) -> None:
    """Note a sign of the member: given just now, so that it becomes their vote, or at ``at``.

    ``at`` is in Unix microseconds; where the member gave others since, those count.
    """
    here = _signs(ballot)
    newest = await connection.scalar(select(func.max(reactions.c.given_at)).where(*here))
    if newest is not None:
        await connection.execute(delete(reactions).where(*here, *_sign(posting_id, value, kind)))
    # A clock that stands still or goes back must not reorder a member's signs.
    given_at = max(time.time_ns() // 1000, (newest or 0) + 1) if at is None else at
    row = {**asdict(ballot), "posting_id": posting_id, "value": int(value)}
    row |= {"kind": int(kind), "given_at": given_at}
    await connection.execute(insert(reactions).values(row))
    await _settle(connection, ballot)


async def take(
    connection: AsyncConnection,
    ballot: Ballot,
    posting_id: int,
    value: Vote,
    *,
    kind: ReactionKind = ReactionKind.NORMAL,
) -> bool:
    """Take one sign away; what stands of the member's others decides. False if unknown."""
    this = _sign(posting_id, value, kind)
    gone = await connection.execute(delete(reactions).where(*_signs(ballot), *this))
    if gone.rowcount:
        await _settle(connection, ballot)
    return bool(gone.rowcount)


async def in_force(connection: AsyncConnection, ballot: Ballot) -> Vote | None:
    """The member's vote on the answer, if they have one."""
    value = await connection.scalar(select(votes.c.value).where(*_vote(ballot)))
    return None if value is None else Vote(value)


async def any_down(connection: AsyncConnection, posting_id: int) -> bool:
    """Whether anybody's vote is a reaction on this message, and against its answer."""
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
    """Score plus this guild's votes, for each of the answers that the guild sees.

    Those are the answers of threads in force, in the shared library or the guild's own.
    """
    query = select(answers.c.id, answers.c.score, imported_votes.votes_of(guild_id))
    seen = (threads.c.scope.in_((SHARED, guild_id)), IN_FORCE)
    query = query.select_from(answers.join(threads)).where(answers.c.id.in_(answer_ids), *seen)
    # Added up here: the sum of a score of 64 bits and a vote may need one more.
    return {row.id: row.score + int(row.votes) for row in (await connection.execute(query)).all()}


async def take_back_presses(connection: AsyncConnection, ballot: Ballot) -> None:
    """Forget the member's button presses on an answer; reactions that stand remain."""
    await connection.execute(
        delete(reactions).where(*_signs(ballot), reactions.c.posting_id == BUTTON)
    )
    await _settle(connection, ballot)


async def forget_user(connection: AsyncConnection, user_id: int) -> int:
    """Delete all that is kept about a member; returns how many votes that were."""
    gone = await connection.execute(delete(votes).where(votes.c.user_id == user_id))
    await connection.execute(delete(reactions).where(reactions.c.user_id == user_id))
    asked = postings.update().where(postings.c.asker_id == user_id).values(asker_id=0)
    await connection.execute(asked)
    return int(gone.rowcount)


async def _settle(connection: AsyncConnection, ballot: Ballot) -> None:
    """Make the member's vote what their newest standing sign says."""
    newest = (
        select(reactions.c.value, reactions.c.posting_id)
        .where(*_signs(ballot))
        .order_by(*NEWEST_FIRST)
        .limit(1)
    )
    sign = (await connection.execute(newest)).first()
    await connection.execute(delete(votes).where(*_vote(ballot)))
    if sign is not None:
        row = {
            **asdict(ballot),
            "value": sign.value,
            "posting_id": sign.posting_id,
        }
        await connection.execute(insert(votes).values(row))


def _sign(posting_id: int, value: Vote, kind: ReactionKind) -> tuple[ColumnElement[bool], ...]:
    return (
        reactions.c.posting_id == posting_id,
        reactions.c.value == int(value),
        reactions.c.kind == int(kind),
    )


def _signs(ballot: Ballot) -> tuple[ColumnElement[bool], ...]:
    return (
        reactions.c.answer_id == ballot.answer_id,
        reactions.c.guild_id == ballot.guild_id,
        reactions.c.user_id == ballot.user_id,
    )


def _vote(ballot: Ballot) -> tuple[ColumnElement[bool], ...]:
    return (
        votes.c.answer_id == ballot.answer_id,
        votes.c.guild_id == ballot.guild_id,
        votes.c.user_id == ballot.user_id,
    )
