"""How quickly requests to Discord may follow each other that nobody waits for."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

A_SECOND = 10
"""Requests in a second, of all channels together: Discord serves fifty, and people come first."""

SECOND = 1.1
"""Seconds in which so many may begin: with a margin, as they don't all take equally long."""


class Clock(Protocol):
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
    """Has requests wait until they may begin, in the order in which they came."""

    def __init__(self, clock: Clock | None = None):
        self.clock: Clock = clock or SystemClock()
        self._begun: deque[float] = deque(maxlen=A_SECOND)
        self._gate = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until one more request may begin."""
        async with self._gate:
            if len(self._begun) == A_SECOND:
                wait = self._begun[0] + SECOND - self.clock.now()
                if wait > 0:
                    await self.clock.sleep(wait)
            self._begun.append(self.clock.now())
