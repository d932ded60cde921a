"""The counters of tables' ids, which give no id twice, also after its row is gone."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.columns import metadata


def _counted() -> list[Table]:
    """Return the tables whose ids are counted up."""
    return [t for t in metadata.sorted_tables if t.dialect_options["sqlite"]["autoincrement"]]


async def read(connection: AsyncConnection) -> dict[str, int]:
    """Return the last id that each table ever gave; 0 where it gave none."""
    found = {}
    for table in _counted():
        found[table.name] = await _last(connection, table)
    return found


async def write(connection: AsyncConnection, last: Mapping[str, int]) -> None:
    """Have each table give ids after the last that it gave elsewhere."""
    for name, value in last.items():
        if not value:
            continue
        if connection.dialect.name == "sqlite":
            gone = text("DELETE FROM sqlite_sequence WHERE name = :name")
            await connection.execute(gone, {"name": name})
            again = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :value)")
            await connection.execute(again, {"name": name, "value": value})
        else:
            await connection.execute(_SET, {"sequence": _sequence(name), "value": value})


async def _last(connection: AsyncConnection, table: Table) -> int:
    if connection.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return await connection.scalar(query, {"name": table.name}) or 0
    return await connection.scalar(_GET, {"sequence": _sequence(table.name)}) or 0


_GET = text("SELECT pg_sequence_last_value(CAST(CAST(:sequence AS text) AS regclass))")
_SET = text("SELECT setval(CAST(CAST(:sequence AS text) AS regclass), :value)")


def _sequence(table: str) -> str:
    """Return the name that PostgreSQL gave the sequence of a table's id."""
    (key,) = metadata.tables[table].primary_key
    return f"{table}_{key.name}_seq"
