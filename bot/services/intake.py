"""Threads on their way into the store: read ahead, made where they must be, in order.

Reading, making and storing go on at the same time, each a batch ahead of the next. What
the library has just so, by its fingerprint, is not made at all; where much has to be made,
other processes do it.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from time import monotonic

from bot.models import Thread
from bot.services.makers import Made, Makers
from bot.services.steps import in_thread
from bot.sources import Draft, Found
from bot.store import threads
from bot.store.database import Database
from bot.store.threads import Prints

BATCH = 500
"""Threads a transaction: an import that is stopped keeps its finished batches."""

AHEAD = 3
"""Batches that are read or made while another is stored."""

SWITCH = 0.0005
"""Seconds after which a thread must let others on: the store has many short answers to wait
for, and each would wait for the reader as long as Python lets one thread run on, 5 ms."""

PATIENCE = 0.2
"""Seconds after which a reader that is busy is asked how far it is."""


@dataclass
class Batch:
    """Some threads: those ``known`` just so, and those to be put, made.

    ``prints`` are those of threads that were drafts, by key.
    ``problems`` says of keys why no thread could be made. An empty batch only says that
    the reader is still at it.
    """

    known: list[Found] = field(default_factory=list)
    made: list[Thread] = field(default_factory=list)
    prints: dict[str, Prints] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.known) + len(self.made)


class Intake:
    """One import's threads in batches; closed when they are all taken."""

    def __init__(self, database: Database, scope: int, found: Iterator[Found | None], size: int):
        self._database, self._scope, self._found, self._size = database, scope, found, size
        self._makers = Makers()
        self._reading = asyncio.Lock()

    async def batches(self) -> AsyncGenerator[Batch]:
        """Every batch in order, ready to be put."""
        ahead: deque[asyncio.Task[Batch | None]] = deque()
        before = sys.getswitchinterval()
        sys.setswitchinterval(min(before, SWITCH))
        try:
            while True:
                while len(ahead) < AHEAD:
                    ahead.append(asyncio.create_task(self._next()))
                batch = await ahead[0]
                ahead.popleft()
                if batch is None:
                    return
                yield batch
        finally:
            sys.setswitchinterval(before)
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)
            await in_thread(self._makers.close)

    async def _next(self) -> Batch | None:
        async with self._reading:  # one at a time, and so in order
            found = await in_thread(self._take)
        return None if found is None else await self._prepared(found)

    def _take(self) -> dict[str, Found] | None:
        """The next threads by source key; of two with one key the later holds."""
        taken: dict[str, Found] = {}
        until, count = monotonic() + PATIENCE, 0
        for one in self._found:
            if one is not None:
                taken[one.key] = one
                count += 1
            if count >= self._size or (one is None and monotonic() > until):
                return taken
        return taken or None

    async def _prepared(self, found: dict[str, Found]) -> Batch:
        """Look up what is there just so, and make the rest."""
        batch = Batch()
        drafts = {key: one for key, one in found.items() if isinstance(one, Draft)}
        there: dict[str, str] = {}
        if drafts:
            async with self._database.read() as connection:
                there = await threads.fingerprints(connection, self._scope, list(drafts))
        batch.known = [d for key, d in drafts.items() if there.get(key) == d.fingerprint]
        wanted = [d for key, d in drafts.items() if there.get(key) != d.fingerprint]
        made = iter(await in_thread(self._makers.make, wanted)) if wanted else iter(())
        for key, one in found.items():
            if isinstance(one, Thread):
                batch.made.append(one)
            elif there.get(key) != one.fingerprint:
                self._take_made(batch, one, next(made))
        return batch

    @staticmethod
    def _take_made(batch: Batch, draft: Draft, made: Made | str) -> None:
        if isinstance(made, str):
            batch.problems[draft.key] = made
        else:
            batch.made.append(made.thread)
            batch.prints[draft.key] = Prints(made.digest, draft.fingerprint)
