"""Making the reactions of one message what Discord shows, many members in a statement.

Every function runs inside the caller's transaction; a slice of members is small enough
that the transaction is short.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Posting, ReactionKind, Vote
from bot.store.tables import reactions, votes
from bot.store.votes import NEWEST_FIRST

_PORTION = 500
"""Rows that are made objects of at a time."""


class Sign(NamedTuple):
    """One member's reaction on a message."""

    user_id: int
    value: Vote
    kind: ReactionKind = ReactionKind.NORMAL


async def standing(
    connection: AsyncConnection, posting: Posting, user_ids: Collection[int] | None = None
) -> AsyncIterator[list[Sign]]:
    """The reactions known to stand on a message, of all members or some, in portions."""
    query = select(reactions.c.user_id, reactions.c.value, reactions.c.kind)
    query = query.where(reactions.c.posting_id == posting.message_id, *_of(posting))
    if user_ids is not None:
        query = query.where(reactions.c.user_id.in_(user_ids))
    result = await connection.stream(query)
    async for rows in result.partitions(_PORTION):
        yield [Sign(row.user_id, Vote(row.value), ReactionKind(row.kind)) for row in rows]


async def newest(
    connection: AsyncConnection, posting: Posting, user_ids: Collection[int]
) -> Mapping[int, int]:
    """When each of these members gave their newest sign for the answer (µs)."""
    query = select(reactions.c.user_id, func.max(reactions.c.given_at).label("at"))
    query = query.where(*_of(posting), reactions.c.user_id.in_(user_ids))
    rows = (await connection.execute(query.group_by(reactions.c.user_id))).all()
    return {row.user_id: int(row.at) for row in rows}


async def take(connection: AsyncConnection, posting: Posting, gone: Sequence[Sign]) -> None:
    """Delete reactions of the message; ``settle`` must follow."""
    if not gone:
        return
    this = delete(reactions).where(
        *_of(posting),
        reactions.c.posting_id == posting.message_id,
        reactions.c.user_id == bindparam("user"),
        reactions.c.value == bindparam("sign"),
        reactions.c.kind == bindparam("sort"),
    )
    rows = [{"user": s.user_id, "sign": int(s.value), "sort": int(s.kind)} for s in gone]
    await connection.execute(this, rows)


async def give(
    connection: AsyncConnection, posting: Posting, new: Sequence[tuple[Sign, int]]
) -> None:
    """Add reactions of the message, each with its time (µs); ``settle`` must follow."""
    if not new:
        return
    here = {"answer_id": posting.answer_id, "guild_id": posting.guild_id}
    here |= {"posting_id": posting.message_id}
    rows = [
        here
        | {"user_id": s.user_id, "value": int(s.value), "kind": int(s.kind), "given_at": given_at}
        for s, given_at in new
    ]
    await connection.execute(insert(reactions), rows)


async def settle(connection: AsyncConnection, posting: Posting, user_ids: Collection[int]) -> None:
    """Make the votes of these members on the answer what their newest standing signs say."""
    rank = func.row_number().over(partition_by=reactions.c.user_id, order_by=NEWEST_FIRST)
    names = ("answer_id", "guild_id", "user_id", "value", "posting_id")
    ranked = select(*(reactions.c[name] for name in names), rank.label("rank"))
    ranked_here = ranked.where(*_of(posting), reactions.c.user_id.in_(user_ids)).subquery()
    first = select(*(ranked_here.c[name] for name in names)).where(ranked_here.c.rank == 1)
    old = (votes.c.answer_id == posting.answer_id, votes.c.guild_id == posting.guild_id)
    await connection.execute(delete(votes).where(*old, votes.c.user_id.in_(user_ids)))
    await connection.execute(insert(votes).from_select(names, first))


def _of(posting: Posting) -> tuple[ColumnElement[bool], ...]:
    return (
        reactions.c.answer_id == posting.answer_id,
        reactions.c.guild_id == posting.guild_id,
    )
