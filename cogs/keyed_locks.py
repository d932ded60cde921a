"""Locks for channels and messages, by their ids."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class KeyedLocks:
    """A lock for each channel or message, which exists while somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def at(self, snowflake: int) -> asyncio.Lock:
        """Return the lock of a channel or message."""
        return self._locks.setdefault(snowflake, asyncio.Lock())
