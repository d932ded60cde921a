"""Moving a library to another database: copied in portions, compared, and then declared whole.

The source can't be written meanwhile. The target is marked until all is there and agrees, so
that no bot opens half a library; killed, the move goes on after the last row that it has of each
table, unless the source has changed since. Ids, the numbers of the change feed and the library's
own id stay, so that the index on the disk stays valid.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

import bot.store.curation_tables  # noqa: F401 (adds its tables)
from bot.errors import ConfigError, StoreError
from bot.store import counters
from bot.store.columns import metadata
from bot.store.database import Database
from bot.store.facts import LIBRARY_ID, MOVE, fact, set_fact
from bot.store.tables import facts
from bot.store.write_locks import lock_votes

ROWS = 1_000
"""Rows that are copied, or compared, at a time."""

RowProgress = Callable[[int, int], None]
"""Called with the rows copied since the last call, and how many there are in all tables."""

_TABLES = [table for table in metadata.sorted_tables if table is not facts]
"""What is moved before the facts, each table after those that it points to."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The count of rows, and a digest of them that doesn't depend on their order."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: Sequence[Sequence[Any]]) -> Sum:
        """Return the sum with further rows."""
        total = self.digest
        for row in rows:
            said = hashlib.blake2b(repr(row).encode(errors="surrogatepass"), digest_size=32)
            total += int.from_bytes(said.digest(), "big")
        return Sum(self.rows + len(rows), total % 2**256)

    def __str__(self) -> str:
        return f"{self.digest:064x}"


@dataclass(frozen=True, slots=True)
class Moved:
    """The result of a move: the sum of each table, in the order in which they went."""

    tables: dict[str, Sum]

    @property
    def digest(self) -> str:
        """Return one digest of all tables."""
        said = json.dumps([[name, each.rows, str(each)] for name, each in self.tables.items()])
        return hashlib.sha256(said.encode()).hexdigest()


async def move(source: Database, target: Database, progress: RowProgress) -> Moved:
    """Move a library into a target that is empty, or has what an earlier move left there.

    The target must have been opened with ``unfinished``. Raises ConfigError for a target
    that holds anything else, StoreError when what arrived is not what was sent.
    """
    if source.where == target.where:
        raise ConfigError(f"{target.where} is the library itself; name another database")
    async with source.write() as there:
        await lock_votes(there)
        if await _is_whole(source, target):
            moved = await _compared(there, target, _USED_SINCE)
        else:
            await _begin(source, target)
            if not await _agrees_so_far(there, target):
                await _empty(target)
            total = sum([await _count(there, table) for table in _TABLES])
            for table in _TABLES:
                await _copy(there, target, table, lambda rows: progress(rows, total))
            moved = await _compared(there, target)
            await _finish(there, target)
        # An index of the library is the target's now; the source would need another.
        await set_fact(there, LIBRARY_ID, uuid.uuid4().hex)
    return moved


async def _is_whole(source: Database, target: Database) -> bool:
    """Return whether a move came to its end in the target, but was stopped before it said so."""
    async with target.write() as here:  # waits in vain where it is the source by another name
        mark, known = await fact(here, MOVE), await fact(here, LIBRARY_ID)
    return mark is None and known == source.id


async def _begin(source: Database, target: Database) -> None:
    """Mark the target as half a library. Raises ConfigError if it is anything else."""
    async with target.write() as here:
        mark = await fact(here, MOVE)
        if mark == source.id:
            return
        if mark is not None:
            raise ConfigError(f"another library is being moved into {target.where} already")
        for table in _TABLES:
            if count := await _count(here, table):
                raise ConfigError(
                    f"{target.where} is not empty: its table {table.name} has {count:,} rows; "
                    "name a new database"
                )
        await set_fact(here, MOVE, source.id)


