"""Retiring what a newer copy of a source has no longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

from bot.services.again import Again
from bot.services.reading import Item
from bot.store.database import Database
from bot.store.prune import Seen, count_of, retire_unseen

BATCH = 1_000
"""Threads that are looked at in one transaction."""


class Pruning:
    """Notes what an import brings, and at its end retires the rest of the same sources.

    What was noted is forgotten when the ``with`` ends.
    """

    def __init__(self, database: Database, scope: int):
        self._database, self._scope = database, scope
        self._seen = Seen()
        self._sources: set[str] = set()

    def noting(self, found: Iterable[Item | None]) -> Iterator[Item | None]:
        """The same threads, noted while they go by."""
        for one in found:
            if one is not None:
                self._seen.add([one.key])
                if one.source is not None:
                    self._sources.add(one.source)
            yield one

    def keep(self, keys: Iterable[str]) -> None:
        """Note keys under which the library has threads that were brought by others."""
        self._seen.add(keys)

    async def is_other(self, brought: int) -> bool:
        """Of an import in which all was new: whether there was something of its sources before.

        Then it may well be something else that is called the same.
        """
        async with self._database.read() as connection:
            return await count_of(connection, self._scope, self._sources) > brought

    async def retire(self, again: Again) -> int:
        """Retire what did not go by; returns how many threads that were."""
        after: int | None = 0
        total = 0
        while after is not None:
            async with again.writing() as connection:
                after, gone = await retire_unseen(
                    connection, self._scope, self._sources, self._seen, after, BATCH
                )
            total += gone
        return total

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._seen.close()
