"""A guild's own threads: how many there are, given out, removed, brought back."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import NotFound, ThreadwiseError
from bot.models import SHARED
from bot.services.index_sync import IndexSync
from bot.services.library import Library
from bot.store import soft_delete, stats
from bot.store.database import Database
from bot.store.soft_delete import Plan, Removal, Target
from bot.store.stats import Shelf, Source

__all__ = ["UNDO", "Curating", "Exported", "Figures", "Plan", "Removal", "Target", "Unchanged"]

UNDO = timedelta(days=1)
"""For how long what was removed can be brought back."""

HOURLY = 3600.0
"""Seconds between looks at what was removed long enough ago to be deleted."""

BATCH = 500
"""Threads that are deleted at a time."""

SOURCES = 10
"""Sources that the figures name: the largest."""

GONE = "That is not here any more."
NOTHING_OWN = "This server has no threads of its own yet. `/library import` brings some in."

PLAIN = 1024**2
"""Bytes up to which an export isn't packed, so that it can be read where it is."""

log = logging.getLogger(__name__)


class Unchanged(ThreadwiseError):
    """Nothing was removed; the text says why."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What a guild sees of the library."""

    own: Shelf
    shared: Shelf
    votes: int
    phrasings: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A guild's own threads as a file."""

    name: str
    data: bytes
    threads: int


class Curating:
    """What people with Manage Server do with their guild's own threads."""

    def __init__(self, database: Database, index_sync: IndexSync, library: Library):
        self._database, self._index_sync, self._library = database, index_sync, library

    async def figures(self, guild_id: int) -> Figures:
        """How much there is, and where it is from."""
        async with self._database.read() as connection:
            return Figures(
                own=await stats.shelf(connection, guild_id),
                shared=await stats.shelf(connection, SHARED),
                votes=await stats.votes_in(connection, guild_id),
                phrasings=await stats.phrasings_in(connection, guild_id),
                sources=tuple(await stats.sources(connection, (guild_id, SHARED), SOURCES)),
            )

    async def export(self, guild_id: int, most: int) -> Exported | None:
        """A guild's own threads as a file of at most so many bytes.

        ``None`` if they take more. Raises NotFound when there are none.
        """
        out = _Packed(most)
        try:
            count = await self._library.export(out.stream, scope=guild_id, progress=out.check)
            if not count:
                raise NotFound(NOTHING_OWN)
            return await asyncio.to_thread(out.finished, count)
        except _Full:
            return None

    async def sources(self, guild_id: int, typed: str = "") -> list[Source]:
        """A guild's own sources in whose names what is being typed occurs, largest first."""
        async with self._database.read() as connection:
            found = await stats.sources(connection, [guild_id])
        wanted = typed.casefold().strip()
        return [s for s in found if s.name is not None and wanted in s.name.casefold()]

    async def find(self, guild_id: int, thread: str | int) -> Target:
        """One of a guild's own threads, by id, key or title. Raises NotFound, Unchanged."""
        async with self._database.read() as connection:
            thread_id = await stats.own_id(connection, guild_id, thread)
            if thread_id is None and await stats.is_shared(connection, thread):
                raise Unchanged(
                    "That thread is in the library that all servers share. Whoever hosts me can "
                    "take it out."
                )
        if thread_id is None:
            raise NotFound("This server has no such thread. Choose one from the list.")
        return Target(thread_id)

    async def find_source(self, guild_id: int, source: str | int) -> Target:
        """One of a guild's own sources, by its name or a thread's id. Raises NotFound."""
        for known in await self.sources(guild_id):
            if source in (known.name, known.first_id):
                return Target(known.first_id, whole_source=True)
        raise NotFound("This server has no threads from such a source. Choose one from the list.")

    async def plan(self, guild_id: int, target: Target) -> Plan:
        """What a removal would take away. Raises NotFound when there is nothing (any more)."""
        async with self._database.read() as connection:
            found = await soft_delete.plan(connection, guild_id, target)
        if found is None:
            raise NotFound(GONE)
        return found

    async def remove(self, guild_id: int, target: Target) -> Removal:
        """Take threads out of sight; for a day they can be brought back. Raises NotFound."""
        async with self._database.write() as connection:
            gone = await soft_delete.remove(connection, guild_id, target)
        if gone is None:
            raise NotFound(GONE)
        log.info("guild %d: a moderator removed %d threads", guild_id, gone.threads)
        await self._index_sync.catch_up()
        return gone

    async def removals(self, guild_id: int) -> list[Removal]:
        """What can be brought back, newest first."""
        async with self._database.read() as connection:
            return await soft_delete.removals(connection, guild_id)

    async def restore(self, guild_id: int, moment: int) -> int:
        """Bring back what was removed at a moment; returns how many. Raises NotFound."""
        async with self._database.write() as connection:
            count = await soft_delete.restore(connection, guild_id, moment)
        if not count:
            raise NotFound("That can't be brought back: it is here again, or deleted for good.")
        log.info("guild %d: a moderator brought %d threads back", guild_id, count)
        await self._index_sync.catch_up()
        return count

    async def purge(self, now: datetime | None = None) -> int:
        """Delete for good what was removed over a day ago; returns how many threads."""
        before, total = (now or datetime.now(UTC)) - UNDO, 0
        while True:
            async with self._database.write() as connection:
                gone = await soft_delete.purge(connection, before, BATCH)
            total += gone
            if gone < BATCH:
                break
        if total:
            log.info("%d threads that were removed are deleted for good", total)
        return total

    async def run(self) -> None:
        """Purge now and every hour, for ever; a failure is logged and the next hour tries."""
        while True:
            try:
                await self.purge()
            except Exception:
                log.exception("what was removed could not be deleted; trying again")
            await asyncio.sleep(HOURLY)


class _Full(Exception):
    """There is more to export than fits."""


class _Packed:
    """What is written to ``stream``, packed in memory as long as it fits."""

    def __init__(self, most: int):
        self._most = most
        self._held = io.BytesIO()
        self._packed = gzip.GzipFile("", "wb", fileobj=self._held, mtime=0)
        self.stream = io.TextIOWrapper(self._packed, encoding="utf-8", newline="\n")

    def check(self, _more: int = 0) -> None:
        """Raise _Full when there is more than fits."""
        if self._held.tell() > self._most:
            raise _Full

    def finished(self, threads: int) -> Exported:
        """The whole as a file, unpacked again if it is small. Raises _Full."""
        self.stream.flush()
        size = self._packed.tell()
        self.stream.close()
        self.check()
        packed = self._held.getvalue()
        if size <= min(PLAIN, self._most):
            return Exported("library.jsonl", gzip.decompress(packed), threads)
        return Exported("library.jsonl.gz", packed, threads)