async def _agrees_so_far(there: AsyncConnection, target: Database) -> bool:
    """Return whether the rows that an earlier move left are what the source has still."""
    async with target.read() as here:
        for table in _TABLES:
            last = await _last(here, table)
            sent, arrived = Sum(), await _sum_of(here, table)
            if last is None:
                continue
            async for rows in _portions(there, table):
                sent = sent.plus([_sent(target, row) for row in rows if _key(table, row) <= last])
                if _key(table, rows[-1]) >= last:
                    break
            if sent != arrived:
                return False
    return True


async def _copy(
    there: AsyncConnection, target: Database, table: Table, copied: Callable[[int], None]
) -> None:
    """Copy the rows of a table that come after those that the target has."""
    async with target.read() as here:
        last, done = await _last(here, table), await _count(here, table)
    copied(done)
    names = [column.key for column in table.columns]
    async for rows in _portions(there, table, last):
        values = [dict(zip(names, _sent(target, row), strict=True)) for row in rows]
        async with target.write() as here:
            await here.execute(insert(table), values)
        copied(len(rows))


_WRITTEN = (
    "{arrived:,} rows of {table} are in {target}, and not all as they were sent ({sent:,}); does "
    "another program write there? Delete that database, make a new one, and move again"
)
_USED_SINCE = (
    "{target} has this library from an earlier move or as a copy, and they are not the same any "
    "more: its table {table} has {arrived:,} rows, and the library's {sent:,}, or others. Go on "
    "with the one that was used since; to move the library again, name a new database"
)


async def _compared(there: AsyncConnection, target: Database, differ: str = _WRITTEN) -> Moved:
    """Return the sums of all tables. Raises StoreError where those of the target differ."""
    found = {}
    for table in _TABLES:
        sent, arrived = Sum(), await _sum(target, table)
        async for rows in _portions(there, table):
            sent = sent.plus([_sent(target, row) for row in rows])
        if sent != arrived:
            known = {"table": table.name, "target": target.where}
            raise StoreError(differ.format(arrived=arrived.rows, sent=sent.rows, **known))
        found[table.name] = arrived
    return Moved(found)


async def _finish(there: AsyncConnection, target: Database) -> None:
    """Bring the counters and, with the library's id, the facts: the target is whole then."""
    known = await counters.read(there)
    rows = (await there.execute(select(facts.c.name, facts.c.value))).all()
    async with target.write() as here:
        await counters.write(here, known)
        await here.execute(delete(facts))
        await here.execute(insert(facts), [row._asdict() for row in rows])


async def _empty(target: Database) -> None:
    """Delete what an earlier move left, but for its mark."""
    async with target.write() as here:
        for table in reversed(_TABLES):
            await here.execute(delete(table))


async def _portions(
    connection: AsyncConnection, table: Table, after: tuple[Any, ...] | None = None
) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table by their keys, some at a time, after one of a key if given."""
    key = [*table.primary_key]
    while True:
        query = select(table).order_by(*key).limit(ROWS)
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        rows = [tuple(row) for row in (await connection.execute(query)).all()]
        if not rows:
            return
        yield rows
        after = _key(table, rows[-1])


def _key(table: Table, row: Sequence[Any]) -> tuple[Any, ...]:
    names = [column.name for column in table.columns]
    return tuple(row[names.index(column.name)] for column in table.primary_key)


def _sent(target: Database, row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row as the target keeps it."""
    return tuple(target.backend.storable(value) for value in row)


async def _last(connection: AsyncConnection, table: Table) -> tuple[Any, ...] | None:
    key = [*table.primary_key]
    query = select(*key).order_by(*(column.desc() for column in key)).limit(1)
    row = (await connection.execute(query)).first()
    return None if row is None else tuple(row)


async def _count(connection: AsyncConnection, table: Table) -> int:
    return await connection.scalar(select(func.count()).select_from(table)) or 0


async def _sum(target: Database, table: Table) -> Sum:
    async with target.read() as here:
        return await _sum_of(here, table)


async def _sum_of(connection: AsyncConnection, table: Table) -> Sum:
    total = Sum()
    async for rows in _portions(connection, table):
        total = total.plus(rows)
    return total
