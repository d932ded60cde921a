"""Work that holds a thread, or all of them, for tests of who is blamed for it."""

from __future__ import annotations

import time
from collections.abc import Callable


def spin(until: Callable[[], bool], seconds: float) -> None:
    """Work without a pause until something is so, but for so many seconds at most."""
    ends = time.thread_time() + seconds
    while not until() and time.thread_time() < ends:
        pass


def hold_the_interpreter() -> None:
    """Do something in one step that no other thread can interrupt: some 0.4 s of work."""
    sum(range(20_000_000))
