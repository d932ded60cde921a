"""The pace of requests to Discord that nobody waits for."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

A_SECOND = 10
"""Requests in a second, of all channels together: Discord serves fifty, and people come first."""


class MonotonicClock(Protocol):
    """A clock that goes up only, in seconds."""

    def now(self) -> float:
        """Return the time."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The computer's clock."""

    def now(self) -> float:
        """Return the time."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class RequestPace:
    """Has requests wait until they may begin.

    One begins where another has ended for a second, or none was: so no second has more of them,
    however long each is on its way.
    """

    def __init__(self, clock: MonotonicClock | None = None):
        self.clock: MonotonicClock = clock or SystemClock()
        self._free = [-math.inf] * A_SECOND  # when each may be followed by another, as a heap
        self._slots = asyncio.Semaphore(A_SECOND)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a request may begin, which is made within the block."""
        async with self._slots:
            free = heapq.heappop(self._free)
            try:
                if (wait := free - self.clock.now()) > 0:
                    await self.clock.sleep(wait)
                free = math.inf
                yield
            finally:
                if free == math.inf:
                    free = self.clock.now() + 1.0
                heapq.heappush(self._free, free)
