"""A clock that tests put forward."""

from __future__ import annotations


class Clock:
    """Seconds that are what a test says, asked for by a call."""

    def __init__(self, now: float = 1_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now
