"""Threads as rows of the tables, many at a time, as the database's driver takes them.

Making the rows is work that needs no database, so that another process can do it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import ANSWER_FIELDS, THREAD_FIELDS, Answer, FieldKind, Thread
from bot.store.rows import (
    Tallies,
    answer_columns,
    answer_fields,
    columns,
    digest_of,
    thread_fields,
)

THREAD = tuple(columns(Thread(key="", title="")))
"""The columns of ``ThreadRows.row``, in order."""

ANSWER = tuple(answer_columns(Answer(body=""), 0))
"""The columns of each of ``ThreadRows.answers``, in order."""


LIST_COLUMNS = [f.name for f in (*THREAD_FIELDS, *ANSWER_FIELDS) if f.kind is FieldKind.TEXTS]
"""The columns that are JSON."""


class ThreadRows(NamedTuple):
    """The rows of a thread, with what tells its version.

    ``fingerprint`` is that of what it was made of, if it was a draft; then there is no
    ``digest``, which takes time and is seldom asked for. Lists are JSON in text, as
    ``insert_rows`` wants them. ``tallies`` are those of each answer, or nothing where none
    brought any. Of a draft that is not made yet, everything after ``fingerprint`` is empty.
    """

    key: str
    source: str | None
    digest: str = ""
    fingerprint: str | None = None
    row: tuple[Any, ...] = ()
    answers: tuple[tuple[Any, ...], ...] = ()
    phrasings: tuple[str, ...] = ()
    tallies: tuple[Tallies, ...] = ()
    former_key: str | None = None


def pack(thread: Thread, fingerprint: str | None = None) -> ThreadRows:
    """Return a thread's rows."""
    values = columns(thread).values()
    brought = any(answer.tallies for answer in thread.answers)
    return ThreadRows(
        key=thread.key,
        source=thread.source,
        digest="" if fingerprint else digest_of(thread),
        fingerprint=fingerprint,
        row=tuple([json.dumps(v) if isinstance(v, list) else v for v in values]),
        answers=tuple([tuple(answer_columns(a, i).values()) for i, a in enumerate(thread.answers)]),
        phrasings=thread.phrasings,
        tallies=tuple([answer.tallies for answer in thread.answers]) if brought else (),
        former_key=thread.former_key,
    )


def unpack(packed: ThreadRows) -> Thread:
    """Return the thread that was packed."""
    tallies = packed.tallies or ((),) * len(packed.answers)
    return Thread(
        **thread_fields(_row(THREAD, packed.row)),
        phrasings=packed.phrasings,
        answers=tuple(
            Answer(**answer_fields(_row(ANSWER, row)), tallies=brought)
            for row, brought in zip(packed.answers, tallies, strict=True)
        ),
        former_key=packed.former_key,
    )


def _row(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(columns, values, strict=True))
    return row | {name: json.loads(row[name]) for name in LIST_COLUMNS if name in row}


async def insert_rows(
    connection: AsyncConnection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Insert rows that have values for the columns ``names``, in their order; JSON as text.

    They go to the driver as they are: SQLAlchemy would look at every value of every row.
    """
    if not rows:
        return
    statement = insert(table).compile(dialect=connection.dialect, column_keys=[*names])
    values: list[Any] = [*rows]
    if not statement.positional:
        values = [dict(zip(names, row, strict=True)) for row in rows]
    elif (order := [*(statement.positiontup or names)]) != [*names]:
        values = [*map(itemgetter(*map(names.index, order)), rows)]
    await connection.exec_driver_sql(str(statement), values)
