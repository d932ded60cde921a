"""Many rows at once, as the driver takes them: SQLAlchemy looks at every value of every row."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def add(
    connection: AsyncConnection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Insert rows that have values for the columns ``names``, in their order; JSON as text."""
    if not rows:
        return
    statement = insert(table).compile(dialect=connection.dialect, column_keys=[*names])
    values: list[Any] = [*rows]
    if not statement.positional:
        values = [dict(zip(names, row, strict=True)) for row in rows]
    elif (order := [*(statement.positiontup or names)]) != [*names]:
        values = [*map(itemgetter(*map(names.index, order)), rows)]
    await connection.exec_driver_sql(str(statement), values)
