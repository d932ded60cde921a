"""Keeping the search index in step with the store, over the feed of changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from bot.errors import ModelError
from bot.models import Entry
from bot.search.documents import Indexed, Pieces, indexed
from bot.search.engine import Engine
from bot.search.index import IndexBusy, Writing
from bot.services.embedding import Embedding
from bot.services.fresh import Alongside, News
from bot.services.steps import in_thread
from bot.store import threads
from bot.store.database import Database
from bot.store.threads import Put

BATCH = 500
"""Threads that are read from the store and indexed at a time."""

COMMIT_AFTER = 30.0
"""Seconds of work after which a long catching-up is made visible, and safe from a crash. Each
commit leaves pieces that are merged later, which takes time and memory."""

INTERVAL = 2.0
"""Seconds between looks at what others have imported, also while one waits for an import."""

RECOVERY = 300.0
"""Seconds that a model which failed is not asked for vectors."""

log = logging.getLogger(__name__)

Stored = Callable[[Put, Mapping[str, Pieces]], Awaitable[None]]
"""Told what a batch came to, and what is searched of its threads, by key."""


class Follower:
    """Brings the index up to the store: at start, after an import, and while running."""

    def __init__(self, database: Database, engine: Engine, embedding: Embedding):
        self._database, self._engine, self._embedding = database, engine, embedding
        self._one_at_a_time = asyncio.Lock()
        self._alongside = Alongside()
        self._embed_from = 0.0

    async def catch_up(self) -> bool:
        """Index what has changed; False when another process is at it.

        What has changed until then, that one indexes as well; it is seen once it commits.
        """
        await self._embedding.catch_up()
        if self._alongside.is_running:  # what imports are storing goes on being indexed
            await self._alongside.until(await self._last_change())
            return True
        return await self._index()

    async def _index(self) -> bool:
        async with self._one_at_a_time:
            await in_thread(self._engine.refresh)
            if await self.is_current():
                return True
            try:
                async with self._writing() as writing:
                    await self._index_changes(writing, Alongside(news=News(ended=True)))
            except IndexBusy:
                return False
            await in_thread(self._engine.refresh)
            return True

    @asynccontextmanager
    async def alongside(self, scope: int) -> AsyncIterator[Stored]:
        """Index what the block stores while it does; it tells what it has put into the scope.

        Telling takes a while where the index is far behind: what waits for it is in memory.
        Several imports may be at it, and share the indexing; it ends with the last of them.

        ``catch_up`` is to be called afterwards in any case: another import, or another
        process, may be at it.
        """
        if not self._alongside.imports:
            self._alongside = Alongside()
        beside = self._alongside

        async def tell(put: Put, pieces: Mapping[str, Pieces]) -> None:
            beside.fresh.add(put, scope, pieces)
            beside.news.tell()
            if beside.task is None and put.seq:
                beside.task = asyncio.create_task(self._keep_up(beside), name="index alongside")
            await beside.room()  # where indexing failed, what is stored could not be found

        beside.imports += 1
        try:
            yield tell
        except BaseException:
            beside.imports -= 1
            if not beside.imports:
                await beside.end()
            raise
        beside.imports -= 1
        if not beside.imports:
            beside.news.tell(last=True)
            if beside.task is not None:
                await beside.task

    async def run(self) -> None:
        """Look for changes for ever; a failure is logged and the next look tries again."""
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self._follow()
                if time.monotonic() >= self._embed_from:
                    await self._embed()
            except Exception:
                log.exception("the search index could not follow the library; trying again")

    async def _follow(self) -> None:
        """Take in what others have stored and made; imports of ours are indexed as they go."""
        if self._alongside.is_running:
            await self._embedding.catch_up()
        else:
            await self.catch_up()

    async def _embed(self) -> None:
        """Make the vectors that are missing; a model that fails is left alone for a while."""
        try:
            while await self._embedding.make_some():
                await self._follow()  # what comes in meanwhile is found by its words
                await self._embedding.make_some_learned()
            await self._embedding.make_learned()
        except ModelError as error:
            log.warning("no vectors can be made for now: %s", error)
            self._embed_from = time.monotonic() + RECOVERY

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Writing]:
        """The index's write lock. Raises IndexBusy while another process has it."""
        taken: list[Writing] = []  # who is told to leave while it is taken must give it back
        try:
            await in_thread(lambda: taken.append(self._engine.writing()))
            yield taken[0]
        except BaseException:
            for writing in taken:
                await in_thread(writing.close, undo=True)
            raise
        await in_thread(taken[0].close)

    async def _keep_up(self, beside: Alongside) -> None:
        """Index changes until there will be no more, unless another process is at it."""
        async with self._one_at_a_time:
            try:
                async with self._writing() as writing:
                    await self._index_changes(writing, beside)
            except IndexBusy:
                return
            await in_thread(self._engine.refresh)

    async def _index_changes(self, writing: Writing, beside: Alongside) -> None:
        """Index what has changed, whoever changed it, until the last news."""
        fresh, news = beside.fresh, beside.news
        # Read only now that the lock is ours: another process may have moved the index on.
        seq = done = self._engine.seq
        since = time.monotonic()
        if seq > await self._last_change():
            await self._forget_lost(writing)
            seq = done = 0
        while True:
            last_look = news.look()
            async with self._database.read() as connection:
                now, changed = await threads.changed_after(connection, seq, BATCH, text=True)
                found = fresh.take(changed, now)
                rest = [i for i in changed if i not in found]
                read = await threads.searched(connection, rest) if rest else {}
            if now == seq and last_look:
                break
            is_wanted = beside.committed < beside.wanted <= now
            waited = now == seq and not is_wanted and not await news.more(INTERVAL)
            if now != seq:
                seq = now
                await in_thread(_write, writing, changed, found, read)
            if is_wanted or (seq != done and (waited or time.monotonic() - since >= COMMIT_AFTER)):
                await in_thread(writing.commit, seq)
                await in_thread(self._engine.refresh)
                done, since, beside.committed = seq, time.monotonic(), seq
        await in_thread(writing.commit, seq)

    async def _forget_lost(self, writing: Writing) -> None:
        """An older copy of the database was put back: take out what only the newer one had."""
        log.warning("the search index is made anew: the library is an older copy")
        async with self._database.read() as connection:
            newest = await threads.newest(connection)
        await in_thread(writing.remove, range(newest + 1, writing.newest + 1))

    async def is_current(self) -> bool:
        """Whether there is nothing to index; vectors that were made since are not its matter."""
        async with self._database.read() as connection:
            text = await threads.last_change(connection, text=True)
            last = await threads.last_change(connection)
        return text <= self._engine.seq <= last

    async def _last_change(self) -> int:
        async with self._database.read() as connection:
            return await threads.last_change(connection)


def _write(
    writing: Writing,
    changed: Iterable[int],
    fresh: Mapping[int, Indexed],
    read: Mapping[int, Entry],
) -> None:
    """Index those of the threads that there are, and take the others out.

    In the feed's order: a thread before the newest would be taken for a replacement.
    """
    there = (fresh.get(i) or indexed(read[i]) for i in changed if i in fresh or i in read)
    writing.put(there)
    writing.remove(i for i in changed if i not in fresh and i not in read)
