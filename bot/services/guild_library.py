"""A guild's own threads: counted, exported, removed, restored."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import NotFound, ThreadwiseError
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import SHARED
from bot.services.index_sync import IndexSync
from bot.services.library import Library
from bot.sources.writers import OneFile
from bot.store import soft_delete, stats
from bot.store.database import Database
from bot.store.soft_delete import Plan as Plan
from bot.store.soft_delete import Removal as Removal
from bot.store.soft_delete import Target as Target
from bot.store.stats import ScopeCounts, Source

UNDO = timedelta(days=1)
"""The time for which removed threads can be restored."""

PURGED_AT_ONCE = 500
"""Threads deleted in one transaction, so that votes need not wait long."""

SOURCES = 10
"""Sources that are named, the largest: as many as a card shows well."""

NOT_HERE = N_("That is not here any more.")
NOTHING_OWN = N_("This server has no threads of its own yet. `/library import` brings some in.")

MAX_PLAIN = 1024**2
"""Bytes up to which an export isn't compressed, so that Discord shows it."""

log = logging.getLogger(__name__)


class NothingRemoved(ThreadwiseError):
    """Nothing was removed; the text says why."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class LibraryStats:
    """Counts of what a guild sees: ``own`` are its threads, ``shared`` everybody's."""

    own: ScopeCounts
    shared: ScopeCounts
    votes: int
    phrasings: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A guild's own threads as a file."""

    name: str
    data: bytes
    threads: int


class GuildLibrary:
    """Manages a guild's own threads, for its members with Manage Server."""

    def __init__(self, database: Database, index_sync: IndexSync, library: Library):
        self._database, self._index_sync, self._library = database, index_sync, library

    async def stats(self, guild_id: int) -> LibraryStats:
        """Count what a guild sees of the library, and name its sources."""
        async with self._database.read() as connection:
            return LibraryStats(
                own=await stats.scope_counts(connection, guild_id),
                shared=await stats.scope_counts(connection, SHARED),
                votes=await stats.votes_in(connection, guild_id),
                phrasings=await stats.phrasings_in(connection, guild_id),
                sources=tuple(await stats.sources(connection, (guild_id, SHARED), SOURCES)),
            )

    async def export(self, guild_id: int, most: int) -> ExportFile | None:
        """Return a guild's own threads as a file of at most ``most`` bytes.

        ``None`` if they take more. Raises NotFound when there are none.
        """
        out = _CompressedExport(most)
        try:
            write = OneFile(out.stream).write
            count = await self._library.export(write, scope=guild_id, progress=out.check)
            if not count:
                raise NotFound(_(NOTHING_OWN))
            return await asyncio.to_thread(out.finished, count)
        except _TooLarge:
            return None

    async def sources(self, guild_id: int, typed: str = "") -> list[Source]:
        """Return a guild's own sources whose names contain ``typed``, the largest first."""
        sources = await self._database.reading(stats.sources, [guild_id])
        wanted = typed.casefold().strip()
        return [s for s in sources if s.name is not None and wanted in s.name.casefold()]

    async def find(self, guild_id: int, thread: str | int) -> Target:
        """Return one of a guild's own threads, by id, key or title.

        Raises NotFound, and NothingRemoved for a thread of the shared library.
        """
        async with self._database.read() as connection:
            thread_id = await stats.own_id(connection, guild_id, thread)
            if thread_id is None and await stats.is_shared(connection, thread):
                raise NothingRemoved(
                    _(
                        "That thread is in the library that all servers share. Whoever hosts me "
                        "can take it out."
                    )
                )
        if thread_id is None:
            raise NotFound(_("This server has no such thread. Choose one from the list."))
        return Target(thread_id)

    async def find_source(self, guild_id: int, source: str | int) -> Target:
        """Return one of a guild's own sources, by its name or a thread's id. Raises NotFound."""
        for known in await self.sources(guild_id):
            if source in (known.name, known.first_id):
                return Target(known.first_id, whole_source=True)
        raise NotFound(
            _("This server has no threads from such a source. Choose one from the list.")
        )

    async def plan(self, guild_id: int, target: Target) -> Plan:
        """Return what a removal would take away. Raises NotFound when there is nothing."""
        plan = await self._database.reading(soft_delete.plan, guild_id, target)
        if plan is None:
            raise NotFound(_(NOT_HERE))
        return plan

    async def remove(self, guild_id: int, target: Target) -> Removal:
        """Retire threads; for a day they can be restored. Raises NotFound."""
        gone = await self._database.writing(soft_delete.remove, guild_id, target)
        if gone is None:
            raise NotFound(_(NOT_HERE))
        log.info("guild %d: a moderator removed %d threads", guild_id, gone.threads)
        await self._index_sync.catch_up()
        return gone

    async def removals(self, guild_id: int) -> list[Removal]:
        """Return what can be restored, newest first."""
        return await self._database.reading(soft_delete.removals, guild_id)

    async def restore(self, guild_id: int, moment: int) -> int:
        """Restore what was removed at a time (µs); return how many threads. Raises NotFound."""
        count = await self._database.writing(soft_delete.restore, guild_id, moment)
        if not count:
            raise NotFound(_("That can't be brought back: it is here again, or deleted for good."))
        log.info("guild %d: a moderator brought %d threads back", guild_id, count)
        await self._index_sync.catch_up()
        return count

    async def purge(self, now: datetime | None = None) -> int:
        """Delete for good what was removed over a day ago; return how many threads."""
        before, total = (now or datetime.now(UTC)) - UNDO, 0
        while True:
            gone = await self._database.writing(soft_delete.purge, before, PURGED_AT_ONCE)
            total += gone
            if gone < PURGED_AT_ONCE:
                break
        if total:
            log.info("%d threads that were removed are deleted for good", total)
        return total


class _TooLarge(Exception):
    """An export has more bytes than it may."""


class _CompressedExport:
    """Compresses what is written to ``stream``, in memory, as long as it fits."""

    def __init__(self, most: int):
        self._most = most
        self._compressed = io.BytesIO()
        self._gzip = gzip.GzipFile("", "wb", fileobj=self._compressed, mtime=0)
        self.stream = io.TextIOWrapper(self._gzip, encoding="utf-8", newline="\n")

    def check(self, _more: int = 0) -> None:
        """Raise _TooLarge when there is more than fits."""
        if self._compressed.tell() > self._most:
            raise _TooLarge

    def finished(self, threads: int) -> ExportFile:
        """Return the whole as a file, decompressed again if it is small. Raises _TooLarge."""
        self.stream.flush()
        size = self._gzip.tell()
        self.stream.close()
        self.check()
        data = self._compressed.getvalue()
        if size <= min(MAX_PLAIN, self._most):
            return ExportFile("library.jsonl", gzip.decompress(data), threads)
        return ExportFile("library.jsonl.gz", data, threads)
