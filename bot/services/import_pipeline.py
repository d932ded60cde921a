"""The import pipeline: file → thread → rows and text → store → index.

Reading, preparing, storing and indexing go on at the same time, each some batches ahead of the
next. What the library has just so, by its fingerprint, is not prepared at all.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import NamedTuple

from bot.errors import InputError
from bot.services.import_reader import Batch, Prepared, Reader
from bot.services.import_report import ImportReport
from bot.services.index_sync import IndexSync, Stored
from bot.store import threads
from bot.store.database import Database
from bot.store.prune import Seen, count_of, retire_unseen
from bot.store.threads import Outcome
from bot.worker import in_thread

AHEAD = 3
"""Batches that are read or prepared while another is stored."""

SWITCH = 0.0005
"""Seconds after which a thread must let others on: the store has many short answers to wait
for, and each would wait for who indexes, or reads here, as long as Python lets one thread run
on, 5 ms."""

LOOKED_AT = 1_000
"""Threads that one transaction looks at when those that are gone are retired."""

_USUAL = sys.getswitchinterval()
_running: list[None] = []  # an item for each import of this process

Progress = Callable[[int], None]
"""Takes how many threads were done since the last call."""


class _Batch(NamedTuple):
    """A batch in which every key occurs once: to be stored, can't be, and how many are known."""

    threads: list[Prepared]
    problems: list[Prepared]
    known: int
    is_last: bool


class Import:
    """One import into a scope: ``run``, and ``retire`` afterwards if that is wanted.

    ``seen`` is needed for the latter: it keeps what was read.
    """

    def __init__(
        self, database: Database, index_sync: IndexSync, scope: int, seen: Seen | None = None
    ):
        self._database, self._index_sync, self._scope, self._seen = (
            database,
            index_sync,
            scope,
            seen,
        )
        self._reading = asyncio.Lock()
        self.report = ImportReport()

    async def run(self, reader: Reader, progress: Progress | None = None) -> ImportReport:
        """Store what there is to read, and have it indexed meanwhile; the reader is closed."""
        try:
            with _quick_switches():
                async with (
                    self._index_sync.importing(self._scope) as stored,
                    aclosing(self._batches(reader)) as batches,
                ):
                    async for batch in batches:
                        await self._store(batch, stored)
                        if progress is not None:
                            progress(batch.known + len(batch.threads))
        finally:
            await in_thread(reader.close)
        return self.report

    async def retire(self) -> None:
        """Retire threads of the same sources that were not read; not where that is doubtful."""
        report, seen = self.report, self._seen
        assert seen is not None
        seen.add(report.former_keys)  # under which the library has threads that were read
        report.not_retired = await self._doubt(seen)
        after: int | None = 0 if report.not_retired is None else None
        while after is not None:
            async with self._database.write() as connection:
                after, gone = await retire_unseen(connection, self._scope, seen, after, LOOKED_AT)
            report.retired += gone

    async def _doubt(self, seen: Seen) -> str | None:
        """Say why an import had better not retire what it didn't bring, if it had."""
        if not self.report.ok:
            return "what was rejected may be what seems to be gone"
        if self.report.added == self.report.total:
            async with self._database.read() as connection:
                there = await count_of(connection, self._scope, seen.sources)
            if there > self.report.total:
                return (
                    "nothing that was there came again: this may be another source of the same name"
                )
        return None

    async def _batches(self, reader: Reader) -> AsyncGenerator[_Batch]:
        """Give every batch in order, ready to be stored."""
        ahead: deque[asyncio.Task[_Batch]] = deque()
        try:
            while True:
                while len(ahead) < AHEAD:
                    ahead.append(asyncio.create_task(self._next(reader)))
                batch = await ahead[0]
                ahead.popleft()
                yield batch
                if batch.is_last:
                    return
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _next(self, reader: Reader) -> _Batch:
        """Read a batch, look up what the library has just so, and prepare the rest."""
        async with self._reading:  # one at a time, and so in order
            batch = await in_thread(self._read, reader)
        found = batch.threads
        latest = {one.rows.key: place for place, one in enumerate(found)}  # of two with one key
        drafts = [place for place in latest.values() if found[place].is_draft]
        wanted: list[int] = []
        if drafts:
            rows = {place: found[place].rows for place in drafts}
            async with self._database.read() as connection:
                keys = [row.key for row in rows.values()]
                there = await threads.fingerprints(connection, self._scope, keys)
            wanted = [p for p, row in rows.items() if there.get(row.key) != row.fingerprint]
            prepared = await in_thread(reader.prepare, batch.number, wanted)
            for place, one in zip(wanted, prepared, strict=True):
                found[place] = one
        return _Batch(
            [found[place] for place in latest.values() if found[place].text is not None],
            [found[place] for place in latest.values() if found[place].problem],
            len(drafts) - len(wanted),
            batch.is_last,
        )

    def _read(self, reader: Reader) -> Batch:
        batch = reader.next()
        if self._seen is not None:
            self._seen.add(one.rows.key for one in batch.threads)
            self._seen.sources.update(one.rows.source for one in batch.threads if one.rows.source)
        return batch

    async def _store(self, batch: _Batch, stored: Stored) -> None:
        report = self.report
        report.outcomes[Outcome.UNCHANGED] += batch.known
        report.rejected += [InputError(one.problem, one.rows.key) for one in batch.problems]
        if batch.threads:
            async with self._database.write() as connection:
                put = await threads.put(
                    connection, self._scope, [one.rows for one in batch.threads]
                )
            report.outcomes.update(put.outcomes)
            report.former_keys += put.former
            await stored(put, {one.rows.key: one.text for one in batch.threads if one.text})


@contextmanager
def _quick_switches() -> Iterator[None]:
    """Have Python switch between threads sooner while any import of this process is at work."""
    _running.append(None)
    sys.setswitchinterval(min(_USUAL, SWITCH))
    try:
        yield
    finally:
        _running.pop()
        if not _running:
            sys.setswitchinterval(_USUAL)
