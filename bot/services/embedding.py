"""The making of vectors of threads and phrasings, in step with the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from bot.models import MAX_PHRASINGS, SHARED, VectorStage
from bot.search.engine import Engine
from bot.services.queues import EmbeddingQueue, ToEmbed, Work
from bot.store import change_feed, stats, threads, vectors
from bot.store.database import Database
from bot.store.vectors import Made, Pending
from bot.worker import in_thread

if TYPE_CHECKING:
    from bot.search.semantic.retrieval import SemanticIndex
    from bot.search.semantic.vector_index import VectorIndex

EMBEDDED_AT_ONCE = 128
"""Titles whose vectors are made and written at a time, or as much of others: at most about a
second's work."""

CHANGES_AT_ONCE = 5_000
"""Changes of the library that are looked at together."""

READ_BATCH = 1_000
"""Threads whose vectors are read from the store at a time."""

EmbeddingProgress = Callable[[int], None]
"""Told how many threads have the last of the stages asked for, since the last call."""

log = logging.getLogger(__name__)


class Embedding:
    """Keeps the engine's vectors in step with the store; without a model, nothing happens."""

    def __init__(self, database: Database, engine: Engine):
        self._database, self._engine = database, engine
        self._queue = EmbeddingQueue()
        self._one_at_a_time = asyncio.Lock()
        self._one_lesson_at_a_time = asyncio.Lock()
        self._may_make: Callable[[], Awaitable[bool]] = _always
        self.is_anothers = False  # another process makes what is missing

    def share(self, may_make: Callable[[], Awaitable[bool]]) -> None:
        """Make vectors only while ``may_make`` says so: otherwise another process does."""
        self._may_make = may_make

    @property
    def waiting(self) -> int:
        """About how many threads have no vectors yet."""
        if self._engine.semantic is None:
            return 0
        return max(0, len(self._engine) - self._engine.semantic.vector_index.threads)

    async def unfinished(self, limit: int) -> int:
        """Count the threads of which some vectors are missing; at most ``limit`` of them."""
        semantic = self._engine.semantic
        if semantic is None:
            return 0
        return await self._database.reading(vectors.unfinished, semantic.model, limit)

    async def make(
        self, progress: EmbeddingProgress | None = None, last: VectorStage = VectorStage.BODY
    ) -> None:
        """Make the vectors that are missing and take them in, a batch after the other.

        Titles come first, for the whole library, then phrasings, then bodies. In each stage
        scopes take turns, so that none waits for the whole of another. Stopped in between, it
        goes on from there the next time. Stages after the ``last`` are left. Raises ModelError.
        """
        while await self.make_some(progress, last):
            pass
        await self._take_in()  # what was written before it was stopped the last time
        await self.make_learned()

    async def make_some(
        self, progress: EmbeddingProgress | None = None, last: VectorStage = VectorStage.BODY
    ) -> bool:
        """Make a batch of what ``make`` would; False when there was nothing left to do."""
        semantic = self._engine.semantic
        if semantic is None:
            return False
        async with self._one_at_a_time:
            reached = await self._make_batch(semantic, last)
            if reached is None:
                return False
            await self._catch_up(semantic)
        if progress is not None:
            progress(sum(stage >= last for stage in reached))
        return True

    async def make_learned(self) -> None:
        """Make the vectors of learned phrasings that have none of this model."""
        while await self.make_some_learned():
            pass

    async def make_some_learned(self) -> bool:
        """Embed some of what ``make_learned`` would; False when there was nothing left to do."""
        semantic = self._engine.semantic
        if semantic is None:
            return False
        async with self._one_lesson_at_a_time:
            return await self._make_learned(semantic)

    async def catch_up(self) -> None:
        """Take in what this or another process has made."""
        if self._engine.semantic is not None:
            await self._take_in()
            await self.save()  # or a million would be read anew after a crash

    async def _take_in(self) -> None:
        """Take in what was written."""
        if self._engine.semantic is not None:
            async with self._one_at_a_time:
                await self._catch_up(self._engine.semantic)

    async def save(self) -> None:
        """Write down what the neighbours hold if much is new, so that the next start is quick."""
        semantic = self._engine.semantic
        if semantic is not None:
            try:
                await in_thread(semantic.vector_index.save)
                await in_thread(semantic.backgrounds.keep, {SHARED, *semantic.vector_index.scopes})
            except OSError as error:
                log.warning("the neighbours can't be saved, the next start takes longer: %s", error)

    async def _make_batch(
        self, semantic: SemanticIndex, last: VectorStage
    ) -> list[VectorStage] | None:
        """Embed what is next; returns the stage that each thread reached, ``None`` at the end."""
        await self._look(semantic)
        self.is_anothers = False
        while work := self._queue.take(EMBEDDED_AT_ONCE, last):
            reached: list[VectorStage] | None = None
            try:
                self.is_anothers = not await self._may_make()
                if not self.is_anothers:
                    reached = await self._do(semantic, work)
            finally:
                if reached is None:
                    self._queue.put_back(work)
            if reached or self.is_anothers:
                return reached
        done = await self._database.reading(vectors.done, semantic.model)
        if last is VectorStage.BODY and self._queue.seq > done:
            await self._database.writing(vectors.set_done, semantic.model, self._queue.seq)
        return None

    async def _look(self, semantic: SemanticIndex) -> None:
        """See which threads were changed since the last look, by this process or another."""
        queue, ended = self._queue, False
        while not ended:
            async with self._database.read() as connection:
                if queue.seq > await change_feed.last_change(connection):
                    queue.clear()  # an older copy of the database was put back
                since = max(queue.seq, await vectors.done(connection, semantic.model))
                seq, changed = await change_feed.changed_after(
                    connection, since, CHANGES_AT_ONCE, text=True
                )
                found = await vectors.pending(connection, [*changed], semantic.model)
            for this in found:
                queue.add(VectorStage(this.made + 1), this.scope, _to_embed(this))
            queue.seq = seq  # only now: who is cancelled before has seen nothing
            ended = seq == since

    async def _do(self, semantic: SemanticIndex, work: Work) -> list[VectorStage]:
        """Embed some threads; returns the stages that they reached, none where it was done."""
        waiting = {one.thread_id: (scope, one) for scope, one in work.threads}
        known = await self._known(semantic, [*waiting])
        # Of some, another process may have made the stage meanwhile.
        mine = [i for i in waiting if i in known and known[i].stage == work.stage - 1]
        by_id = await self._database.reading(threads.fetch, mine, None)
        found = [by_id[i] for i in mine if i in by_id]
        # Who is told to leave doesn't wait for the model, which uses nothing but itself.
        data = [known[thread.id].data for thread in found]
        packed = await asyncio.to_thread(semantic.pack, work.stage, found, data) if found else []
        new = {
            thread.id: Made(known[thread.id].text_version, stage, rows)
            for thread, (stage, rows) in zip(found, packed, strict=True)
        }
        if new:
            async with self._database.write() as connection:
                await vectors.begin(connection, semantic.model)
                await vectors.put(connection, semantic.model, new)
        for i, made in (known | new).items():
            if made.stage < VectorStage.BODY:
                self._queue.add(VectorStage(made.stage + 1), *waiting[i])
        return [stage for stage, _ in packed]

    async def _known(self, semantic: SemanticIndex, ids: Sequence[int]) -> dict[int, Made]:
        """Return what is made of the threads in force, by id."""
        known = await self._database.reading(vectors.made, ids, semantic.model)
        wrong = [i for i, made in known.items() if made.stage and not semantic.fits(made.data)]
        if wrong:
            await self._discard(semantic, wrong)  # they begin anew
        return {i: made for i, made in known.items() if i not in wrong}

    async def _make_learned(self, semantic: SemanticIndex) -> bool:
        found = await self._database.reading(
            vectors.learned_without_vector, semantic.model, EMBEDDED_AT_ONCE, semantic.row_bytes
        )
        if not found:
            return False
        self.is_anothers |= not await self._may_make()
        if self.is_anothers:
            return False
        packed = await asyncio.to_thread(semantic.pack_texts, [text for _, text in found])
        rows = {i: data for (i, _), data in zip(found, packed, strict=True)}
        await self._database.writing(vectors.put_learned, semantic.model, rows)
        return True

    async def _catch_up(self, semantic: SemanticIndex) -> None:
        vector_index = semantic.vector_index
        async with self._database.read() as connection:
            last = await change_feed.last_change(connection)
            if not await change_feed.floor(connection) <= vector_index.seq <= last:
                # An older copy of the database was put back, or this one was away for long.
                await in_thread(vector_index.clear)
        while True:
            async with self._database.read() as connection:
                since, dropped = vector_index.seq, await change_feed.dropped(connection)
                seq, changed = await change_feed.changed_after(connection, since, READ_BATCH)
                found = await vectors.of_threads(connection, [*changed], semantic.model)
            is_past = since < dropped and (seq == since or seq >= dropped)
            if seq == since and not is_past:
                return
            wrong = [i for i, vector in found.items() if not semantic.fits(vector.data)]
            if wrong:
                await self._discard(semantic, wrong)
                found = {i: vector for i, vector in found.items() if i not in wrong}
            rows = {i: {v.scope: v.data} for i, v in found.items()}
            gone = {i for i in changed if i not in rows}
            if is_past:
                gone |= await self._missing(vector_index)
                seq = max(seq, dropped)
            await in_thread(semantic.update, rows, gone, seq)

    async def _missing(self, vector_index: VectorIndex) -> set[int]:
        """Return the threads of guilds' scopes that have vectors and are no more."""
        scopes = [scope for scope in vector_index.scopes if scope != SHARED]
        ids = await in_thread(vector_index.ids, scopes)
        return await self._database.reading(stats.missing, ids)

    async def _discard(self, semantic: SemanticIndex, thread_ids: list[int]) -> None:
        """Have vectors made again whose length is not the model's."""
        count = await self._database.writing(vectors.discard, thread_ids, semantic.row_bytes)
        log.warning("vectors of %d threads have a wrong length: they are made again", count)


def _to_embed(thread: Pending) -> ToEmbed:
    """Return a thread with its rank: the most asked first, then the best scored, the newest.

    The three are one number, since a million threads may wait.
    """
    rank = 0
    for value in (thread.asks, thread.score, thread.asked_at):
        rank = (rank << 64) - value
    return ToEmbed(rank, thread.thread_id, min(thread.phrasings, MAX_PHRASINGS))


async def _always() -> bool:
    return True
