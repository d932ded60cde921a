"""How the time for some work grows with its size."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMES = 4
MOST = 9.0
"""Times as long as four times the work may take: a square takes sixteen times."""
SLACK = 0.2
"""Seconds of processor time that say nothing of growth."""


def seconds(work: Callable[[int], object], size: int) -> float:
    """The processor time that the work of this size takes, in seconds."""
    began = time.process_time()
    work(size)
    return time.process_time() - began


def check_linear(work: Callable[[int], object], size: int) -> None:
    """Fail where four times as much takes far longer than four times as long."""
    small = min(seconds(work, size) for _ in range(2))
    large = seconds(work, TIMES * size)
    if large > MOST * small + SLACK:  # other processes may have had the caches just then
        large = min(large, seconds(work, TIMES * size))
    assert large <= MOST * small + SLACK, f"{small:.2f} s became {large:.2f} s"
