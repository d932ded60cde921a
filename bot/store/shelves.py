"""What stands in the library, seen from one guild: how much, and from which sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED
from bot.store.tables import answers, learned_phrasings, threads, votes
from bot.store.threads import IN_FORCE


@dataclass(frozen=True, slots=True)
class Shelf:
    """The threads of one scope."""

    threads: int
    answers: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where threads came from (``None``: unknown), with the first of them by id."""

    name: str | None
    scope: int
    threads: int
    first_id: int


async def shelf(connection: AsyncConnection, scope: int) -> Shelf:
    """How much there is of a scope."""
    there = (threads.c.scope == scope, IN_FORCE)
    count = select(func.count()).select_from(threads).where(*there)
    accepted = func.count(case((answers.c.accepted.is_(True), 1)))
    said = select(func.count(), accepted).select_from(answers.join(threads))
    row = (await connection.execute(said.where(*there, answers.c.retired.is_(False)))).one()
    return Shelf(await connection.scalar(count) or 0, int(row[0]), int(row[1]))


async def rows(connection: AsyncConnection, scope: int) -> int:
    """How many threads a scope takes room for, those that can be brought back included."""
    query = select(func.count()).select_from(threads).where(threads.c.scope == scope)
    return await connection.scalar(query) or 0


async def size(connection: AsyncConnection, scope: int) -> int:
    """How many characters the texts of a scope's threads have, those out of sight included."""
    mine = threads.c.scope == scope
    asked = select(func.coalesce(func.sum(func.length(threads.c.body)), 0)).where(mine)
    said = select(func.coalesce(func.sum(func.length(answers.c.body)), 0))
    said = said.select_from(answers.join(threads)).where(mine)
    both = await connection.scalar(asked), await connection.scalar(said)
    return sum(int(found or 0) for found in both)


async def known(connection: AsyncConnection, scope: int, keys: Sequence[str]) -> int:
    """How many of these keys a scope has, those of threads out of sight included."""
    mine = (threads.c.scope == scope, threads.c.key.in_(keys))
    query = select(func.count()).select_from(threads).where(*mine)
    return await connection.scalar(query) or 0


async def sources(
    connection: AsyncConnection, scopes: Sequence[int], limit: int | None = None
) -> list[Source]:
    """The sources of some scopes, the largest first."""
    t = threads.c
    query = (
        select(t.source, t.scope, func.count().label("count"), func.min(t.id))
        .where(t.scope.in_(scopes), IN_FORCE)
        .group_by(t.scope, t.source)
        .order_by(func.count().desc(), t.source)
        .limit(limit)
    )
    return [Source(*row) for row in (await connection.execute(query)).all()]


async def source_of(connection: AsyncConnection, scope: int, thread_id: int) -> str | None:
    """The source of a thread of a scope, if it is there and has one."""
    mine = (threads.c.id == thread_id, threads.c.scope == scope, IN_FORCE)
    return await connection.scalar(select(threads.c.source).where(*mine))


async def own_id(connection: AsyncConnection, scope: int, name: str | int) -> int | None:
    """The id of a scope's thread with this id, or with this key or else this title."""
    t = threads.c
    wanted = (t.id == name,) if isinstance(name, int) else (t.key == name, t.title == name)
    for same in wanted:
        found = await _first(connection, t.scope == scope, same)
        if found is not None:
            return found
    return None


async def is_shared(connection: AsyncConnection, name: str | int) -> bool:
    """Whether the shared library has a thread with this key, or this id."""
    same = threads.c.id == name if isinstance(name, int) else threads.c.key == name
    return await _first(connection, threads.c.scope == SHARED, same) is not None


async def votes_in(connection: AsyncConnection, guild_id: int) -> int:
    """How many votes a guild's members have given on what can be seen."""
    query = select(func.count()).select_from(votes.join(answers).join(threads))
    return await connection.scalar(query.where(votes.c.guild_id == guild_id, IN_FORCE)) or 0


async def phrasings_in(connection: AsyncConnection, guild_id: int) -> int:
    """How many phrasings a guild's members have taught, of what can be seen."""
    query = select(func.count()).select_from(learned_phrasings.join(threads))
    mine = learned_phrasings.c.guild_id == guild_id
    return await connection.scalar(query.where(mine, IN_FORCE)) or 0


async def _first(connection: AsyncConnection, *same: ColumnElement[bool]) -> int | None:
    query = select(threads.c.id).where(*same, IN_FORCE).order_by(threads.c.id).limit(1)
    return await connection.scalar(query)
