"""Writing the search index: what the feed says has changed, or all that there is."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from bot.models import StoredThread
from bot.search.documents import Indexed, indexed
from bot.search.engine import Engine
from bot.search.index import Writing
from bot.store import change_feed, stats, threads
from bot.store.database import Database
from bot.worker import in_thread

INDEXED_AT_ONCE = 500
"""Threads that are read from the store and indexed at a time."""

COMMIT_AFTER, COMMIT_IDLE = 30.0, 2.0
"""Seconds of work, and seconds without any, after which what is indexed is made visible, and
safe from a crash. Each commit leaves pieces that are merged later, which takes time and memory."""

COMPACTED = 2_000
"""Threads up to which a scope's index is made anew when some of them were replaced. Those that
were replaced count in the statistics until tantivy merges, which nobody can foresee."""

log = logging.getLogger(__name__)


class IndexSession:
    """The index's write lock, and what is indexed while it is held, up to change ``seq``."""

    def __init__(self, database: Database, engine: Engine, writing: Writing):
        self._database, self._engine, self._writing = database, engine, writing
        self.seq = self._committed = writing.seq
        self._commit_at = self._worked_at = time.monotonic()

    @classmethod
    async def open(cls, database: Database, engine: Engine) -> IndexSession:
        """Take the lock, and make anew what is lost or can't follow the feed.

        Raises IndexBusy while another process has it.
        """
        taken: list[Writing] = []  # who is told to leave while it is taken must give it back
        try:
            await in_thread(lambda: taken.append(engine.writing()))
            session = cls(database, engine, taken[0])
            await session._prepare()
            return session
        except BaseException:
            for writing in taken:
                await in_thread(writing.close, undo=True)
            raise

    async def put_changes(self, ready: Mapping[int, tuple[int, Indexed]]) -> bool:
        """Index the next changes; False if there are none.

        ``ready`` are threads as they were stored with a change, by id: those that were not
        changed since need not be read back. Where changes went with a forgotten guild, the
        scopes are looked at.
        """
        async with self._database.read() as connection:
            dropped = await change_feed.dropped(connection)
            now, changed = await change_feed.changed_after(
                connection, self.seq, INDEXED_AT_ONCE, text=True
            )
            have = {
                i: ready[i][1] for i, at in changed.items() if i in ready and at.seq <= ready[i][0]
            }
            rest = [i for i in changed if i not in have]
            found = await threads.index_entries(connection, rest) if rest else {}
        is_past = self.seq < dropped and (now == self.seq or now >= dropped)
        if now == self.seq and not is_past:
            return False
        await in_thread(self._put, changed, found, have)
        gone = {i: changed[i].scope for i in rest if i not in found}
        await in_thread(self._writing.remove, gone)
        if is_past:
            await self._look_at_scopes()
            now = max(now, dropped)
        self.seq, self._worked_at = now, time.monotonic()
        return True

    async def commit(self, *, if_due: bool = False) -> None:
        """Make visible what is indexed; with ``if_due``, only now and then."""
        now = time.monotonic()
        is_due = now >= self._commit_at + COMMIT_AFTER or now >= self._worked_at + COMMIT_IDLE
        if self.seq != self._committed and (is_due or not if_due):
            await in_thread(self._writing.commit, self.seq)
            await in_thread(self._engine.refresh)
            self._committed, self._commit_at = self.seq, time.monotonic()

    async def close(self, *, undo: bool = False) -> None:
        """Commit, and give the lock back; with ``undo``, forget what was not committed.

        Scopes of a few threads are committed without those that were replaced.
        """
        try:
            if not undo:
                for scope, count in (await in_thread(self._writing.replaced)).items():
                    if count <= COMPACTED:
                        await in_thread(self._writing.clear, scope)
                        await self._put_all(scope)
                await in_thread(self._writing.commit, self.seq, settled=True)
        except BaseException:
            undo = True
            raise
        finally:
            await in_thread(self._writing.close, undo=undo)

    async def _prepare(self) -> None:
        # Read only now that the lock is ours: another process may have moved the index on.
        async with self._database.read() as connection:
            last = await change_feed.last_change(connection)
            floor = await change_feed.floor(connection)
            newest = await threads.newest(connection)
        if self.seq and floor <= self.seq <= last:
            for scope in self._writing.lost:
                await self._put_all(scope)
                self._writing.made_anew(scope)
                await in_thread(self._writing.commit, self.seq)
            return
        if self.seq:
            why = "the library is an older copy" if self.seq > last else "it was not used for long"
            log.warning("the search index is made anew: %s", why)
        await self._make_anew(newest)
        self.seq = last

    async def _look_at_scopes(self) -> None:
        """Put anew the scopes that hold threads of a guild that was forgotten.

        All threads that a guild had are deleted then, so the oldest one that is in is none.
        """
        await in_thread(self._writing.commit, self.seq)  # what is in counts, before it is looked at
        oldest = await in_thread(self._writing.oldest)
        gone = await self._database.reading(stats.missing, [*oldest.values()])
        for scope in [scope for scope, thread_id in oldest.items() if thread_id in gone]:
            await in_thread(self._writing.clear, scope)
            await self._put_all(scope)

    async def _make_anew(self, newest: int) -> None:
        """Index the threads of all scopes, up to the ``newest``, in place of what is there.

        Scope by scope, since writing one after the other for each thread takes far longer.
        """
        stored = await self._database.reading(stats.scopes)
        await in_thread(self._writing.start_over)
        self.seq = 0
        for scope in sorted(stored | self._writing.scopes):
            await in_thread(self._writing.clear, scope)
            await self._put_all(scope, newest)

    async def _put_all(self, scope: int, newest: int | None = None) -> None:
        """Index the threads of a scope; those up to the ``newest``, if that is given.

        The latter is made visible now and then, as the state before all changes.
        """
        after = 0
        while True:
            async with self._database.read() as connection:
                ids = await threads.ids_of(connection, scope, after, INDEXED_AT_ONCE)
                ids = [i for i in ids if newest is None or i <= newest]
                found = await threads.index_entries(connection, ids) if ids else {}
            if not ids:
                return
            after = ids[-1]
            await in_thread(self._put, ids, found, {})
            if newest is not None:
                self._worked_at, self._committed = time.monotonic(), -1
                await self.commit(if_due=True)

    def _put(
        self, order: Iterable[int], found: Mapping[int, StoredThread], have: dict[int, Indexed]
    ) -> None:
        """Index those of the threads that there are, in an order in which most ids grow.

        A thread before the newest is taken for a replacement, which costs more.
        """
        read = {i: indexed(thread) for i, thread in found.items()} | have
        self._writing.put(read[i] for i in order if i in read)
