"""Counts, sizes and sources of the threads of a scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, StoredThread
from bot.store.tables import answers, learned_phrasings, phrasings, threads, votes
from bot.store.threads import IN_FORCE, ids_of, index_entries


@dataclass(frozen=True, slots=True)
class ScopeCounts:
    """The numbers of threads and answers of a scope."""

    threads: int
    answers: int
    accepted: int


@dataclass(frozen=True, slots=True)
class ScopeSize:
    """The number of some threads, of the characters of their text, and of their phrasings."""

    threads: int
    text: int
    phrasings: int

    def __add__(self, other: ScopeSize) -> ScopeSize:
        return ScopeSize(
            self.threads + other.threads, self.text + other.text, self.phrasings + other.phrasings
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A source of threads (``None``: unknown), with the first of them by id."""

    name: str | None
    scope: int
    threads: int
    first_id: int


async def scope_counts(connection: AsyncConnection, scope: int) -> ScopeCounts:
    """Count the threads and answers of a scope."""
    there = (threads.c.scope == scope, IN_FORCE)
    count = select(func.count()).select_from(threads).where(*there)
    accepted = func.count(case((answers.c.accepted.is_(True), 1)))
    said = select(func.count(), accepted).select_from(answers.join(threads))
    row = (await connection.execute(said.where(*there, answers.c.retired.is_(False)))).one()
    return ScopeCounts(await connection.scalar(count) or 0, int(row[0]), int(row[1]))


async def size_of(
    connection: AsyncConnection,
    scope: int,
    keys: Sequence[str] | None = None,
    source: str | None = None,
) -> ScopeSize:
    """Measure the threads of a scope, retired ones as well.

    With ``keys``, only those with one of them; with a ``source``, only those from there.
    """
    mine: tuple[ColumnElement[bool], ...] = (threads.c.scope == scope,)
    if keys is not None:
        mine += (threads.c.key.in_(keys),)
    if source is not None:
        mine += (threads.c.source == source,)
    asked = select(func.count(), func.coalesce(func.sum(func.length(threads.c.body)), 0))
    row = (await connection.execute(asked.where(*mine))).one()
    said = select(func.coalesce(func.sum(func.length(answers.c.body)), 0))
    text = await connection.scalar(said.select_from(answers.join(threads)).where(*mine))
    put = select(func.count()).select_from(phrasings.join(threads)).where(*mine)
    count = await connection.scalar(put)
    return ScopeSize(int(row[0]), int(row[1]) + int(text or 0), int(count or 0))


async def texts(
    connection: AsyncConnection, scope: int, after: int, limit: int, max_chars: int
) -> list[StoredThread]:
    """Return the next threads of a scope by id, retired ones as well, as they are indexed."""
    ids = await ids_of(connection, scope, after, limit, with_retired=True)
    entries = await index_entries(connection, ids, max_chars=max_chars, with_retired=True)
    return [*entries.values()]


async def sources(
    connection: AsyncConnection, scopes: Sequence[int], limit: int | None = None
) -> list[Source]:
    """Return the sources of some scopes, the largest first."""
    t = threads.c
    query = (
        select(t.source, t.scope, func.count().label("count"), func.min(t.id))
        .where(t.scope.in_(scopes), IN_FORCE)
        .group_by(t.scope, t.source)
        .order_by(func.count().desc(), t.source)
        .limit(limit)
    )
    return [Source(*row) for row in (await connection.execute(query)).all()]


async def own_id(connection: AsyncConnection, scope: int, name: str | int) -> int | None:
    """Return the id of a scope's thread with this id, or with this key or else this title."""
    t = threads.c
    wanted = (t.id == name,) if isinstance(name, int) else (t.key == name, t.title == name)
    for same in wanted:
        found = await _first(connection, t.scope == scope, same)
        if found is not None:
            return found
    return None


async def is_shared(connection: AsyncConnection, name: str | int) -> bool:
    """Return whether the shared library has a thread with this key, or this id."""
    same = threads.c.id == name if isinstance(name, int) else threads.c.key == name
    return await _first(connection, threads.c.scope == SHARED, same) is not None


async def votes_in(connection: AsyncConnection, guild_id: int) -> int:
    """Count the votes of a guild's members on threads in force."""
    query = select(func.count()).select_from(votes.join(answers).join(threads))
    return await connection.scalar(query.where(votes.c.guild_id == guild_id, IN_FORCE)) or 0


async def phrasings_in(connection: AsyncConnection, guild_id: int) -> int:
    """Count a guild's learned phrasings of threads in force."""
    query = select(func.count()).select_from(learned_phrasings.join(threads))
    mine = learned_phrasings.c.guild_id == guild_id
    return await connection.scalar(query.where(mine, IN_FORCE)) or 0


async def _first(connection: AsyncConnection, *same: ColumnElement[bool]) -> int | None:
    query = select(threads.c.id).where(*same, IN_FORCE).order_by(threads.c.id).limit(1)
    return await connection.scalar(query)
