"""Dates that can't be: so far ahead that no clock is that wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.models import Thread

_SOON = timedelta(days=366)
"""How far ahead of this computer's clock a date may be."""


def is_far(date: datetime | None) -> bool:
    """Whether a date is in the far future."""
    return date is not None and date > datetime.now(UTC) + _SOON


def timely(thread: Thread, warn: Callable[[str], None]) -> Thread:
    """The thread without dates in the far future; ``warn`` is told of each."""

    def checked(name: str, date: datetime | None) -> datetime | None:
        if date is None or not is_far(date):
            return date
        warn(f"{name} {date:%Y-%m-%d} is far in the future, and was left out")
        return None

    dates = [thread.asked_at, thread.closed_at, *(a.answered_at for a in thread.answers)]
    if not any(map(is_far, dates)):
        return thread
    answers = (
        replace(answer, answered_at=checked(f"answers[{index}].answered_at", answer.answered_at))
        for index, answer in enumerate(thread.answers)
    )
    return replace(
        thread,
        asked_at=checked("asked_at", thread.asked_at),
        closed_at=checked("closed_at", thread.closed_at),
        answers=tuple(answers),
    )
