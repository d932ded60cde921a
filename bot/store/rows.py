"""Threads and answers as rows of their tables and back, one by one and packed for batches."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from datetime import UTC, datetime, timedelta
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from bot.curation import MadeOf
from bot.models import (
    ANSWER_FIELDS,
    THREAD_FIELDS,
    Answer,
    FieldKind,
    StoredAnswer,
    StoredField,
    StoredThread,
    Thread,
)

if TYPE_CHECKING:  # SQLAlchemy takes a second to import, and a worker needs none
    from sqlalchemy import Executable, Row, Table
    from sqlalchemy.ext.asyncio import AsyncConnection

Tallies = tuple[tuple[int, int], ...]
"""Pairs of a guild's id and the sum of its votes, by guild."""

Accepted = tuple[tuple[int, datetime], ...]
"""Pairs of a guild's id and when it accepted an answer, by guild."""

Converter = Callable[[Any], Any]

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ROWS_A_TURN = 250
"""Rows made into objects between two turns of the event loop: some 5 ms of work."""

IDS_AT_ONCE = 500
"""Ids in one statement: databases limit the number of its parameters."""


def to_micros(time: datetime | None) -> int | None:
    """Return an aware time as Unix microseconds, as the tables keep it."""
    if time is None:
        return None
    since = time - EPOCH  # dividing it by a microsecond would take four times as long
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int | None) -> datetime | None:
    """Return the time, in UTC, of which ``to_micros`` made this number."""
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


async def row_batches(
    connection: AsyncConnection, query: Executable
) -> AsyncIterator[Sequence[Row[Any]]]:
    """Yield a query's rows in batches, with a turn for other tasks between two of them."""
    result = await connection.execute(query)
    for number, batch in enumerate(result.partitions(ROWS_A_TURN)):
        if number:
            await asyncio.sleep(0)
        yield batch


async def by_thread(
    connection: AsyncConnection, query: Executable, make: Callable[[Row[Any]], T]
) -> dict[int, tuple[T, ...]]:
    """Return what ``make`` makes of a query's rows, in their order, by their ``thread_id``.

    Of a thread without rows, that is an empty tuple.
    """
    lists: dict[int, list[T]] = defaultdict(list)
    async for batch in row_batches(connection, query):
        for row in batch:
            lists[row.thread_id].append(make(row))
    return defaultdict(tuple, {thread_id: tuple(made) for thread_id, made in lists.items()})


def id_batches(ids: Collection[int]) -> Iterator[list[int]]:
    """Yield ids in ascending order, each once, as many at a time as one statement takes."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), IDS_AT_ONCE):
        yield ordered[start : start + IDS_AT_ONCE]


class Columns:
    """The columns that follow from the fields of a model, and values from one to the other."""

    def __init__(self, stored: Sequence[StoredField]):
        self._fields = [field for field in stored if field.is_column]
        self.names = tuple(field.name for field in self._fields)
        self._values = attrgetter(*self.names)
        self._to_column = self._converters({FieldKind.TEXTS: list, FieldKind.DATE: to_micros})
        self._to_field = self._converters({FieldKind.TEXTS: tuple, FieldKind.DATE: from_micros})

    def of(self, model: Thread | Answer) -> dict[str, Any]:
        """Return the values of the columns."""
        return self._converted(self._values(model), self._to_column)

    def fields(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the fields."""
        return self._converted([row[name] for name in self.names], self._to_field)

    def _converters(self, by_kind: Mapping[FieldKind, Converter]) -> list[tuple[str, Converter]]:
        return [(f.name, by_kind[f.kind]) for f in self._fields if f.kind in by_kind]

    def _converted(
        self, values: Iterable[Any], converters: Iterable[tuple[str, Converter]]
    ) -> dict[str, Any]:
        named = dict(zip(self.names, values, strict=True))
        for name, convert in converters:
            named[name] = convert(named[name])
        return named


_THREAD, _ANSWER = Columns(THREAD_FIELDS), Columns(ANSWER_FIELDS)


def columns(thread: Thread) -> dict[str, Any]:
    """Return a thread's row in ``threads``, without what its source doesn't say."""
    return _THREAD.of(thread)


def answer_columns(answer: Answer, position: int) -> dict[str, Any]:
    """Return an answer's row in ``answers``, without the id of its thread."""
    return {"position": position, **_ANSWER.of(answer), "retired": False}


