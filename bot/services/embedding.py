"""Making vectors of what threads mean, and keeping the neighbours in step with the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.search.engine import Engine
from bot.services.steps import in_thread
from bot.store import threads, vectors
from bot.store.database import Database

if TYPE_CHECKING:
    from bot.search.meaning.eye import Meaning

BATCH = 128
"""Threads whose vectors are made and written at a time: about a second's work."""

READ_BATCH = 1_000
"""Threads whose vectors are read from the store at a time."""

Progress = Callable[[int], None]
"""Told how many threads were done since the last call."""

log = logging.getLogger(__name__)


class Embedding:
    """The store's vectors and the engine's eye for meaning; without one, nothing happens."""

    def __init__(self, database: Database, engine: Engine):
        self._database, self._engine = database, engine
        self._one_at_a_time = asyncio.Lock()
        self._one_lesson_at_a_time = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """About how many threads have no vectors yet."""
        if self._engine.meaning is None:
            return 0
        return max(0, len(self._engine) - self._engine.meaning.neighbours.threads)

    async def make(self, progress: Progress | None = None) -> None:
        """Make the vectors that are missing and take them in, a batch after the other.

        Stopped in between, it goes on from there the next time. Raises ModelError.
        """
        while await self.make_some(progress):
            pass
        await self.make_learned()

    async def make_some(self, progress: Progress | None = None) -> bool:
        """Make a batch of what ``make`` would; False when there was nothing left to do."""
        meaning = self._engine.meaning
        if meaning is None:
            return False
        async with self._one_at_a_time:
            made = await self._make_batch(meaning)
            if made is None:
                return False
            await self._catch_up(meaning)
        if progress is not None:
            progress(made)
        return True

    async def make_learned(self) -> None:
        """Embed what members taught just now, or while there was no model, or another."""
        meaning = self._engine.meaning
        if meaning is not None:
            async with self._one_lesson_at_a_time:
                await self._make_learned(meaning)

    async def catch_up(self) -> None:
        """Take in what this or another process has made."""
        meaning = self._engine.meaning
        if meaning is not None:
            async with self._one_at_a_time:
                await self._catch_up(meaning)
            await self.save()  # or a million would be read anew after a crash

    async def save(self) -> None:
        """Write down what the neighbours hold if much is new, so that the next start is quick."""
        meaning = self._engine.meaning
        if meaning is not None:
            try:
                await in_thread(meaning.neighbours.save)
            except OSError as error:
                log.warning("the neighbours can't be saved, the next start takes longer: %s", error)

    async def _make_batch(self, meaning: Meaning) -> int | None:
        """Embed the next threads of the feed; ``None`` when there are no more."""
        model = meaning.model
        async with self._database.read() as connection:
            seq = await vectors.done(connection, model)
            now, changed = await threads.changed_after(connection, seq, BATCH, text=True)
            missing = await vectors.lacking(connection, [*changed], model)
        if now == seq:
            return None
        packed = await in_thread(meaning.pack, [thread for thread, _ in missing])
        rows = {
            thread.id: (revision, data)
            for (thread, revision), data in zip(missing, packed, strict=True)
        }
        async with self._database.write() as connection:
            await vectors.put(connection, model, rows)
            await vectors.set_done(connection, model, now)
        return len(rows)

    async def _make_learned(self, meaning: Meaning) -> None:
        while True:
            async with self._database.read() as connection:
                found = await vectors.unlearnt(connection, meaning.model, BATCH, meaning.row_bytes)
            if not found:
                return
            packed = await in_thread(meaning.pack_texts, [text for _, text in found])
            rows = {i: data for (i, _), data in zip(found, packed, strict=True)}
            async with self._database.write() as connection:
                await vectors.put_learned(connection, meaning.model, rows)

    async def _catch_up(self, meaning: Meaning) -> None:
        neighbours = meaning.neighbours
        async with self._database.read() as connection:
            if neighbours.seq > await threads.last_change(connection):
                await in_thread(neighbours.clear)  # an older copy of the database was put back
        while True:
            async with self._database.read() as connection:
                seq, changed = await threads.changed_after(connection, neighbours.seq, READ_BATCH)
                found = await vectors.of_threads(connection, [*changed], meaning.model)
            if seq == neighbours.seq:
                return
            wrong = [i for i, vector in found.items() if not meaning.fits(vector.data)]
            if wrong:
                await self._discard(meaning, wrong)
                found = {i: vector for i, vector in found.items() if i not in wrong}
            rows = {i: {v.scope: v.data} for i, v in found.items()}
            await in_thread(meaning.take_in, rows, [i for i in changed if i not in rows], seq)

    async def _discard(self, meaning: Meaning, thread_ids: list[int]) -> None:
        """Have vectors made again whose length is not the model's."""
        async with self._database.write() as connection:
            count = await vectors.discard(connection, thread_ids, meaning.row_bytes)
        log.warning("vectors of %d threads have a wrong length: they are made again", count)
