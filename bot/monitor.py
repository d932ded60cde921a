"""The state of a running bot, as those see it who look after it: well, ready, and how busy."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.app import App
from bot.client import ThreadBot
from bot.errors import ThreadwiseError, counted

FRESH_SECONDS = 1.0
"""Seconds for which what was seen is told again: looking reads the database."""

LOOK_SECONDS = 5.0
"""Seconds after which a database that hasn't answered counts as one that can't be read."""

LAG_SECONDS = 60.0
"""Seconds for which the index may be behind before the bot counts as not ready: what an import
stores is indexed in half of that, and while the index gets on, nobody need be alarmed."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The state of a bot at one moment.

    ``ill`` and ``unready`` say in a few words each what is wrong; they are empty if nothing is.
    """

    ill: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    index_lag: int | None = None


class Monitor:
    """Looks at a bot while it is watched; before and afterwards there is nothing to be seen."""

    def __init__(self) -> None:
        self.app: App | None = None
        self.bot: ThreadBot | None = None
        self._is_stopping = False
        self._looking = asyncio.Lock()
        self._seen, self._seen_at = Observation(), -math.inf
        self._index = _IndexProgress()

    @contextmanager
    def watching(self, app: App) -> Iterator[None]:
        """Look at an opened library until the block ends, which is before it is closed."""
        self.app = app
        try:
            yield
        finally:
            self._is_stopping, self.app, self.bot = True, None, None

    async def look(self) -> Observation:
        """Return what is to be seen just now, or was a moment ago."""
        async with self._looking:
            if time.monotonic() - self._seen_at >= FRESH_SECONDS:
                self._seen, self._seen_at = await self._look(), time.monotonic()
            return self._seen

    async def _look(self) -> Observation:
        app = self.app
        if app is None:
            return Observation(
                unready=("it is stopping" if self._is_stopping else "it is starting",)
            )
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                lag = await app.index_lag()
        except (ThreadwiseError, TimeoutError) as error:
            why = f"the database can't be read: {str(error) or 'no answer'}"
            return Observation((why,), (why, *self._disconnected()))
        self._index.note(lag, app.engine.seq)
        behind = f"the index is {counted(lag, 'changes')} behind"
        slow = () if self._index.is_in_step else (behind,)
        return Observation((), (*self._disconnected(), *slow), lag)

    def _disconnected(self) -> tuple[str, ...]:
        """Return what keeps the bot from hearing Discord, if anything does."""
        bot = self.bot
        if bot is None or not bot.is_ready():
            return ("it is not connected to Discord yet",)
        closed = sorted(i for i, shard in bot.shards.items() if shard.is_closed())
        return tuple(f"shard {i} is not connected to Discord" for i in closed)


class _IndexProgress:
    """Tells an index that gets on from one that is behind and stays there."""

    def __init__(self) -> None:
        self._seq, self._moved_at = -1, -math.inf
        self.is_in_step = False

    def note(self, lag: int, seq: int) -> None:
        """Note how many changes the index is behind, and up to which it is."""
        now = time.monotonic()
        if not lag or (seq != self._seq and self._seq >= 0):
            self._moved_at = now
        self._seq = seq
        self.is_in_step = now - self._moved_at < LAG_SECONDS
