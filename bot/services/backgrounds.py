"""Measuring the backgrounds of what servers see, while nothing else is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice

from bot.errors import SearchError, ThreadwiseError
from bot.search.background import Background
from bot.search.engine import Engine
from bot.search.index import IndexDamaged
from bot.services.queues import Busy, FairQueue

STEPS = 4
"""Questions that are asked before another may come: some 20 ms."""

UNREADABLE = (
    "the embedding model can't tell the texts of the library apart, as of a language that it "
    "has not learnt: questions are matched by their words alone"
)

log = logging.getLogger(__name__)


class Backgrounds:
    """Measures, one after the other, what servers see as their questions come.

    ``searching`` is the queue in which questions wait: each few steps of a measurement are one
    of them, so that no question waits for more.
    """

    def __init__(self, engine: Engine, searching: FairQueue):
        self._engine, self._searching = engine, searching
        self._waiting: dict[int, None] = {}  # servers, in order
        self._failed: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def look(self, guild_id: int) -> None:
        """Have the background of what a server sees measured soon, if its questions had none."""
        if guild_id in self._engine.unmeasured:
            self.begin(guild_id)

    def begin(self, guild_id: int) -> None:
        """Have the background of what a server sees measured soon, if there is none."""
        if guild_id not in self._failed:
            self._waiting[guild_id] = None
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name="measure backgrounds")

    async def measure(self, guild_id: int) -> None:
        """Measure the background of what a server sees now, if there is none.

        One that can't be measured is said in the log; it is not tried again, unless that was
        because the index is being mended.
        """
        if guild_id in self._failed:
            return
        try:
            if await self._known(guild_id) is None:
                steps = self._engine.measure_background(guild_id)
                while await self._searching.run(guild_id, _some, steps):
                    pass
                _say(guild_id, await self._known(guild_id))
        except (Busy, IndexDamaged):
            return  # later
        except (ThreadwiseError, OSError) as error:
            self._failed.add(guild_id)
            log.warning("how sure answers are can't be measured on this library: %s", error)

    async def answered(self, guild_id: int, threshold: float) -> tuple[float, float] | None:
        """Return what shares of a server's questions would be answered from a threshold on.

        Rightly, of those that have an answer in what it sees; at all, of those that have none.
        None where that isn't known.
        """
        try:
            known = await self._known(guild_id)
        except (Busy, SearchError):
            return None
        if known is None or known.outcomes is None or not known.readable:
            return None
        return known.outcomes.answered(threshold)

    async def stop(self) -> None:
        """End what is being measured."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            guild_id = next(iter(self._waiting))
            try:
                await self.measure(guild_id)
            except Exception:  # the other servers must not wait for ever
                self._failed.add(guild_id)
                log.exception("the background of guild %d can't be measured", guild_id)
            finally:
                self._waiting.pop(guild_id, None)

    async def _known(self, guild_id: int) -> Background | None:
        return await self._searching.run(guild_id, self._engine.background, guild_id)


def _say(guild_id: int, known: Background | None) -> None:
    if known is None:
        return
    log.info("background of guild %d: unrelated %.2f, field %.2f",
             guild_id, known.unrelated, known.field)  # fmt: skip
    if not known.readable:
        log.warning("in guild %d, %s", guild_id, UNREADABLE)


def _some(steps: Iterator[None]) -> bool:
    """Do some steps; False at their end."""
    return len(list(islice(steps, STEPS))) == STEPS
