"""Moments as the tables keep them: Unix microseconds, exact and sortable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime | None) -> int | None:
    """An aware moment as Unix microseconds."""
    return None if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int | None) -> datetime | None:
    """The moment that ``to_micros`` made this number of, in UTC."""
    return None if micros is None else EPOCH + timedelta(microseconds=micros)
