"""Many rows at once, as the driver takes them: SQLAlchemy looks at every value of every row."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def add(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all name the same columns; values are converted in place."""
    if not rows:
        return
    dialect, names = connection.dialect, [*rows[0]]
    for name in names:
        kind = table.c[name].type.dialect_impl(dialect)
        if (converted := kind.bind_processor(dialect)) is not None:
            for row in rows:
                row[name] = converted(row[name])
    statement = insert(table).compile(dialect=dialect, column_keys=names)
    values: list[Any] = [*rows]
    if statement.positional:
        order = statement.positiontup or names
        one = len(order) == 1  # of which itemgetter makes no tuple
        values = [(row[order[0]],) for row in rows] if one else [*map(itemgetter(*order), rows)]
    await connection.exec_driver_sql(str(statement), values)
