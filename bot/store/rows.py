"""Threads and answers as rows of their tables, and back."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.models import Answer, StoredAnswer, StoredThread, Thread

if TYPE_CHECKING:
    from sqlalchemy import Executable, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

Tallies = tuple[tuple[int, int], ...]
"""Pairs of a guild and the sum of its votes, by guild."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BATCH = 250
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
    for number, batch in enumerate(result.partitions(BATCH)):
        if number:
            await asyncio.sleep(0)
        yield batch


def id_batches(ids: Collection[int]) -> Iterator[list[int]]:
    """Yield ids in ascending order, each once, as many at a time as one statement takes."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), IDS_AT_ONCE):
        yield ordered[start : start + IDS_AT_ONCE]


def columns(thread: Thread) -> dict[str, Any]:
    """What the table of threads keeps of one, its answers and phrasings aside."""
    return {
        "key": thread.key,
        "title": thread.title,
        "body": thread.body,
        "score": thread.score,
        "tags": list(thread.tags),
        "url": thread.url,
        "author": thread.author,
        "license": thread.license,
        "asked_at": to_micros(thread.asked_at),
        "closed_at": to_micros(thread.closed_at),
        "source": thread.source,
        "related": list(thread.related),
    }


def answer_columns(answer: Answer, position: int) -> dict[str, Any]:
    """What the table of answers keeps of one."""
    return {
        "position": position,
        "key": answer.key,
        "body": answer.body,
        "score": answer.score,
        "accepted": answer.accepted,
        "author": answer.author,
        "url": answer.url,
        "license": answer.license,
        "answered_at": to_micros(answer.answered_at),
        "retired": False,
    }


def thread_of(
    row: Row[Any], texts: tuple[str, ...], given: tuple[StoredAnswer, ...]
) -> StoredThread:
    """A thread of its row, its phrasings and its answers."""
    return StoredThread(
        id=row.id,
        scope=row.scope,
        key=row.key,
        title=row.title,
        body=row.body,
        score=row.score,
        tags=tuple(row.tags),
        url=row.url,
        author=row.author,
        license=row.license,
        asked_at=from_micros(row.asked_at),
        closed_at=from_micros(row.closed_at),
        source=row.source,
        phrasings=texts,
        related=tuple(row.related),
        answers=given,
    )


def answer_of(row: Row[Any]) -> StoredAnswer:
    """An answer of its row, in which its votes are added up."""
    return StoredAnswer(
        id=row.id,
        votes=int(row.votes),
        body=row.body,
        score=row.score,
        accepted=row.accepted,
        key=row.key,
        author=row.author,
        url=row.url,
        license=row.license,
        answered_at=from_micros(row.answered_at),
    )


def digest_of(thread: Thread) -> str:
    """What tells one version of a thread from another; where it is from is not part of it.

    What later versions of the program know of threads counts only where it says something,
    so that libraries made before need not be taken in again.
    """
    content = [thread.key, thread.title, thread.body, thread.score, list(thread.tags)]
    content += [thread.url, thread.author, thread.license, to_micros(thread.asked_at)]
    content += [thread.phrasings, [_said(a, place) for place, a in enumerate(thread.answers)]]
    later: dict[str, Any] = {"closed": to_micros(thread.closed_at), "related": thread.related}
    later["licenses"] = [a.license for a in thread.answers if a.license]
    if any(later.values()):
        content.append(later)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _said(a: Answer, place: int) -> list[Any]:
    """What of an answer is part of its thread's digest."""
    retired = False  # no answer that a source gives is
    said = [place, a.key, a.body, a.score, a.accepted, a.author, a.url]
    return [*said, to_micros(a.answered_at), retired]