def thread_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the thread of which ``columns`` made a row."""
    return _THREAD.fields(row)


def answer_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the answer of which ``answer_columns`` made a row."""
    return _ANSWER.fields(row)


def thread_of(
    row: Row[Any], texts: tuple[str, ...], answers: tuple[StoredAnswer, ...]
) -> StoredThread:
    """Return the thread of a row, with its phrasings and its answers."""
    values = thread_fields(row._asdict())
    return StoredThread(id=row.id, scope=row.scope, phrasings=texts, answers=answers, **values)


def answer_of(row: Row[Any]) -> StoredAnswer:
    """Return the answer of a row, which has the sum of its ``votes`` too.

    ``accepted_id`` is the answer that the guild accepted of its thread, over its source (``None``:
    it accepted none).
    """
    values = answer_fields(row._asdict())
    here = row.accepted_id == row.id
    values["accepted"] = here if row.accepted_id else values["accepted"]
    more = {"accepted_here": here, "overrides": row.overrides}
    return StoredAnswer(id=row.id, votes=int(row.votes), **more, **values)


_DIGESTED = ("key", "title", "body", "score", "tags", "url", "author", "license", "asked_at")
_ANSWER_DIGESTED = ("key", "body", "score", "accepted", "author", "url", "answered_at")
"""The columns that digests began with. Others count only where they say something, so that
libraries made before need not be imported again."""


def digest_of(thread: Thread) -> str:
    """Return the SHA-256 of a thread's content, in hexadecimal; its source is not part of it."""
    values = columns(thread)
    answers = [_ANSWER.of(answer) for answer in thread.answers]
    retired = False  # what a source gives never is; rows had it when digests began
    content = [values[name] for name in _DIGESTED]
    content += [
        thread.phrasings,
        [[i, *(a[name] for name in _ANSWER_DIGESTED), retired] for i, a in enumerate(answers)],
    ]
    later = {"closed": values.pop("closed_at"), "related": values.pop("related")}
    later["licenses"] = [a["license"] for a in answers if a["license"]]
    later |= {n: v for n, v in values.items() if v and n not in (*_DIGESTED, "source")}
    if any(later.values()):
        content.append(later)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


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
    ``insert_rows`` wants them. ``tallies`` and ``accepted_in`` are those of each answer, or nothing
    where none brought any. Of a draft that is not made yet, all after ``fingerprint`` is empty.
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
    accepted_in: tuple[Accepted, ...] = ()
    made_of: MadeOf | None = None


def pack(thread: Thread, fingerprint: str | None = None) -> ThreadRows:
    """Return a thread's rows."""
    values = columns(thread).values()
    tallies = tuple([answer.tallies for answer in thread.answers])
    accepted_in = tuple([answer.accepted_in for answer in thread.answers])
    return ThreadRows(
        key=thread.key,
        source=thread.source,
        digest="" if fingerprint else digest_of(thread),
        fingerprint=fingerprint,
        row=tuple([json.dumps(v) if isinstance(v, list) else v for v in values]),
        answers=tuple([tuple(answer_columns(a, i).values()) for i, a in enumerate(thread.answers)]),
        phrasings=thread.phrasings,
        tallies=tallies if any(tallies) else (),
        former_key=thread.former_key,
        accepted_in=accepted_in if any(accepted_in) else (),
        made_of=thread.made_of,
    )


def unpack(packed: ThreadRows) -> Thread:
    """Return the thread that was packed."""
    none: tuple[tuple[()], ...] = ((),) * len(packed.answers)
    carried = zip(packed.tallies or none, packed.accepted_in or none, strict=True)
    return Thread(
        **thread_fields(_row(THREAD, packed.row)),
        phrasings=packed.phrasings,
        answers=tuple(
            Answer(**answer_fields(_row(ANSWER, row)), tallies=tallies, accepted_in=accepted_in)
            for row, (tallies, accepted_in) in zip(packed.answers, carried, strict=True)
        ),
        former_key=packed.former_key,
        made_of=packed.made_of,
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
    statement = table.insert().compile(dialect=connection.dialect, column_keys=[*names])
    values: list[Any] = [*rows]
    if not statement.positional:
        values = [dict(zip(names, row, strict=True)) for row in rows]
    elif (order := [*(statement.positiontup or names)]) != [*names]:
        values = [*map(itemgetter(*map(names.index, order)), rows)]
    await connection.exec_driver_sql(str(statement), values)
