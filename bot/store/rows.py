"""Threads and answers as rows of their tables, and back."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from bot.models import Answer, StoredAnswer, StoredThread, Thread
from bot.store.timestamps import from_micros, to_micros

if TYPE_CHECKING:
    from sqlalchemy import Row

Tallies = tuple[tuple[int, int], ...]
"""Pairs of a guild and the sum of its votes, by guild."""


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
