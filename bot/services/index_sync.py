"""Keeping the search index in step with the store, over the feed of changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

from bot.errors import ModelError, ThreadwiseError
from bot.models import Entry
from bot.search.documents import Indexed, Pieces, indexed
from bot.search.engine import Engine
from bot.search.index import IndexBusy, IndexDamaged, Writing
from bot.services import rebuilding
from bot.services.embedding import Embedding
from bot.services.fresh import Alongside, News
from bot.services.steps import in_thread
from bot.store import scopes, threads
from bot.store.database import Database
from bot.store.threads import Put

BATCH = 500
"""Threads that are read from the store and indexed at a time."""

COMMIT_AFTER = 30.0
"""Seconds of work after which a long catching-up is made visible, and safe from a crash. Each
commit leaves pieces that are merged later, which takes time and memory."""

CHECKED_AT_ONCE = 64_000_000
"""Bytes of an index whose checksums are looked at every ``INTERVAL``."""

PATIENCE = 10.0
"""Seconds that a question waits for a damaged index to be made anew."""

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
        self._mending: asyncio.Task[bool] | None = None
        self._said = ""

    async def catch_up(self) -> bool:
        """Index what has changed; False when another process is at it.

        What has changed until then, that one indexes as well; it is seen once it commits.
        """
        await self._embedding.catch_up()
        if self._alongside.is_running:  # what imports are storing goes on being indexed
            await self._alongside.until(await self._last_change())
            # It looks at damage before it goes on; unless it ends before that.
            if await self._alongside.sees_to(lambda: not self._engine.is_damaged):
                return True
        return await self._index()

    async def _index(self) -> bool:
        async with self._one_at_a_time:
            await in_thread(self._engine.refresh)
            if not self._engine.is_damaged and await self.is_current():
                return True
            for last_try in (False, True):
                try:
                    async with self._writing() as writing:
                        beside = Alongside(news=News(ended=True))
                        if await self._index_changes(writing, beside):
                            break
                except IndexBusy:
                    return False
                except IndexDamaged:  # which was seen only now: the next session mends it
                    if last_try:
                        raise
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

    async def mend(self) -> None:
        """Have what is damaged of the index made anew; waits ``PATIENCE`` seconds for it.

        Raises SearchError when it can't be.
        """
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self.catch_up(), name="mend the index")
            self._mending.add_done_callback(_retrieve)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(self._mending)

    async def stop(self) -> None:
        """Leave what ``mend`` has begun."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.wait([self._mending])

    async def run(self) -> None:
        """Look for changes and for damage for ever.

        A failure is logged, once until something else happens; the next look tries again.
        """
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await in_thread(self._engine.verify, CHECKED_AT_ONCE)
                await self._follow()
                if time.monotonic() >= self._embed_from:
                    await self._embed()
                self._said = ""
            except Exception as error:
                self._say(error)

    def _say(self, error: Exception) -> None:
        """Log a failure, unless it is the last one again."""
        said = f"{type(error).__name__}: {error}"
        if said != self._said:
            known = isinstance(error, ThreadwiseError)
            text = "the search index could not follow the library; trying again"
            log.error("%s: %s", text, error, exc_info=None if known else error)
        self._said = said

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
                is_done = False
                while not is_done:
                    async with self._writing() as writing:
                        is_done = await self._index_changes(writing, beside)
            except (IndexBusy, IndexDamaged):  # the next catching-up mends and goes on
                return
            await in_thread(self._engine.refresh)

    async def _index_changes(self, writing: Writing, beside: Alongside) -> bool:
        """Index what has changed, whoever changed it, until the last news.

        False if damage was found meanwhile: whoever writes next has it made anew first.
        """
        fresh, news = beside.fresh, beside.news
        # Read only now that the lock is ours: another process may have moved the index on.
        if writing.seq > await self._last_change():
            await rebuilding.start_over(self._database, writing)
        for scope in writing.lost:
            await rebuilding.put_all(self._database, writing, scope)
            writing.made_anew(scope)
        seq = done = writing.seq
        since = time.monotonic()
        while True:
            last_look = news.look()
            async with self._database.read() as connection:
                now, changed = await threads.changed_after(connection, seq, BATCH, text=True)
                found = fresh.take(changed, now)
                rest = [i for i in changed if i not in found]
                read = await threads.index_entries(connection, rest) if rest else {}
                gone = [i for i in rest if i not in read]
                left = await scopes.scopes_of(connection, gone) if gone else {}
            if now == seq and last_look:
                break
            is_wanted = beside.committed < beside.wanted <= now
            waited = now == seq and not is_wanted and not await news.more(INTERVAL)
            if now != seq:
                seq = now
                await in_thread(_write, writing, changed, found, read)
                await in_thread(writing.remove, gone, left)
            if is_wanted or (seq != done and (waited or time.monotonic() - since >= COMMIT_AFTER)):
                await in_thread(writing.commit, seq)
                await in_thread(self._engine.refresh)
                done, since, beside.committed = seq, time.monotonic(), seq
            if self._engine.has_suspects:
                await in_thread(writing.commit, seq)
                return False
        await rebuilding.compact(self._database, writing)
        await in_thread(writing.commit, seq, settled=True)
        return True

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
    """Index those of the threads that there are.

    In the feed's order: a thread before the newest would be taken for a replacement.
    """
    writing.put(fresh.get(i) or indexed(read[i]) for i in changed if i in fresh or i in read)


def _retrieve(task: asyncio.Task[bool]) -> None:
    """Let nobody complain that nobody has waited for a task's failure."""
    if not task.cancelled():
        task.exception()
