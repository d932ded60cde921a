"""Votes, cards, acceptances and phrasings, moved to what takes an answer's or thread's place.

A member's vote stays their newest reaction or press, on whichever of the two answers it was. Where
two answers become one by merging, reactions and postings note the answers that they were moved
from (``moved_from``), so that undoing it gives them back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Table, and_, delete, exists, func, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import votes as vote_store
from bot.store.rows import id_batches
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
    connection: AsyncConnection,
    guild_id: int,
    pairs: Sequence[tuple[int, int]],
    *,
    merges: bool = False,
) -> None:
    """Move a guild's votes, postings and acceptances of answers to others: (from, to).

    With ``merges``, ``give_back`` can undo it for votes and postings.
    """
    if pairs:
        await lock_votes(connection)
    given = await _given_something(connection, guild_id, [old for old, _ in pairs])
    for old, new in (pair for pair in pairs if pair[0] in given):
        await _move_reactions(connection, guild_id, old, new, merges=merges)
        await _move_carried(connection, guild_id, old, new)
        await _move_postings_and_acceptance(connection, guild_id, old, new, merges=merges)


async def _given_something(
    connection: AsyncConnection, guild_id: int, answer_ids: Sequence[int]
) -> set[int]:
    """Return the answers of which a guild has anything: of a thousand, few were ever voted on."""
    found = set[int]()
    for ids in id_batches(answer_ids):
        for table in (reactions, votes, carried_votes, postings, acceptances):
            mine = (table.c.guild_id == guild_id, table.c.answer_id.in_(ids))
            found.update(await connection.scalars(select(table.c.answer_id).where(*mine)))
    return found


async def give_back(
    connection: AsyncConnection, guild_id: int, kept_id: int, answer_ids: Sequence[int | None]
) -> None:
    """Give answers back what was moved from them to those of a thread by merging.

    What was accepted or imported as a sum stays, and what members gave since, but for reactions:
    they go back with the card that they are on.
    """
    await lock_votes(connection)
    kept, overridden = answers.alias(), answers.alias()
    own = select(kept.c.id).where(kept.c.thread_id == kept_id)
    # Where that thread is a version that is out of force, its votes are on the shared answers.
    shared = select(overridden.c.overrides).where(overridden.c.thread_id == kept_id)
    there = select(answers.c.id).where(answers.c.id.in_(own) | answers.c.id.in_(shared))
    for answer_id in answer_ids:
        if answer_id is not None:
            await _give_back_reactions(connection, guild_id, there, answer_id)
            await _give_back_postings(connection, guild_id, there, answer_id)


async def _give_back_reactions(
    connection: AsyncConnection, guild_id: int, there: Select[tuple[int]], answer_id: int
) -> None:
    mine = (reactions.c.guild_id == guild_id, reactions.c.answer_id.in_(there))
    for came, values in _moved_rows(reactions, answer_id):
        await _put_back(connection, guild_id, (*mine, came), values)


async def _give_back_postings(
    connection: AsyncConnection, guild_id: int, there: Select[tuple[int]], answer_id: int
) -> None:
    """Give cards back, with the reactions on them that members gave since."""
    thread_id = select(answers.c.thread_id).where(answers.c.id == answer_id).scalar_subquery()
    mine = (postings.c.guild_id == guild_id, postings.c.answer_id.in_(there))
    for came, values in _moved_rows(postings, answer_id):
        # When a member takes a reaction away, it is looked up at the answer that its card shows.
        r = reactions.c
        cards = select(postings.c.message_id).where(*mine, came)
        since = (r.guild_id == guild_id, r.answer_id.in_(there), r.posting_id.in_(cards))
        await _put_back(connection, guild_id, since, {"answer_id": answer_id})
        values["thread_id"] = thread_id
        await connection.execute(update(postings).where(*mine, came).values(values))


def _moved_rows(table: Table, answer_id: int) -> list[tuple[Any, dict[str, Any]]]:
    """Return conditions of rows that were moved from an answer last, each with their values there.

    Where it was the only one, nothing is left of their way.
    """
    way, last = table.c.moved_from, f",{answer_id}"
    shorter = func.substr(way, 1, func.length(way) - len(last))
    return [
        (way == str(answer_id), {"answer_id": answer_id, "moved_from": null()}),
        (way.endswith(last), {"answer_id": answer_id, "moved_from": shorter}),
    ]


async def _put_back(
    connection: AsyncConnection, guild_id: int, which: Sequence[Any], values: dict[str, Any]
) -> None:
    """Put reactions back on an answer, and have the votes of both answers follow."""
    query = select(reactions.c.answer_id, reactions.c.user_id).where(*which).distinct()
    given = (await connection.execute(query)).all()
    await connection.execute(update(reactions).where(*which).values(values))
    members = defaultdict[int, set[int]](set)
    for row in given:
        for answer_id in (row.answer_id, values["answer_id"]):
            members[answer_id].add(row.user_id)
    for answer_id, user_ids in members.items():
        await vote_store.update(connection, VotePlace(answer_id, guild_id), user_ids)


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


async def _move_reactions(
    connection: AsyncConnection, guild_id: int, old: int, new: int, *, merges: bool
) -> None:
    """Move reactions; of two that are the same but for their answer, the newer one stays."""
    await _drop_older(connection, guild_id, old, new, or_equal=True)
    await _drop_older(connection, guild_id, new, old, or_equal=False)
    r = reactions.c
    moved = (r.answer_id == old, r.guild_id == guild_id)
    query = select(r.user_id).where(*moved).distinct()
    members = list((await connection.scalars(query)).all())
    values = {"answer_id": new} | (
        {"moved_from": _moved_from_with(reactions, old)} if merges else {}
    )
    await connection.execute(update(reactions).where(*moved).values(values))
    gone = (votes.c.answer_id == old, votes.c.guild_id == guild_id)
    await connection.execute(delete(votes).where(*gone))
    if members:
        await vote_store.update(connection, VotePlace(new, guild_id), members)


async def _drop_older(
    connection: AsyncConnection, guild_id: int, answer_id: int, other_id: int, *, or_equal: bool
) -> None:
    """Delete those reactions on an answer that another one has too, given later."""
    r, other = reactions.c, reactions.alias()
    same = and_(
        other.c.answer_id == other_id,
        other.c.guild_id == r.guild_id,
        other.c.user_id == r.user_id,
        other.c.posting_id == r.posting_id,
        other.c.value == r.value,
        other.c.kind == r.kind,
    )
    later = other.c.given_at >= r.given_at if or_equal else other.c.given_at > r.given_at
    mine = (r.answer_id == answer_id, r.guild_id == guild_id)
    there = select(1).where(same, later).correlate(reactions)
    await connection.execute(delete(reactions).where(*mine, exists(there)))


async def _move_carried(connection: AsyncConnection, guild_id: int, old: int, new: int) -> None:
    c = carried_votes.c
    both = (c.guild_id == guild_id, c.answer_id.in_((old, new)))
    total = await connection.scalar(select(func.sum(c.value)).where(*both))
    if total is not None:
        await connection.execute(delete(carried_votes).where(*both))
        row = {"answer_id": new, "guild_id": guild_id, "value": int(total)}
        await connection.execute(insert(carried_votes).values(row))


async def _move_postings_and_acceptance(
    connection: AsyncConnection, guild_id: int, old: int, new: int, *, merges: bool
) -> None:
    """Move postings, and acceptance unless the other thread has one of its own."""
    thread_id = await connection.scalar(select(answers.c.thread_id).where(answers.c.id == new))
    values = {"answer_id": new, "thread_id": thread_id}
    shown = (postings.c.answer_id == old, postings.c.guild_id == guild_id)
    more = {"moved_from": _moved_from_with(postings, old)} if merges else {}
    await connection.execute(update(postings).where(*shown).values(values | more))
    a = acceptances.c
    mine = (a.guild_id == guild_id, a.thread_id == thread_id)
    accepted = (a.guild_id == guild_id, a.answer_id == old)
    if await connection.scalar(select(a.answer_id).where(*mine, a.answer_id != old)) is None:
        await connection.execute(update(acceptances).where(*accepted).values(values))
    else:
        await connection.execute(delete(acceptances).where(*accepted))


def _moved_from_with(table: Table, answer_id: int) -> Any:
    """Return the SQL of a row's way with one more answer that it was moved from."""
    return func.coalesce(table.c.moved_from + ",", "") + str(answer_id)
