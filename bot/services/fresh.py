"""What imports have stored and the index doesn't have yet, and whoever indexes it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile

from bot.search.documents import Indexed, Pieces
from bot.store.threads import Put

MOST_FRESH = 10_000_000
"""Characters of threads that are kept in memory between being stored and being indexed. The
index itself has ten thousand documents waiting, so more than some batches is for nothing."""

PAUSE = 0.1
"""Seconds between looks whether the index has come nearer."""


class News:
    """Whether more was stored since the last look, and whether more will be."""

    def __init__(self, *, ended: bool = False):
        self._ended = ended
        self._told = asyncio.Event()

    def tell(self, *, last: bool = False) -> None:
        """Something was stored; or, if this is the ``last``, nothing will be any more."""
        self._ended = self._ended or last
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


@dataclass
class Alongside:
    """Indexing that goes on while imports store: one for all imports of this process.

    ``imports`` are at it now. What is stored up to change ``wanted`` is to be found soon,
    and what is up to ``committed`` can be. ``task`` is there once there is anything to index.
    """

    fresh: Fresh = field(default_factory=Fresh)
    news: News = field(default_factory=News)
    imports: int = 0
    wanted: int = 0
    committed: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on until the last of the imports is done."""
        return self.imports > 0 and self.task is not None and not self.task.done()

    async def room(self) -> None:
        """Wait while much is stored that is not indexed. Raises what indexing failed at."""
        while self.is_running and self.fresh.is_full:
            await asyncio.sleep(PAUSE)
        self._check()

    async def until(self, seq: int) -> None:
        """Wait until what is stored up to change ``seq`` is found, or nobody indexes any more.

        Raises what indexing failed at.
        """
        self.wanted = max(self.wanted, seq)
        self.news.tell()
        while self.is_running and self.committed < seq:
            await asyncio.sleep(PAUSE)
        self._check()

    async def sees_to(self, is_done: Callable[[], bool]) -> bool:
        """Wait until something is done by whoever indexes; False if nobody does any more."""
        while not is_done():
            if not self.is_running:
                return False
            self.news.tell()
            await asyncio.sleep(PAUSE)
        return True

    async def end(self) -> None:
        """Stop indexing, where an import was told to leave and no other goes on."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])

    def _check(self) -> None:
        if self.task is not None and self.task.done() and not self.task.cancelled():
            self.task.result()
