"""Keeping the search index in step with the store, over the feed of changes."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.errors import ModelError
from bot.log_throttle import FailureLog
from bot.search.documents import Indexed, Pieces
from bot.search.engine import Engine
from bot.search.index import IndexBusy, IndexDamaged
from bot.services.embedding import Embedding
from bot.services.index_session import IndexSession
from bot.store import change_feed
from bot.store.database import Database
from bot.store.threads import Put
from bot.worker import in_thread

CHECKED_AT_ONCE = 64_000_000
"""Bytes of an index whose checksums are looked at every ``INTERVAL``."""

MENDING_SECONDS = 10.0
"""Seconds that a question waits for a damaged index to be made anew."""

INTERVAL, LONGEST = 2.0, 60.0
"""Seconds between looks at what others have imported; and at most, after failures."""

BUSY_INTERVAL = 0.5
"""Seconds until the next look where another process was writing the index."""

_SWITCH, _USUAL_SWITCH = 0.0005, sys.getswitchinterval()
"""Seconds after which Python has a thread give way to others: during imports, and at other times.
An import waits for many short statements of the store; after each it would wait up to the usual
5 ms for a thread that indexes or reads."""

RECOVERY = 300.0
"""Seconds that a model which failed is not asked for vectors."""

log = logging.getLogger(__name__)


class IndexSync:
    """Brings the index up to the store: at start, while imports store, and while running.

    The session that writes the index stays open while imports of this process go on. Whoever
    has something to be indexed takes the lock and indexes all that has changed.
    """

    def __init__(self, database: Database, engine: Engine, embedding: Embedding):
        self._database, self._engine, self._embedding = database, engine, embedding
        self._lock = asyncio.Lock()  # of the session
        self._session: IndexSession | None = None
        self._imports = 0
        self._stored: dict[int, tuple[int, Indexed]] = {}  # and not indexed, with their changes
        self._mending: asyncio.Task[bool] | None = None
        self._embed_from = 0.0
        self._seq = -1  # of the index, when it was last followed
        self._failures = FailureLog(
            log, "the search index could not follow the library; trying again"
        )

    async def catch_up(self) -> bool:
        """Index what has changed; False when another process is at it.

        What has changed until then, that one indexes as well; it is seen once it commits.
        """
        await self._embedding.catch_up()
        async with self._lock:
            await in_thread(self._engine.refresh)
            if self._session is None and not self._engine.is_damaged and await self.is_current():
                return True
            if not await self._index(close=not self._imports):
                return False
            await in_thread(self._engine.refresh)
        return True

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Let the session stay open while the block ``add``s; ``catch_up`` afterwards.

        Meanwhile Python switches between threads sooner.
        """
        self._imports += 1
        sys.setswitchinterval(min(_USUAL_SWITCH, _SWITCH))
        try:
            yield
        finally:
            self._imports -= 1
            if not self._imports:
                sys.setswitchinterval(_USUAL_SWITCH)

    async def add(self, put: Put, scope: int, texts: Mapping[str, Pieces]) -> None:
        """Index a batch that was stored, with what is searched of its threads by key.

        Others' changes are indexed as well.
        """
        self._stored |= {i: (put.seq, (i, scope, texts[key])) for key, i in put.added.items()}
        try:
            if put.seq or self._session is not None:
                async with self._lock:
                    await self._index()
        finally:
            for i in put.added.values():
                del self._stored[i]

    async def mend(self) -> None:
        """Have what is damaged of the index made anew; waits ``MENDING_SECONDS`` seconds for it.

        Raises SearchError when it can't be.
        """
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self.catch_up(), name="mend the index")
        await asyncio.wait([self._mending], timeout=MENDING_SECONDS)
        if self._mending.done():
            self._mending.result()

    async def stop(self) -> None:
        """Leave what ``mend`` or an import has begun."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.wait([self._mending])
        async with self._lock:
            await self._close(undo=True)

    async def run(self) -> None:
        """Look for changes and for damage for ever, and make the vectors that are missing.

        A failure is logged, once until something else happens; the next looks, ever longer
        after it, try again.
        """
        pause, watch, is_late = INTERVAL, self._database.watch(), True
        while True:
            is_due, is_busy = await watch.wait(pause), False
            try:
                await in_thread(self._engine.verify, CHECKED_AT_ONCE)
                await in_thread(self._engine.refresh)
                if is_due or is_late or self._engine.is_damaged or self._engine.seq != self._seq:
                    is_busy = not await self._follow()
                    self._seq = self._engine.seq
                    if time.monotonic() >= self._embed_from:
                        await self._embed()
                    is_late = is_busy or self._embedding.is_anothers  # who may be gone
                pause = min(INTERVAL, BUSY_INTERVAL) if is_busy else INTERVAL
                self._failures.worked()
            except Exception as error:
                pause, is_late = min(2 * pause, LONGEST), True
                self._failures.failed(error)

    async def is_current(self) -> bool:
        """Return whether there is nothing to index; vectors are not the index's matter."""
        async with self._database.read() as connection:
            text = await change_feed.last_change(connection, text=True)
            last = await change_feed.last_change(connection)
            floor = await change_feed.floor(connection)
            dropped = await change_feed.dropped(connection)
        return max(text, floor, dropped) <= self._engine.seq <= last

    async def lag(self) -> int:
        """Return how many changes are not indexed yet."""
        changed = await self._database.reading(change_feed.count_after, self._engine.seq)
        # Without a change, a guild may have been forgotten or an older copy been put back.
        return changed or int(not await self.is_current())

    async def _follow(self) -> bool:
        """Take in what others have stored and made; False when another process is at it.

        Imports of ours are indexed as they go.
        """
        if self._imports and self._session is not None:
            await self._embedding.catch_up()
            return True
        return await self.catch_up()

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

    async def _index(self, *, close: bool | None = None) -> bool:
        """Index all that has changed; False when another process is writing the index.

        ``close`` says whether the session is closed, or what it did is made visible; if
        neither is needed, it is ``None``. What is damaged is made anew, found here or before.
        """
        for is_retry in (False, True):
            try:
                if self._engine.has_suspects:  # the next session makes them anew
                    await self._close()
                if self._session is None:
                    self._session = await IndexSession.open(self._database, self._engine)
                while await self._session.put_changes(self._stored):
                    pass
                await self._session.commit(if_due=close is None)
                if close:
                    await self._close()
                return True
            except IndexBusy:
                return False
            except BaseException as error:
                await self._close(undo=True)
                if is_retry or not isinstance(error, IndexDamaged):
                    raise
        return True

    async def _close(self, *, undo: bool = False) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close(undo=undo)
