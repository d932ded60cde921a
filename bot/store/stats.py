"""Counts, sizes and sources of threads, and the soundness of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import InputError, StoreNewer
from bot.models import SHARED, StoredThread
from bot.store import migrations
from bot.store.columns import metadata
from bot.store.database import Database
from bot.store.portable_sql import by_code
from bot.store.rows import id_batches
from bot.store.tables import (
    IN_FORCE,
    answers,
    learned_phrasings,
    phrasings,
    threads,
    votes,
)
from bot.store.threads import ids_of, index_entries


@dataclass(frozen=True, slots=True)
class Counts:
    """The size of a library."""

    threads: int
    answers: int
    votes: int


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


async def scopes(connection: AsyncConnection) -> set[int]:
    """Return the scopes that have threads, retired ones included."""
    return {*(await connection.scalars(select(threads.c.scope).distinct()))}


async def missing(connection: AsyncConnection, ids: Collection[int]) -> set[int]:
    """Return those of the ids that no thread has, retired ones included."""
    found = set[int]()
    for some in id_batches(ids):
        query = select(threads.c.id).where(threads.c.id.in_(some))
        found.update((await connection.execute(query)).scalars())
    return {*ids} - found


async def count(connection: AsyncConnection) -> Counts:
    """Count over every scope, without what is retired."""
    there = select(func.count()).select_from(threads).where(IN_FORCE)
    n_threads = await connection.scalar(there)
    in_threads = select(func.count()).select_from(answers.join(threads)).where(IN_FORCE)
    n_answers = await connection.scalar(in_threads.where(answers.c.retired.is_(False)))
    n_votes = await connection.scalar(select(func.count()).select_from(votes))
    return Counts(n_threads or 0, n_answers or 0, n_votes or 0)


async def scope_counts(connection: AsyncConnection, scope: int) -> ScopeCounts:
    """Count the threads and answers of a scope."""
    there = (threads.c.scope == scope, IN_FORCE)
    count = select(func.count()).select_from(threads).where(*there)
    accepted = func.count(case((answers.c.accepted.is_(True), 1)))
    counted = select(func.count(), accepted).select_from(answers.join(threads))
    row = (await connection.execute(counted.where(*there, answers.c.retired.is_(False)))).one()
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
    measured = select(func.count(), func.coalesce(func.sum(func.length(threads.c.body)), 0))
    row = (await connection.execute(measured.where(*mine))).one()
    lengths = select(func.coalesce(func.sum(func.length(answers.c.body)), 0))
    text = await connection.scalar(lengths.select_from(answers.join(threads)).where(*mine))
    phrased = select(func.count()).select_from(phrasings.join(threads)).where(*mine)
    count = await connection.scalar(phrased)
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
        .order_by(func.count().desc(), by_code(t.source))
        .limit(limit)
    )
    return [Source(*row) for row in (await connection.execute(query)).all()]


async def own_id(connection: AsyncConnection, scope: int, name: str | int) -> int | None:
    """Return the id of a scope's thread with this id, or with this key or else this title."""
    t = threads.c
    wanted = (t.id == name,) if isinstance(name, int) else (t.key == name, t.title == name)
    for same in wanted:
        thread_id = await _first(connection, t.scope == scope, same)
        if thread_id is not None:
            return thread_id
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
    """Count a guild's learned phrasings of threads in force, whoever they count for."""
    phrasing = select(learned_phrasings.c.thread_id, learned_phrasings.c.wording).distinct()
    mine = (learned_phrasings.c.guild_id == guild_id, IN_FORCE)
    found = phrasing.select_from(learned_phrasings.join(threads)).where(*mine).subquery()
    return await connection.scalar(select(func.count()).select_from(found)) or 0


async def _first(connection: AsyncConnection, *same: ColumnElement[bool]) -> int | None:
    query = select(threads.c.id).where(*same, IN_FORCE).order_by(threads.c.id).limit(1)
    return await connection.scalar(query)


MAX_PROBLEMS = 3
"""Problems that are reported; more would help nobody."""


@dataclass(frozen=True, slots=True)
class Health:
    """The migration that a database is at, and what is wrong with it (nothing: empty).

    ``version`` is that of the program that keeps it.
    """

    migration: str
    problems: tuple[str, ...]
    version: str = field(default="", compare=False)


async def examine(database: Database) -> Health:
    """Read the whole database once and return what is wrong with it.

    Takes seconds for a gigabyte. Raises StoreError when it can't be read at all.
    """
    async with database.read() as connection:
        migration = await connection.run_sync(migrations.current)
        problems: list[str] = []
        problems += await connection.run_sync(database.backend.problems)
        problems += await connection.run_sync(_missing)
        version = await connection.run_sync(database.backend.version)
    return Health(migration or "none", tuple(problems[:MAX_PROBLEMS]), version)


def check_copy(connection: sqlite3.Connection) -> Counts:
    """Return how much a copy holds; retired threads count too.

    Raises InputError when it is not sound or not of this program, StoreNewer when it is of a
    newer version.
    """

    def value(query: str) -> Any:
        return (connection.execute(query).fetchone() or [None])[0]

    if missing_tables(connection.execute("SELECT name FROM sqlite_master")):
        raise InputError("it is no database of Threadwise")
    if not migrations.is_known(str(value("SELECT version_num FROM alembic_version"))):
        raise StoreNewer("it was written by a newer Threadwise; install that version first")
    if (result := value("PRAGMA integrity_check(1)")) != "ok":
        raise InputError(f"it is damaged: {result}")
    if value("PRAGMA foreign_key_check"):
        raise InputError("it is damaged: rows point to others that are gone")
    tables = ("threads", "answers", "votes")
    return Counts(*[value(f"SELECT count(*) FROM {table}") for table in tables])


def missing_tables(tables: Iterable[Any]) -> set[str]:
    """Return the tables that every version of this program has, and that are not there.

    ``tables`` are rows that begin with a table's name.
    """
    names = {row[0] for row in tables}
    return {"alembic_version", "threads", "answers", "votes", "facts"} - names


def _missing(connection: Connection) -> list[str]:
    """Return a line for each table and index of this program that isn't there."""
    there, tables = inspect(connection), metadata.sorted_tables
    known = set(there.get_table_names())
    gone = [f"the table {table.name} is missing" for table in tables if table.name not in known]
    for table in tables:
        indexes = {i["name"] for i in there.get_indexes(table.name)} if table.name in known else ()
        wanted = (str(index.name) for index in table.indexes if table.name in known)
        gone += [f"the index {name} is missing" for name in sorted(wanted) if name not in indexes]
    return gone
