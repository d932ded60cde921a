"""Keeping the search index in step with the store, over the feed of changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import takewhile

from bot.errors import ModelError, ThreadwiseError
from bot.models import StoredThread
from bot.search.documents import Indexed, Pieces, indexed
from bot.search.engine import Engine
from bot.search.index import IndexBusy, IndexDamaged, Writing
from bot.services.embedding import Embedding
from bot.store import change_feed, threads
from bot.store.database import Database
from bot.store.threads import Put
from bot.worker import in_thread

BATCH = 500
"""Threads that are read from the store and indexed at a time."""

COMMIT_AFTER = 30.0
"""Seconds of work after which a long session is made visible, and safe from a crash. Each
commit leaves pieces that are merged later, which takes time and memory."""

CHECKED_AT_ONCE = 64_000_000
"""Bytes of an index whose checksums are looked at every ``INTERVAL``."""

COMPACTED = 2_000
"""Threads up to which a scope's index is made anew when some of them were replaced. Those that
were replaced count in the statistics until tantivy merges, which nobody can foresee."""

UNINDEXED = 10_000_000
"""Characters of threads that are kept in memory between being stored and being indexed. The
index itself has ten thousand documents waiting, so more than some batches is for nothing."""

PATIENCE = 10.0
"""Seconds that a question waits for a damaged index to be made anew."""

PAUSE = 0.1
"""Seconds between looks whether a session that goes on has come to what one waits for."""

INTERVAL, LONGEST = 2.0, 60.0
"""Seconds between looks at what others have imported, also while one waits for an import; and
at most, when one failure follows the other."""

RECOVERY = 300.0
"""Seconds that a model which failed is not asked for vectors."""

log = logging.getLogger(__name__)

Stored = Callable[[Put, Mapping[str, Pieces | None]], Awaitable[None]]
"""Takes what storing a batch came to, and what is searched of its threads, by key."""


class IndexSync:
    """Brings the index up to the store: at start, after an import, and while running.

    One session at a time writes the index. It ends when nothing is left to index and no
    import of this process goes on.
    """

    def __init__(self, database: Database, engine: Engine, embedding: Embedding):
        self._database, self._engine, self._embedding = database, engine, embedding
        self._unindexed = Unindexed()
        self._imports = 0  # that go on in this process
        self._wanted = 0  # the change up to which somebody waits to find all
        self._news = asyncio.Event()  # something was stored or is wanted, or an import has ended
        self._session: asyncio.Task[bool] | None = None
        self._embed_from = 0.0
        self._logged = ""

    async def catch_up(self) -> bool:
        """Index what has changed; False when another process is at it.

        What has changed until then, that one indexes as well; it is seen once it commits.
        """
        await self._embedding.catch_up()
        async with self._database.read() as connection:
            wanted = await change_feed.last_change(connection, text=True)
        for _ in range(2):  # the first may be a session that had looked for the last time
            session = self._begin()
            self._wanted = max(self._wanted, wanted)
            self._news.set()
            while not session.done():
                if self._imports and self._has(wanted):
                    return True
                await asyncio.wait([session], timeout=PAUSE)
            if not session.result():
                return False
            if self._has(wanted):
                break
        return True

    @asynccontextmanager
    async def importing(self, scope: int) -> AsyncIterator[Stored]:
        """Index what the block stores while it does; it tells what it has put into the scope.

        Telling takes a while where the index is far behind: what waits for it is in memory.
        It raises what indexing failed at: what is stored then could not be found. Afterwards,
        ``catch_up`` is to be called: the session may be one of another process.
        """
        session: asyncio.Task[bool] | None = None

        async def stored(put: Put, texts: Mapping[str, Pieces | None]) -> None:
            nonlocal session
            self._unindexed.add(put, scope, texts)
            if session is not None and session.done() and session.result():
                session = None  # it had looked for the last time before this import began
            if session is None and put.seq:
                session = self._begin()
            self._news.set()
            while session is not None and self._unindexed.is_full and not session.done():
                await asyncio.wait([session], timeout=PAUSE)

        self._imports += 1
        try:
            yield stored
        finally:
            self._imports -= 1
            self._news.set()

    async def mend(self) -> None:
        """Have what is damaged of the index made anew; waits ``PATIENCE`` seconds for it.

        Raises SearchError when it can't be.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.catch_up()

    async def stop(self) -> None:
        """End the session, if there is one; what it had not committed is indexed another time."""
        if self._session is not None:
            self._session.cancel()
            await asyncio.wait([self._session])

    async def run(self) -> None:
        """Look for changes and for damage for ever, and make the vectors that are missing.

        A failure is logged, once until something else happens; the next looks, ever longer
        after it, try again.
        """
        pause = INTERVAL
        while True:
            await asyncio.sleep(pause)
            try:
                await in_thread(self._engine.verify, CHECKED_AT_ONCE)
                await self._follow()
                if time.monotonic() >= self._embed_from:
                    await self._embed()
                pause, self._logged = INTERVAL, ""
            except Exception as error:
                pause = min(2 * pause, LONGEST)
                self._log(error)

    async def is_current(self) -> bool:
        """Return whether there is nothing to index; vectors are not the index's matter."""
        async with self._database.read() as connection:
            text = await change_feed.last_change(connection, text=True)
            last = await change_feed.last_change(connection)
            floor = await change_feed.floor(connection)
        return max(text, floor) <= self._engine.seq <= last

    def _log(self, error: Exception) -> None:
        """Log a failure, unless it is the last one again."""
        line = f"{type(error).__name__}: {error}"
        if line != self._logged:
            known = isinstance(error, ThreadwiseError)
            text = "the search index could not follow the library; trying again"
            log.error("%s: %s", text, error, exc_info=None if known else error)
        self._logged = line

    async def _follow(self) -> None:
        """Take in what others have stored and made; imports of ours are indexed as they go."""
        if self._imports and self._is_at_work:
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

    @property
    def _is_at_work(self) -> bool:
        return self._session is not None and not self._session.done()

    def _has(self, wanted: int) -> bool:
        """Return whether what is stored up to a change is found, and nothing is damaged."""
        return self._engine.seq >= wanted and not self._engine.is_damaged

    def _begin(self) -> asyncio.Task[bool]:
        """Return the session that is at work, or begin one."""
        if self._session is None or self._session.done():
            self._session = asyncio.create_task(self._index(), name="index")
            # A failure that nobody waits for is met again by the next session.
            self._session.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._session

    async def _index(self) -> bool:
        """Be a session; returns False when another process is writing the index."""
        await in_thread(self._engine.refresh)
        if not self._imports and not self._engine.is_damaged and await self.is_current():
            return True
        was_damaged = False
        try:
            while True:
                try:
                    async with self._writing() as writing:
                        if await self._index_changes(writing):
                            break
                except IndexDamaged:  # which was seen only now: it is made anew first
                    if was_damaged:
                        raise
                    was_damaged = True
        except IndexBusy:
            return False
        finally:
            self._unindexed = Unindexed()
        await in_thread(self._engine.refresh)
        return True

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Writing]:
        """Give the index's write lock. Raises IndexBusy while another process has it."""
        taken: list[Writing] = []  # who is told to leave while it is taken must give it back
        try:
            await in_thread(lambda: taken.append(self._engine.writing()))
            yield taken[0]
        except BaseException:
            for writing in taken:
                await in_thread(writing.close, undo=True)
            raise
        await in_thread(taken[0].close)

    async def _index_changes(self, writing: Writing) -> bool:
        """Index what has changed, whoever changed it, until nothing more is to come.

        False if damage was found meanwhile: whoever writes next has it made anew first.
        """
        seq = await self._prepare(writing)
        committed, since = writing.seq, time.monotonic()
        while True:
            self._news.clear()
            is_last_look = not self._imports
            now = await self._index_batch(writing, seq)
            if now == seq and is_last_look:
                break
            is_wanted = committed < self._wanted <= now
            is_idle = now == seq and not is_wanted and not await self._has_news()
            seq = now
            is_due = is_idle or time.monotonic() - since >= COMMIT_AFTER
            if is_wanted or (seq != committed and is_due):
                await self._commit(writing, seq)
                committed, since = seq, time.monotonic()
            if self._engine.has_suspects:
                await in_thread(writing.commit, seq)
                return False
        for scope, count in (await in_thread(writing.replaced)).items():
            if count <= COMPACTED:
                await in_thread(writing.clear, scope)
                await self._index_all(writing, scope)
        await in_thread(writing.commit, seq, settled=True)
        return True

    async def _prepare(self, writing: Writing) -> int:
        """Make anew what is lost or can't follow the feed; returns the change to go on from.

        Read only now that the lock is ours: another process may have moved the index on.
        """
        async with self._database.read() as connection:
            last = await change_feed.last_change(connection)
            floor = await change_feed.floor(connection)
            newest = await threads.newest(connection)
        if writing.seq and floor <= writing.seq <= last:
            for scope in writing.lost:
                await self._index_all(writing, scope)
                writing.made_anew(scope)
                await self._commit(writing, writing.seq)
            return writing.seq
        if writing.seq:
            older = "the library is an older copy" if writing.seq > last else "it is too old"
            log.warning("the search index is made anew: %s", older)
        await in_thread(writing.start_over)
        await self._index_all(writing, None, newest)
        return last

    async def _index_all(self, writing: Writing, scope: int | None, newest: int = 0) -> None:
        """Index the threads of a scope, or those of all scopes up to the ``newest``.

        The latter is made visible now and then, as the state before all changes.
        """
        after, since = 0, time.monotonic()
        while True:
            async with self._database.read() as connection:
                ids = await threads.ids_of(connection, scope, after, BATCH)
                ids = [i for i in ids if scope is not None or i <= newest]
                found = await threads.index_entries(connection, ids) if ids else {}
            if not ids:
                return
            after = ids[-1]
            await in_thread(_write, writing, found, ids)
            if scope is None and time.monotonic() - since >= COMMIT_AFTER:
                await self._commit(writing, 0)
                since = time.monotonic()

    async def _commit(self, writing: Writing, seq: int) -> None:
        await in_thread(writing.commit, seq)
        await in_thread(self._engine.refresh)

    async def _index_batch(self, writing: Writing, seq: int) -> int:
        """Index the next changes after one; returns the change that this goes up to."""
        async with self._database.read() as connection:
            now, changed = await change_feed.changed_after(connection, seq, BATCH, text=True)
            ready = self._unindexed.take(changed, now)
            rest = [i for i in changed if i not in ready]
            found = await threads.index_entries(connection, rest) if rest else {}
            gone = [i for i in rest if i not in found]
            left = await threads.scopes_of(connection, gone) if gone else {}
        if now != seq:
            await in_thread(_write, writing, found, changed, ready)
            await in_thread(writing.remove, gone, left)
        return now

    async def _has_news(self) -> bool:
        """Wait a while for news; returns whether there are any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL):  # wait_for may swallow that one is to leave
                await self._news.wait()
        return self._news.is_set()


class Unindexed:
    """Threads that were just stored, so that most need not be read back to be indexed."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, Indexed]] = {}
        self._size = 0

    def add(self, put: Put, scope: int, texts: Mapping[str, Pieces | None]) -> None:
        """Keep what was added, unless so much waits already that memory would grow."""
        for key, i in put.added.items():
            text = texts[key]
            if text is not None and not self.is_full:
                self._kept[i] = (put.seq, (i, scope, text))
                self._size += _size(text)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept for now."""
        return self._size >= UNINDEXED

    def take(self, changed: Mapping[int, int], now: int) -> dict[int, Indexed]:
        """Take those of the threads that are kept and were not changed again since, by id.

        What is older than change ``now`` and not among them was indexed by somebody else.
        """
        older = takewhile(lambda i: self._kept[i][0] <= now, self._kept)
        taken = {}
        for i in {*older, *(self._kept.keys() & changed.keys())}:
            seq, thread = self._kept.pop(i)
            self._size -= _size(thread[2])
            if i in changed and changed[i] <= seq:
                taken[i] = thread
        return taken


def _size(text: Pieces) -> int:
    return len(text.names) + len(text.card) + sum(map(len, text.said))


def _write(
    writing: Writing,
    found: Mapping[int, StoredThread],
    order: Iterable[int],
    ready: Mapping[int, Indexed] | None = None,
) -> None:
    """Index those of the threads that there are, in an order in which most ids grow.

    A thread before the newest is taken for a replacement, which costs more.
    """
    ready = ready or {}
    writing.put(ready.get(i) or indexed(found[i]) for i in order if i in ready or i in found)
