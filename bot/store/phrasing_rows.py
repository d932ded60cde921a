"""Rows of learned phrasings, one a member, put together as the phrasings that they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row

from bot.phrasings import LearnedPhrasing, Standing
from bot.store.rows import from_micros
from bot.store.tables import learned_phrasings as learned

AGREEING = 2
"""Members who together make a phrasing count for the whole guild."""


def grouped(rows: Iterable[Row[Any]]) -> list[list[Row[Any]]]:
    """Return rows, which come by rising ids, as those of one phrasing each, the oldest first."""
    groups: dict[tuple[int, str], list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault((row.thread_id, row.wording), []).append(row)
    return list(groups.values())


def is_agreed(group: Sequence[Row[Any]]) -> bool:
    """Return whether enough members taught the phrasing of these rows, or a helper did."""
    return any(r.standing for r in group) or sum(r.counts for r in group) >= AGREEING


def is_kept(group: Sequence[Row[Any]]) -> bool:
    """Return whether a helper kept or taught the phrasing of these rows."""
    return any(r.standing == Standing.KEPT for r in group)


_COLUMNS = tuple(
    column.name
    for column in learned.c
    if column.name not in ("wording", "chosen", "counts", "standing", "own_words", "learned_at")
)


def phrasing_of(group: Sequence[Row[Any]], *, only_kept: bool) -> LearnedPhrasing:
    """Return the rows of one phrasing as it was taught first.

    It counts for the guild if it is agreed upon; with ``only_kept``, if a helper kept it.
    """
    first, agreed, kept = group[0], is_agreed(group), is_kept(group)
    return LearnedPhrasing(
        **{name: getattr(first, name) for name in (*_COLUMNS, "key", "title")},
        learned_at=from_micros(group[-1].learned_at),
        confirmed=kept if only_kept else agreed,
        agreed=agreed,
        kept=kept,
        teachers=tuple(row.user_id for row in group),
    )
