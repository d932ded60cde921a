"""The making of vectors of threads and phrasings, in step with the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from bot.models import MAX_PHRASINGS, StoredThread
from bot.search.engine import Engine
from bot.services.queues import EmbeddingQueue, ToEmbed
from bot.store import change_feed, vectors
from bot.store.database import Database
from bot.store.vectors import Unfinished
from bot.worker import in_thread

if TYPE_CHECKING:
    from bot.search.semantic.retrieval import SemanticIndex

EMBEDDED_AT_ONCE = 128
"""Threads, or phrasings, whose vectors are made and written at a time: about a second's work."""

LOOKED_AT = 5_000
"""Changes of the library that are looked at together."""

READ_BATCH = 1_000
"""Threads whose vectors are read from the store at a time."""

Progress = Callable[[int], None]
"""Told how many threads were done since the last call."""

log = logging.getLogger(__name__)


class Embedding:
    """Keeps the engine's vectors in step with the store; without a model, nothing happens."""

    def __init__(self, database: Database, engine: Engine):
        self._database, self._engine = database, engine
        self._queue = EmbeddingQueue()
        self._one_at_a_time = asyncio.Lock()
        self._one_lesson_at_a_time = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """About how many threads have no vectors yet."""
        if self._engine.meaning is None:
            return 0
        return max(0, len(self._engine) - self._engine.meaning.vector_index.threads)

    async def make(self, progress: Progress | None = None) -> None:
        """Make the vectors that are missing and take them in, a batch after the other.

        Scopes take turns, so that none waits for the whole of another.
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
        """Make the vectors of learned phrasings that have none of this model."""
        while await self.make_some_learned():
            pass

    async def make_some_learned(self) -> bool:
        """Embed some of what ``make_learned`` would; False when there was nothing left to do."""
        meaning = self._engine.meaning
        if meaning is None:
            return False
        async with self._one_lesson_at_a_time:
            return await self._make_learned(meaning)

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
                await in_thread(meaning.vector_index.save)
            except OSError as error:
                log.warning("the neighbours can't be saved, the next start takes longer: %s", error)

    async def _make_batch(self, meaning: SemanticIndex) -> int | None:
        """Embed what is next; ``None`` when there is no more. Returns how many threads."""
        await self._look(meaning)
        while work := self._queue.take(EMBEDDED_AT_ONCE):
            try:
                made = await self._do(meaning, work)
            except BaseException:
                self._queue.put_back(work)
                raise
            if made is not None:
                return made
        done = await self._database.reading(vectors.done, meaning.model)
        if self._queue.seq > done:
            await self._database.writing(vectors.set_done, meaning.model, self._queue.seq)
        return None

    async def _look(self, meaning: SemanticIndex) -> None:
        """See which threads were changed since the last look, by this process or another."""
        queue, ended = self._queue, False
        while not ended:
            async with self._database.read() as connection:
                if queue.seq > await change_feed.last_change(connection):
                    queue.clear()  # an older copy of the database was put back
                since = max(queue.seq, await vectors.done(connection, meaning.model))
                queue.seq, changed = await change_feed.changed_after(
                    connection, since, LOOKED_AT, text=True
                )
            for thread_id, noted in changed.items():
                queue.add(noted.scope, thread_id)
            ended = queue.seq == since

    async def _do(self, meaning: SemanticIndex, work: Sequence[ToEmbed]) -> int | None:
        """Embed some threads and phrasings; ``None`` where that had been done."""
        model, scopes = meaning.model, {i: scope for scope, i, count in work if not count}
        ids = [one.thread_id for one in work if one.phrasings]
        async with self._database.read() as connection:
            missing = await vectors.without_vectors(connection, [*scopes], model)
            new = {thread.id for thread, _ in missing}
            # Of some, another process may have made the first row, or we before a restart.
            begun = [i for i in scopes if i not in new]
            later = await vectors.without_phrasings(connection, begun, model, meaning.row_bytes)
            unfinished = await vectors.without_phrasings(connection, ids, model, meaning.row_bytes)
        for this in later:
            self._queue.add(scopes[this.thread_id], this.thread_id, len(this.texts))
        rows = await self._threads(meaning, missing) | await self._phrasings(meaning, unfinished)
        if not rows:
            return None
        async with self._database.write() as connection:
            await vectors.begin(connection, model)
            await vectors.put(connection, model, rows)
        for thread, _ in missing:
            if count := min(len(thread.phrasings), MAX_PHRASINGS):
                self._queue.add(thread.scope, thread.id, count)
        return len(missing)

    async def _threads(
        self, meaning: SemanticIndex, missing: Sequence[tuple[StoredThread, int]]
    ) -> dict[int, tuple[int, bytes]]:
        """Return the vectors of threads without their phrasings: revisions and rows, by id."""
        alone = [replace(thread, phrasings=()) for thread, _ in missing]
        # Who is told to leave doesn't wait for the model, which uses nothing but itself.
        packed = await asyncio.to_thread(meaning.pack, alone) if alone else []
        return {
            thread.id: (revision, data)
            for (thread, revision), data in zip(missing, packed, strict=True)
        }

    async def _phrasings(
        self, meaning: SemanticIndex, unfinished: Sequence[Unfinished]
    ) -> dict[int, tuple[int, bytes]]:
        """Return the vectors of threads with their phrasings: revisions and rows, by id."""
        texts = [text for this in unfinished for text in this.texts]
        made = iter(await asyncio.to_thread(meaning.pack_texts, texts) if texts else [])
        return {
            this.thread_id: (this.revision, this.own + b"".join(islice(made, len(this.texts))))
            for this in unfinished
        }

    async def _make_learned(self, meaning: SemanticIndex) -> bool:
        found = await self._database.reading(
            vectors.learned_without_vector, meaning.model, EMBEDDED_AT_ONCE, meaning.row_bytes
        )
        if not found:
            return False
        packed = await asyncio.to_thread(meaning.pack_texts, [text for _, text in found])
        rows = {i: data for (i, _), data in zip(found, packed, strict=True)}
        await self._database.writing(vectors.put_learned, meaning.model, rows)
        return True

    async def _catch_up(self, meaning: SemanticIndex) -> None:
        vector_index = meaning.vector_index
        async with self._database.read() as connection:
            last = await change_feed.last_change(connection)
            if not await change_feed.floor(connection) <= vector_index.seq <= last:
                # An older copy of the database was put back, or this one was away for long.
                await in_thread(vector_index.clear)
        while True:
            async with self._database.read() as connection:
                since = vector_index.seq
                seq, changed = await change_feed.changed_after(connection, since, READ_BATCH)
                found = await vectors.of_threads(connection, [*changed], meaning.model)
            if seq == vector_index.seq:
                return
            wrong = [i for i, vector in found.items() if not meaning.fits(vector.data)]
            if wrong:
                await self._discard(meaning, wrong)
                found = {i: vector for i, vector in found.items() if i not in wrong}
            rows = {i: {v.scope: v.data} for i, v in found.items()}
            await in_thread(meaning.update, rows, [i for i in changed if i not in rows], seq)

    async def _discard(self, meaning: SemanticIndex, thread_ids: list[int]) -> None:
        """Have vectors made again whose length is not the model's."""
        count = await self._database.writing(vectors.discard, thread_ids, meaning.row_bytes)
        log.warning("vectors of %d threads have a wrong length: they are made again", count)
