"""The import pipeline: file → thread → rows and text → store → index.

While a batch is stored, the next one is read and prepared, and the one before indexed. What
the library has just so, by its fingerprint, is not prepared at all.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.errors import InputError
from bot.services.import_reader import Batch, Reader
from bot.services.index_sync import IndexSync
from bot.sources.report import Findings, printable
from bot.store import threads
from bot.store.database import Database
from bot.store.soft_delete import Seen, count_of, retire_unseen
from bot.store.threads import Outcome, Put
from bot.worker import in_thread


@dataclass
class ImportReport(Findings):
    """Counts of an import's threads by outcome, and the findings of its readers.

    ``retired`` counts threads that a newer copy of their source has no longer, and
    ``not_retired`` says why none were, where that was asked for. ``former_keys`` are those
    that threads keep from older versions of the program, ``states`` counts those of histories.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    retired: int = 0
    not_retired: str | None = None
    former_keys: list[str] = field(default_factory=list)
    states: int = 0

    @property
    def added(self) -> int:
        """Count the threads that the library did not have."""
        return self.outcomes[Outcome.ADDED]

    @property
    def updated(self) -> int:
        """Count the threads that it had in another version."""
        return self.outcomes[Outcome.UPDATED]

    @property
    def unchanged(self) -> int:
        """Count the threads that it had just so."""
        return self.outcomes[Outcome.UNCHANGED]

    @property
    def total(self) -> int:
        """Count all threads that were accepted."""
        return self.outcomes.total()

    @property
    def ok(self) -> bool:
        """Return whether everything was accepted."""
        return not self.rejected


SWITCH = 0.0005
"""Seconds after which a thread must let others on: the store has many short answers to wait
for, and each would wait for who indexes, or reads here, as long as Python lets one thread run
on, 5 ms."""

RETIRED_AT_ONCE = 1_000
"""Threads that one transaction looks at when those that are gone are retired."""

_USUAL = sys.getswitchinterval()
_running: list[None] = []  # an item for each import of this process

Progress = Callable[[int], None]
"""Takes how many threads were done since the last call."""


class Import:
    """One import into a scope: ``run``, and ``retire`` afterwards if that is wanted.

    ``seen`` is needed for the latter: it keeps what was read.
    """

    def __init__(
        self, database: Database, index_sync: IndexSync, scope: int, seen: Seen | None = None
    ):
        self._database, self._index_sync = database, index_sync
        self._scope, self._seen = scope, seen
        self.report = ImportReport()

    async def run(self, reader: Reader, progress: Progress | None = None) -> ImportReport:
        """Store what there is to read, and have it indexed meanwhile; the reader is closed."""
        with _quick_switches(), self._index_sync.importing():
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
                    texts = {one.rows.key: one.text for one in batch.threads}
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
        """Retire threads of the same sources that were not read; not where that is doubtful."""
        report, seen = self.report, self._seen
        assert seen is not None
        seen.add(report.former_keys)  # under which the library has threads that were read
        report.not_retired = await self._doubt(seen)
        after: int | None = 0 if report.not_retired is None else None
        while after is not None:
            after, gone = await self._database.writing(
                retire_unseen, self._scope, seen, after, RETIRED_AT_ONCE
            )
            report.retired += gone

    async def _doubt(self, seen: Seen) -> str | None:
        """Say why an import had better not retire what it didn't bring, if it had."""
        if not self.report.ok:
            return "what was rejected may be what seems to be gone"
        if self.report.added == self.report.total:
            there = await self._database.reading(count_of, self._scope, seen.sources)
            if there > self.report.total:
                return (
                    "nothing that was there came again: this may be another source of the same name"
                )
        return None

    async def _next(self, reader: Reader) -> Batch:
        """Read a batch and prepare its drafts; those that the library has just so stay drafts.

        Of threads with one key, the last is left.
        """
        batch = await in_thread(self._read, reader)
        latest = {one.rows.key: place for place, one in enumerate(batch.threads)}
        drafts = {p: batch.threads[p].rows for p in latest.values() if batch.threads[p].is_draft}
        if drafts:
            keys = [rows.key for rows in drafts.values()]
            known = await self._database.reading(threads.fingerprints, self._scope, keys)
            wanted = [p for p, rows in drafts.items() if known.get(rows.key) != rows.fingerprint]
            prepared = await in_thread(reader.prepare, wanted)
            for place, one in zip(wanted, prepared, strict=True):
                batch.threads[place] = one
        return batch._replace(threads=[batch.threads[place] for place in latest.values()])

    def _read(self, reader: Reader) -> Batch:
        """Read a batch; in a thread."""
        batch = reader.next()
        if self._seen is not None:
            self._seen.add(one.rows.key for one in batch.threads)
            self._seen.sources.update(one.rows.source for one in batch.threads if one.rows.source)
        return batch

    async def _store(self, batch: Batch) -> Put | None:
        """Store what is prepared of a batch, and count what it came to."""
        report = self.report
        report.outcomes[Outcome.UNCHANGED] += sum(one.is_draft for one in batch.threads)
        report.rejected += [
            InputError(o.problem, printable(o.rows.key)) for o in batch.threads if o.problem
        ]
        rows = [one.rows for one in batch.threads if one.text is not None]
        if not rows:
            return None
        put = await self._database.writing(threads.put, self._scope, rows)
        report.outcomes.update(put.outcomes)
        report.former_keys += put.former
        return put


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
