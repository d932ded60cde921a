"""Votes and acceptances of guilds as exports carry them: votes as sums, without who gave them.

Who voted or accepted is not in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, StoredThread, Thread
from bot.store import own_threads, votes
from bot.store.rows import ANSWER, EPOCH, Accepted, Tallies, ThreadRows, from_micros, to_micros
from bot.store.tables import acceptances, answers, carried_votes, threads

_BODY = ANSWER.index("body")


@dataclass
class Carried:
    """Votes and acceptances of guilds, by the answers' ids."""

    tallies: dict[int, Tallies] = field(default_factory=dict)
    accepted_in: dict[int, Accepted] = field(default_factory=dict)

    def on(self, thread: StoredThread) -> Thread:
        """Return a thread with what guilds said of its answers; sums that are 0 say nothing."""
        given = tuple(
            replace(
                answer,
                tallies=tuple(pair for pair in self.tallies.get(answer.id, ()) if pair[1]),
                accepted_in=self.accepted_in.get(answer.id, ()),
            )
            for answer in thread.answers
        )
        return replace(thread, answers=given)


async def of_threads(connection: AsyncConnection, thread_ids: Sequence[int], scope: int) -> Carried:
    """Return what guilds said of the answers of some threads of a scope.

    Of a guild's own threads, that is what this guild said.
    """
    a = acceptances.c
    tallies = await votes.tallies_by_guild(connection, thread_ids)
    query = select(a.answer_id, a.guild_id, a.accepted_at).where(a.thread_id.in_(thread_ids))
    accepted: dict[int, list[Any]] = defaultdict(list)
    for row in (await connection.execute(query.order_by(a.guild_id))).all():
        if scope in (SHARED, row.guild_id):
            when = from_micros(row.accepted_at) or EPOCH
            accepted[row.answer_id].append((row.guild_id, when))
    return Carried(
        {i: tuple(t for t in sums if scope in (SHARED, t[0])) for i, sums in tallies.items()},
        {i: tuple(pairs) for i, pairs in accepted.items()},
    )


async def keep(connection: AsyncConnection, scope: int, batch: Sequence[ThreadRows]) -> None:
    """Keep what came with threads, which are in the library already.

    Votes are sums of a guild's, and count beside its members' own. An answer that has votes in a
    guild, of its own or imported, keeps those it has, and a thread of which a guild accepted an
    answer keeps that; so importing one's own export again changes nothing. The same holds where a
    guild is shown a version of its own, which has what it said. Into a guild's own library comes
    what it said itself only: other guilds don't see it.
    """
    brought = {packed.key: packed for packed in batch}
    there = (threads.c.scope == scope, threads.c.key.in_(brought), answers.c.retired.is_(False))
    query = select(answers.c.id, answers.c.position, answers.c.body, threads.c.key)
    query = query.add_columns(threads.c.id.label("thread")).select_from(answers.join(threads))
    rows = [
        (row, brought[row.key])
        for row in (await connection.execute(query.where(*there))).all()
        if _is_same(row, brought[row.key])  # of a thread that helpers changed, some are not
    ]
    thread_ids = sorted({row.thread for row, _ in rows})
    elsewhere = await _shown_as_versions(connection, thread_ids)
    await _take_votes(connection, scope, rows, thread_ids, elsewhere)
    await _take_acceptances(connection, scope, rows, thread_ids, elsewhere)


async def _shown_as_versions(
    connection: AsyncConnection, thread_ids: Sequence[int]
) -> set[tuple[int, int]]:
    """Return shared threads and guilds that are shown versions of their own: (thread, guild)."""
    t, found = threads.c, set[tuple[int, int]]()
    query = select(t.overrides, t.scope).where(t.overrides.in_(thread_ids)).distinct()
    for shared_id, guild_id in (await connection.execute(query)).all():
        if await own_threads.shown_id(connection, guild_id, shared_id) != shared_id:
            found.add((shared_id, guild_id))
    return found


def _is_same(row: Any, packed: ThreadRows) -> bool:
    at: int = row.position
    return at < len(packed.answers) and bool(packed.answers[at][_BODY] == row.body)


_Rows = Sequence[tuple[Any, ThreadRows]]
"""Answers of the library, each with the thread that was brought."""


async def _take_votes(
    connection: AsyncConnection,
    scope: int,
    rows: _Rows,
    thread_ids: Sequence[int],
    elsewhere: set[tuple[int, int]],
) -> None:
    known = await votes.tallies_by_guild(connection, thread_ids)
    new = list[dict[str, Any]]()
    for row, packed in rows:
        there = {guild_id for guild_id, _ in known.get(row.id, ())}
        for guild_id, value in _of_guilds(scope, packed.tallies, row.position):
            if value and guild_id not in there and (row.thread, guild_id) not in elsewhere:
                new.append({"answer_id": row.id, "guild_id": guild_id, "value": value})
    if new:
        await connection.execute(insert(carried_votes), new)


async def _take_acceptances(
    connection: AsyncConnection,
    scope: int,
    rows: _Rows,
    thread_ids: Sequence[int],
    elsewhere: set[tuple[int, int]],
) -> None:
    a = acceptances.c
    query = select(a.thread_id, a.guild_id).where(a.thread_id.in_(thread_ids))
    known = (await connection.execute(query)).all()
    there = elsewhere | {(row.thread_id, row.guild_id) for row in known}
    new = list[dict[str, Any]]()
    for row, packed in rows:
        for guild_id, when in _of_guilds(scope, packed.accepted_in, row.position):
            if (row.thread, guild_id) not in there:
                there.add((row.thread, guild_id))
                one = {"guild_id": guild_id, "thread_id": row.thread, "answer_id": row.id}
                new.append(one | {"user_id": 0, "accepted_at": to_micros(when)})
    if new:
        await connection.execute(insert(acceptances), new)


def _of_guilds(scope: int, brought: Sequence[Any], at: int) -> Iterator[Any]:
    """Yield what an answer brought, as far as the scope takes it."""
    for pair in brought[at] if brought else ():
        if scope in (SHARED, pair[0]):
            yield pair
