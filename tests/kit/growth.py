"""Growth of the processor time of some work with its size."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

TIMES = 4
MOST = 9.0
"""Times as long as four times the work may take: a square takes sixteen times."""
SLACK = 0.2
"""Seconds of processor time that say nothing of growth."""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Do some work; returns its processor time, which is the same on a busy machine.

    The garbage collector waits: a visit to all that the tests before have left takes longer than
    the work itself.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        began = time.process_time()
        work()
        return time.process_time() - began
    finally:
        if is_collecting:
            gc.enable()


def check_linear(work: Callable[[int], object], size: int) -> None:
    """Fail where four times as much takes far longer than four times as long."""
    small = min(cpu_seconds(lambda: work(size)) for _ in range(2))
    large = cpu_seconds(lambda: work(TIMES * size))
    if large > MOST * small + SLACK:  # other processes may have had the caches just then
        large = min(large, cpu_seconds(lambda: work(TIMES * size)))
    assert large <= MOST * small + SLACK, f"{small:.2f} s became {large:.2f} s"
