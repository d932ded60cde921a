"""Rows of learned phrasings, one a member, put together as the phrasings that they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row

from bot.phrasings import LearnedPhrasing
from bot.store.rows import from_micros
from bot.store.tables import learned_phrasings as learned

CONFIRMING = 2
"""Members who make a phrasing count for the whole guild."""


def grouped(rows: Iterable[Row[Any]]) -> list[list[Row[Any]]]:
    """Return rows, which come by rising ids, as those of one phrasing each, the oldest first."""
    groups: dict[tuple[int, str], list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault((row.thread_id, row.wording), []).append(row)
    return list(groups.values())


def is_confirmed(group: Sequence[Row[Any]]) -> bool:
    """Return whether the phrasing of these rows counts for the guild."""
    return any(r.standing for r in group) or sum(r.counts for r in group) >= CONFIRMING


_COLUMNS = tuple(
    column.name
    for column in learned.c
    if column.name not in ("wording", "chosen", "counts", "standing", "own_words", "learned_at")
)


def phrasing_of(group: Sequence[Row[Any]]) -> LearnedPhrasing:
    """Return the rows of one phrasing as it was taught first."""
    first = group[0]
    return LearnedPhrasing(
        **{name: getattr(first, name) for name in (*_COLUMNS, "key", "title")},
        learned_at=from_micros(first.learned_at),
        confirmed=is_confirmed(group),
        teachers=tuple(row.user_id for row in group),
    )
