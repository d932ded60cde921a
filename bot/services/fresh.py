"""What was just stored and waits to be indexed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from itertools import takewhile

from bot.search.documents import Indexed, Pieces
from bot.store.threads import Put

MOST_FRESH = 10_000_000
"""Characters of threads that are kept in memory between being stored and being indexed. The
index itself has ten thousand documents waiting, so more than some batches is for nothing."""


class News:
    """Whether more was stored since the last look, and whether more will be."""

    def __init__(self, *, ended: bool = False):
        self._ended = ended
        self._told = asyncio.Event()

    def tell(self, *, last: bool = False) -> None:
        """Something was stored; or, if this is the ``last``, nothing will be any more."""
        self._ended = last
        self._told.set()

    def look(self) -> bool:
        """To be called before looking at what is stored: whether that will be all."""
        self._told.clear()
        return self._ended

    async def more(self, seconds: float) -> bool:
        """Wait for something that is told after the last look; False if there is nothing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for may swallow that one is to leave
                await self._told.wait()
        return self._told.is_set()


class Fresh:
    """Threads that were just stored, so that most need not be read back to be indexed."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, int, Pieces, int]] = {}
        self._size = 0

    def add(self, put: Put, scope: int, pieces: Mapping[str, Pieces]) -> None:
        """Keep what was added, unless so much waits already that memory would grow."""
        for key, i in put.added.items():
            if not self.is_full:
                size = _size(pieces[key])
                self._kept[i] = (put.seq, scope, pieces[key], size)
                self._size += size

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept for now."""
        return self._size >= MOST_FRESH

    def take(self, changed: Mapping[int, int], now: int) -> dict[int, Indexed]:
        """Those of the threads that are kept and were not changed again since, by id.

        What is older than change ``now`` and not among them was indexed by somebody else.
        """
        found = {}
        for i in (self._kept.keys() & changed.keys()).union(self._older(now)):
            seq, scope, pieces, size = self._kept.pop(i)
            self._size -= size
            if i in changed and changed[i] <= seq:
                found[i] = (i, scope, pieces)
        return found

    def _older(self, now: int) -> list[int]:
        """Those kept of which the feed is past all changes, the oldest first."""
        kept = takewhile(lambda item: item[1][0] <= now, self._kept.items())
        return [i for i, _ in kept]


def _size(pieces: Pieces) -> int:
    """How many characters there are in a thread's texts."""
    return len(pieces.names) + len(pieces.card) + sum(map(len, pieces.said))
