"""Waiting for changes that other programs make to the library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

LONGEST_UNNOTICED, LONGEST_UNTOLD = 120.0, 60.0
"""Seconds after which changes are looked for although a file looks unchanged, or a server has sent
no notification: a connection may be lost without an error."""


class Watch(Protocol):
    """Tells one task when it is time to look for changes."""

    async def wait(self, seconds: float) -> bool:
        """Wait so long at most; return whether there may be changes to look for."""


class PollingWatch:
    """A watch for a database that doesn't tell of changes: each time, a look is due."""

    async def wait(self, seconds: float) -> bool:
        """Wait that long."""
        await asyncio.sleep(seconds)
        return True


class VersionWatch:
    """A watch over a version that each write changes: a look is due when it has.

    ``version`` gives what changes with each write, of this program as well; where it can't be
    had, a look is due. So is one after ``LONGEST_UNNOTICED``.
    """

    def __init__(self, version: Callable[[], Awaitable[object]]):
        self._version = version
        self._seen: object = None
        self._looked_at = -LONGEST_UNNOTICED

    async def wait(self, seconds: float) -> bool:
        """Wait that long; return whether a look is due."""
        await asyncio.sleep(seconds)
        now, version = asyncio.get_running_loop().time(), await self._version()
        if (
            version is not None
            and version == self._seen
            and now - self._looked_at < LONGEST_UNNOTICED
        ):
            return False
        self._seen, self._looked_at = version, now
        return True


class NotificationWatch:
    """A watch for a database that notifies: a look is due then, or after ``LONGEST_UNTOLD``.

    ``tell`` is called at each notification, and when the connection was lost that would hear it.
    """

    def __init__(self) -> None:
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
        if not self._told.is_set() and now - self._looked_at < LONGEST_UNTOLD:
            return False
        self._told.clear()
        self._looked_at = now
        return True
