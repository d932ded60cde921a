"""Waiting for changes that other programs make to the library."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Watch(Protocol):
    """Tells one task when it is time to look for changes."""

    async def wait(self, seconds: float) -> bool:
        """Wait so long at most; return whether there may be changes to look for."""


class Polling:
    """Where nobody tells of changes: each time, there may be some."""

    async def wait(self, seconds: float) -> bool:
        """Wait that long."""
        await asyncio.sleep(seconds)
        return True


class Notified:
    """Where the database tells: a look is due when it did, or when nobody looked for ``longest``.

    ``tell`` is called at each notification, and when the connection was lost that would hear it.
    """

    def __init__(self, longest: float):
        self._longest = longest
        self._told = asyncio.Event()
        self._told.set()  # what was there before the first notification
        self._looked_at = 0.0

    def tell(self) -> None:
        """Make a look due."""
        self._told.set()

    async def wait(self, seconds: float) -> bool:
        """Wait so long at most, or until a look is due; return whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            pass
        now = asyncio.get_running_loop().time()
        if not self._told.is_set() and now - self._looked_at < self._longest:
            return False
        self._told.clear()
        self._looked_at = now
        return True
