"""The import pipeline: file → thread → rows and text → store → index.

While a batch is stored, the next one is read and prepared, and the one before indexed. What
the library has just so, by its fingerprint, is not prepared at all.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.errors import InputError
from bot.services.import_reader import Batch, Reader
from bot.services.index_sync import IndexSync
from bot.sources.report import Findings, printable
from bot.store import overrides, soft_delete, stats, threads
from bot.store.database import Database
from bot.store.threads import Put, PutOutcome
from bot.worker import in_thread


@dataclass
class ImportReport(Findings):
    """Counts of an import's threads by outcome, and the findings of its readers.

    ``retired`` counts threads that a newer copy of their source has no longer, and
    ``not_retired`` says why none were, where that was asked for. ``states`` counts those of
    histories.
    """

    outcomes: Counter[PutOutcome] = field(default_factory=Counter)
    retired: int = 0
    not_retired: str | None = None
    states: int = 0

    @property
    def added(self) -> int:
        """Count the threads that the library did not have."""
        return self.outcomes[PutOutcome.ADDED]

    @property
    def updated(self) -> int:
        """Count the threads that it had in another version."""
        return self.outcomes[PutOutcome.UPDATED]

    @property
    def unchanged(self) -> int:
        """Count the threads that it had just so."""
        return self.outcomes[PutOutcome.UNCHANGED]

    @property
    def total(self) -> int:
        """Count all threads that were accepted."""
        return self.outcomes.total()

    @property
    def ok(self) -> bool:
        """Return whether everything was accepted."""
        return not self.rejected


RETIRED_AT_ONCE = 1_000
"""Threads that one transaction looks at when those that are gone are retired."""

IDS_TOGETHER = 65_536
"""Ids that share an array of bytes, each of which says whether its thread was brought."""

Progress = Callable[[int], None]
"""Takes how many threads were done since the last call."""


class Import:
    """One import into a scope: ``run``, and ``retire`` afterwards if that is wanted."""

    def __init__(self, database: Database, index_sync: IndexSync, scope: int):
        self._database, self._index_sync, self._scope = database, index_sync, scope
        self._sources = set[str]()
        self._brought = defaultdict[int, bytearray](lambda: bytearray(IDS_TOGETHER))
        self.report = ImportReport()

    async def run(self, reader: Reader, progress: Progress | None = None) -> ImportReport:
        """Store what there is to read, and have it indexed meanwhile; the reader is closed."""
        with self._index_sync.importing():
            ahead = asyncio.create_task(self._next(reader))
            indexing = asyncio.create_task(asyncio.sleep(0))  # of the batch before
            try:
                is_last = False
                while not is_last:
                    batch = await ahead
                    is_last = batch.is_last
                    if not is_last:
                        ahead = asyncio.create_task(self._next(reader))
                    put = await self._store(batch)
                    await indexing
                    texts = {o.rows.key: o.text for o in batch.threads if o.text is not None}
                    indexing = asyncio.create_task(self._index_sync.add(put, self._scope, texts))
                    if progress is not None:
                        progress(sum(not one.problem for one in batch.threads))
                await indexing
            finally:
                for task in (ahead, indexing):
                    task.cancel()
                await asyncio.gather(ahead, indexing, return_exceptions=True)
                await in_thread(reader.close)
        return self.report

    async def retire(self) -> None:
        """Retire threads of the same sources that were not brought; not where that is doubtful."""
        report, last = self.report, 0
        report.not_retired = await self._doubt()
        while report.not_retired is None:
            async with self._database.write() as connection:
                ids = await threads.ids_of(
                    connection, self._scope, last, RETIRED_AT_ONCE, sources=self._sources
                )
                gone = [i for i in ids if not self._brought[i // IDS_TOGETHER][i % IDS_TOGETHER]]
                # What other sources have of them is shown again; what this one has not, is next.
                back = await overrides.unmerge_all(connection, gone)
                if gone:
                    report.retired += await soft_delete.retire(connection, self._scope, gone)
            if len(ids) < RETIRED_AT_ONCE and not back:
                return
            last = 0 if back else ids[-1]

    async def _doubt(self) -> str | None:
        """Say why an import had better not retire what it didn't bring, if it had."""
        if not self.report.ok:
            return "what was rejected may be what seems to be gone"
        if self.report.added == self.report.total:
            there = await self._database.reading(stats.sources, [self._scope])
            if sum(s.threads for s in there if s.name in self._sources) > self.report.total:
                return (
                    "nothing that was there came again: this may be another source of the same name"
                )
        return None

    async def _next(self, reader: Reader) -> Batch:
        """Read a batch and prepare its drafts; those that the library has just so stay drafts.

        Of threads with one key, the last that can be made is left.
        """
        batch = await in_thread(reader.next)
        self._sources.update(one.rows.source for one in batch.threads if one.rows.source)
        latest = {(o.rows.key, o.problem): place for place, o in enumerate(batch.threads)}
        drafts = {key: i for (key, _), i in latest.items() if batch.threads[i].is_draft}
        if drafts:
            known = await self._database.reading(threads.known_by_key, self._scope, [*drafts])
            for key, row in known.items():
                draft = batch.threads[drafts[key]].rows
                if row.retired_at is None and row.fingerprint == draft.fingerprint:
                    self._note_brought([row.id])
                    del drafts[key]
            prepared = await in_thread(reader.prepare, [*drafts.values()])
            for place, one in zip(drafts.values(), prepared, strict=True):
                batch.threads[place] = one
        return batch._replace(threads=[batch.threads[place] for place in latest.values()])

    async def _store(self, batch: Batch) -> Put:
        """Store what is prepared of a batch, and count what it came to."""
        report = self.report
        report.outcomes[PutOutcome.UNCHANGED] += sum(one.is_draft for one in batch.threads)
        report.rejected += [
            InputError(o.problem, printable(o.rows.key)) for o in batch.threads if o.problem
        ]
        rows = [one.rows for one in batch.threads if one.text is not None]
        if not rows:
            return Put()
        put = await self._database.writing(threads.put, self._scope, rows)
        report.outcomes.update(put.outcomes)
        self._note_brought(put.ids)
        return put

    def _note_brought(self, thread_ids: Iterable[int]) -> None:
        """Note that threads are in what was read: a byte each, for there may be millions."""
        for i in thread_ids:
            self._brought[i // IDS_TOGETHER][i % IDS_TOGETHER] = 1
