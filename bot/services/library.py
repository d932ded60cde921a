"""The library: threads imported from files, exported and counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.errors import ConfigError
from bot.models import SHARED, StoredThread, Thread
from bot.services.histories import Histories
from bot.services.import_pipeline import Import, ImportReport, Progress
from bot.services.import_reader import LocalReader, open_reader
from bot.services.index_sync import IndexSync
from bot.settings import Settings
from bot.sources import AS_FOUND, Draft, Options, SourceReport, read_all
from bot.store import carried, examples, origins, stats, threads
from bot.store.database import Database
from bot.store.database_file import exists
from bot.store.stats import Counts
from bot.worker import in_thread

NO_HISTORY = (
    "what was changed of its threads is of one server, and was left out; --guild ID takes it in"
)

PAGE = 500
"""Threads that are exported at a time: they are in memory together."""

Write = Callable[[list[Thread]], None]
"""Writes threads behind those that it was given before."""


class Library:
    """Imports and exports threads."""

    def __init__(self, database: Database, index_sync: IndexSync):
        self._database, self._index_sync = database, index_sync
        self._histories = Histories(database)

    async def examples(self, guild_id: int, count: int) -> list[str]:
        """Return titles of answered threads that a guild sees: its most asked, else best scored."""
        return await self._database.reading(examples.titles, guild_id, count)

    async def import_paths(
        self,
        paths: Sequence[Path],
        *,
        scope: int = SHARED,
        options: Options = AS_FOUND,
        progress: Progress | None = None,
        seen: SourceReport | None = None,
        prune: bool = False,
    ) -> ImportReport:
        """Import files and folders; bad input is reported, and the rest goes on.

        ``seen`` is filled while they are read: who gives it can tell how far that is. With
        ``prune``, threads that came from the same sources and are not there any more are
        retired, unless that is doubtful (``Import.retire``). Raises
        ConfigError when ``options`` leave threads out that pruning would take for gone.
        """
        if prune and not options.wants_all:
            raise ConfigError(
                "--prune retires what the import doesn't bring, and --limit, --min-score and "
                "--tag keep threads back; leave one of the two out"
            )
        seen = SourceReport() if seen is None else seen
        options = replace(options, choices=await self._database.reading(origins.all_choices))
        this = Import(self._database, self._index_sync, scope)
        report = await this.run(await in_thread(open_reader, paths, options, seen), progress)
        if seen.histories and scope != SHARED:
            report.states = (await self._histories.take(seen.histories, scope, seen)).states
        elif seen.histories:
            seen.hint(NO_HISTORY)
        report.take_over(seen)
        if prune:
            await this.retire()
        await self._index_sync.catch_up()
        return report

    async def add(
        self,
        found: Iterable[Thread | Draft | None],
        *,
        scope: int = SHARED,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Add or update threads by source key, and make them findable."""
        reader = LocalReader(found, SourceReport())
        report = await Import(self._database, self._index_sync, scope).run(reader, progress)
        await self._index_sync.catch_up()
        return report

    async def export(
        self, write: Write, *, scope: int = SHARED, progress: Progress | None = None
    ) -> int:
        """Have the threads of one scope written, with what guilds said of them; returns how many.

        They come oldest first, some at a time; ``write`` is called in a thread, and may raise.
        """
        written = 0
        async for page in _pages(self._database, scope):
            ids = [thread.id for thread in page]
            said = await self._database.reading(carried.of_threads, ids, scope)
            await in_thread(lambda page, said: write([*map(said.on, page)]), page, said)
            written += len(page)
            if progress is not None:
                progress(len(page))
        return written

    async def export_history(self, write: Callable[[str], object], *, scope: int) -> None:
        """Have what was changed of a guild's threads written, as lines of ``history_lines``."""
        await self._histories.export(scope, write)

    async def count(self) -> Counts:
        """Count the threads, answers and votes of all guilds."""
        return await self._database.reading(stats.count)


async def in_force(settings: Settings) -> list[Thread]:
    """Return the shared library as the bot's next start has it, seeds included.

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
    if (folder := settings.seeds) is not None:
        seeds = read_all([folder], SourceReport())
        found |= await in_thread(lambda: {thread.key: thread for thread in seeds})
    return list(found.values())


async def _pages(database: Database, scope: int) -> AsyncIterator[list[StoredThread]]:
    """Yield the threads of one scope, oldest first, a batch at a time."""
    last = 0
    while True:
        page = await database.reading(threads.page, last, PAGE, scope)
        if not page:
            return
        yield page
        last = page[-1].id
