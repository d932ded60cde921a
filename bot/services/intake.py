"""Threads on their way into the store: read ahead, made where they must be, in order.

Reading, making and storing go on at the same time, each a batch ahead of the next. What
the library has just so, by its fingerprint, is not made at all.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.services.reading import Item, Ready, some
from bot.services.steps import in_thread
from bot.store import threads
from bot.store.database import Database

BATCH = 1_000
"""Threads a transaction: an import that is stopped keeps its finished batches."""

AHEAD = 3
"""Batches that are read or made while another is stored."""

SWITCH = 0.0005
"""Seconds after which a thread must let others on: the store has many short answers to wait
for, and each would wait for who indexes, or reads here, as long as Python lets one thread run
on, 5 ms."""

_USUAL = sys.getswitchinterval()

Make = Callable[[Sequence[Item], Sequence[Item]], list[Ready | str]]
"""As ``Reader.make``."""


@dataclass
class Batch:
    """Some threads: how many are ``known`` just so, and those to be put, made.

    ``problems`` says of keys why no thread could be made. An empty batch only says that
    the reader is still at it.
    """

    known: int = 0
    made: list[Ready] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.known + len(self.made)


class Intake:
    """One import's threads in batches."""

    def __init__(self, database: Database, scope: int, found: Iterator[Item | None], make: Make):
        self._database, self._scope = database, scope
        self._found, self._make = found, make
        self._reading = asyncio.Lock()

    async def batches(self) -> AsyncGenerator[Batch]:
        """Every batch in order, ready to be put."""
        ahead: deque[asyncio.Task[Batch | None]] = deque()
        _let_others_on(1)
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
            _let_others_on(-1)
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _next(self) -> Batch | None:
        async with self._reading:  # one at a time, and so in order
            found, ended = await in_thread(some, self._found, BATCH)
        return None if ended and not found else await self._prepared(found)

    async def _prepared(self, items: Sequence[Item]) -> Batch:
        """Look up what is there just so, and make the rest; of two with one key the later."""
        found = {item.key: item for item in items}
        there: dict[str, str] = {}
        if drafts := [key for key, item in found.items() if item.fingerprint is not None]:
            async with self._database.read() as connection:
                there = await threads.fingerprints(connection, self._scope, drafts)
        known: list[Item] = []
        wanted: list[Item] = []
        for key, item in found.items():
            is_known = key in there and there[key] == item.fingerprint
            (known if is_known else wanted).append(item)
        batch = Batch(len(known))
        known += [item for item in items if found[item.key] is not item]
        for item, made in zip(wanted, await in_thread(self._make, wanted, known), strict=True):
            if isinstance(made, str):
                batch.problems[item.key] = made
            else:
                batch.made.append(made)
        return batch


_at_it = 0  # imports of this process


def _let_others_on(more: int) -> None:
    """Switch between threads sooner while any import is at it."""
    global _at_it
    _at_it += more
    sys.setswitchinterval(min(_USUAL, SWITCH) if _at_it else _USUAL)
