"""The library: threads taken in from files, given out as JSONL, counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from bot.errors import ConfigError, InputError
from bot.models import SHARED, StoredThread, Thread
from bot.services.following import Follower
from bot.settings import Settings
from bot.sources import AS_FOUND, Options, SourceReport, read_all
from bot.sources.limits import MAX_FILE_BYTES
from bot.sources.writing import WRITERS, Pages
from bot.store import carried, threads
from bot.store.database import Database, exists
from bot.store.threads import Counts, Outcome

BATCH = 500
"""Threads a transaction: an import that is stopped keeps its finished batches."""

Progress = Callable[[int], None]
"""Told how many threads were done since the last call."""


@dataclass
class ImportReport:
    """What an import came to: ``rejected`` is what was not accepted, and why.

    ``warned`` tells what was, but not just as it stands in the file.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    rejected: list[InputError] = field(default_factory=list)
    warned: list[InputError] = field(default_factory=list)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def added(self) -> int:
        """Threads that the library did not have."""
        return self.outcomes[Outcome.ADDED]

    @property
    def updated(self) -> int:
        """Threads that it had, in another version."""
        return self.outcomes[Outcome.UPDATED]

    @property
    def unchanged(self) -> int:
        """Threads that it had just so."""
        return self.outcomes[Outcome.UNCHANGED]

    @property
    def total(self) -> int:
        """All threads that were accepted."""
        return self.outcomes.total()

    @property
    def ok(self) -> bool:
        """Whether everything was accepted."""
        return not self.rejected


class Library:
    """Taking threads in and giving them out."""

    def __init__(self, database: Database, follower: Follower):
        self._database, self._follower = database, follower

    async def import_paths(
        self,
        paths: Sequence[Path],
        *,
        scope: int = SHARED,
        options: Options = AS_FOUND,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Take in files and folders; bad input is reported, and the rest goes on."""
        seen = SourceReport()
        report = await self.add(read_all(paths, seen, options), scope=scope, progress=progress)
        report.rejected += seen.rejected
        report.warned += seen.warned
        report.unknown_keys += seen.unknown_keys
        report.passed_over += seen.passed_over
        return report

    async def add(
        self, found: Iterable[Thread], *, scope: int = SHARED, progress: Progress | None = None
    ) -> ImportReport:
        """Add or update threads by source key, and make them findable."""
        report = ImportReport()
        stream = iter(found)
        while batch := await asyncio.to_thread(_take, stream):
            async with self._database.write() as connection:
                outcomes = await threads.put(connection, scope, list(batch.values()))
            report.outcomes.update(outcomes)
            if progress is not None:
                progress(len(batch))
        await self._follower.catch_up()
        return report

    async def export(
        self,
        out: TextIO,
        *,
        scope: int = SHARED,
        form: str = "jsonl",
        progress: Progress | None = None,
    ) -> int:
        """Write the threads of one scope, oldest first, in one of ``WRITERS``; returns how many.

        Raises ConfigError where they are more than a file of this form may hold.
        """
        write = WRITERS[form]
        written = size = 0
        async for page in self._with_tallies(scope):
            text = await asyncio.to_thread("".join, map(write, page))
            size += len(text.encode())
            if form != "jsonl" and size > MAX_FILE_BYTES:
                raise ConfigError(
                    f"the library is larger than a {form} file may be "
                    f"({MAX_FILE_BYTES // 1024**2} MB); export it as jsonl"
                )
            out.write(text)
            written += len(page)
            if progress is not None:
                progress(len(page))
        return written

    async def export_pages(
        self, folder: Path, *, scope: int = SHARED, progress: Progress | None = None
    ) -> int:
        """Write the threads of one scope as text pages into a folder; returns how many.

        Raises OSError when that can't be.
        """
        pages = Pages(folder)
        written = 0
        async for page in self._with_tallies(scope):
            await asyncio.to_thread(pages.write, page)
            written += len(page)
            if progress is not None:
                progress(len(page))
        return written

    async def _with_tallies(self, scope: int) -> AsyncIterator[list[Thread]]:
        """The threads of one scope with what every guild's members voted, as exports carry it."""
        async for page in _pages(self._database, scope):
            async with self._database.read() as connection:
                sums = await carried.tallies(connection, [thread.id for thread in page])
            yield [
                replace(
                    thread,
                    answers=tuple(
                        replace(a, tallies=tuple(pair for pair in sums[a.id] if pair[1]))
                        for a in thread.answers
                    ),
                )
                for thread in page
            ]

    async def count(self) -> Counts:
        """How many threads, answers and votes there are, over all guilds."""
        async with self._database.read() as connection:
            return await threads.count(connection)


async def in_force(settings: Settings) -> list[Thread]:
    """The shared library as the bot's next start has it, seeds included; nothing is changed.

    Raises ThreadwiseError when the database can't be read.
    """
    found: dict[str, Thread] = {}
    if exists(settings.database):
        database = await Database.open(settings.database)
        try:
            async for page in _pages(database, SHARED):
                found |= {thread.key: thread for thread in page}
        finally:
            await database.close()
    if settings.seeds_dir.is_dir():
        seeds = read_all([settings.seeds_dir], SourceReport())
        found |= await asyncio.to_thread(lambda: {thread.key: thread for thread in seeds})
    return list(found.values())


async def _pages(database: Database, scope: int) -> AsyncIterator[list[StoredThread]]:
    """The threads of one scope, oldest first, a batch at a time."""
    last = 0
    while True:
        async with database.read() as connection:
            page = await threads.page(connection, last, BATCH, scope)
        if not page:
            return
        yield page
        last = page[-1].id


def _take(stream: Iterator[Thread]) -> dict[str, Thread]:
    """The next batch by source key; of two threads with one key the later holds."""
    return {thread.key: thread for thread in islice(stream, BATCH)}
