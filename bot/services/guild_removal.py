"""Guilds that remove the bot: what is theirs is kept for a while, then deleted.

The service is told by whoever speaks with Discord in which guilds an application (a bot
account) is. A guild in which this application was never seen is nobody's to delete: the
library may be served by another account as well, or filled by ``import --guild``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.services.guilds import Guilds
from bot.services.index_sync import IndexSync
from bot.settings import Settings
from bot.store import guild_data, memberships
from bot.store.database import Database
from bot.store.guild_data import GuildData

__all__ = ["GuildData", "GuildRemoval", "Shard"]

INTERVAL = 2.0
"""Seconds between looks whether another process has forgotten a guild."""

HOURLY = 3600.0
"""Seconds between looks whose time is over."""

PAUSE = 0.01
"""Seconds between two steps of a deletion, in which others may write."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shard:
    """One connection of several, each of which tells of its own part of the guilds."""

    id: int = 0
    count: int = 1

    def has(self, guild_id: int) -> bool:
        """Whether Discord tells of a guild on this connection."""
        return (guild_id >> 22) % self.count == self.id


class GuildRemoval:
    """In which guilds an application is, and deleting what is kept of those that it left."""

    def __init__(
        self, database: Database, guilds: Guilds, index_sync: IndexSync, settings: Settings
    ):
        self._database, self._guilds, self._index_sync = database, guilds, index_sync
        self._retention = timedelta(days=settings.guild_retention_days)
        # What is told is written in the order in which it was told: a lock's waiters take turns.
        self._in_order = asyncio.Lock()
        self._members: dict[int, set[int]] = {}
        self._listed: dict[int, set[Shard]] = {}

    async def joined(self, application_id: int, guild_id: int) -> None:
        """An application is in a guild, again or for the first time."""
        self._members.setdefault(application_id, set()).add(guild_id)
        async with self._in_order, self._database.write() as connection:
            await memberships.seen(connection, application_id, [guild_id], datetime.now(UTC))

    async def removed(self, application_id: int, guild_id: int) -> None:
        """A guild removed an application; what is the guild's is deleted when its time is over."""
        self._members.get(application_id, set()).discard(guild_id)
        now = datetime.now(UTC)
        async with self._in_order, self._database.write() as connection:
            # It was there, though perhaps never noted: its data was forgotten meanwhile.
            if not await memberships.is_noted(connection, application_id, guild_id):
                await memberships.seen(connection, application_id, [guild_id], now)
            await memberships.removed(connection, application_id, [guild_id], now)
        self._log_removed([guild_id])
        if not self._retention:
            await self.purge()

    async def connected(
        self,
        application_id: int,
        there: Collection[int],
        shard: Shard = Shard(),
    ) -> None:
        """Discord lists all guilds of a shard: those that are missing removed the application."""
        self._listed.setdefault(application_id, set()).add(shard)
        members = self._members.setdefault(application_id, set())
        members.difference_update([i for i in members if shard.has(i)])
        members.update(there)
        now = datetime.now(UTC)
        async with self._in_order, self._database.write() as connection:
            known = await memberships.member_of(connection, application_id)
            gone = {i for i in known if shard.has(i)}.difference(there)
            await memberships.removed(connection, application_id, gone, now)
            await memberships.seen(connection, application_id, there, now)
        self._log_removed(gone)
        if gone and not self._retention:
            await self.purge()

    async def figures(self, guild_id: int) -> GuildData:
        """How much is kept of a guild."""
        async with self._database.read() as connection:
            return await guild_data.count(connection, guild_id)

    async def is_member(self, guild_id: int) -> bool:
        """Whether the bot is in a guild, as far as it is known."""
        async with self._database.read() as connection:
            return await memberships.is_member(connection, guild_id)

    async def forget(self, guild_id: int) -> GuildData:
        """Delete all that is kept of a guild; returns how much that was.

        It is done in short transactions. Who is stopped meanwhile may call it again.
        """
        found = await self.figures(guild_id)
        while await self._delete_some(guild_id):
            await asyncio.sleep(PAUSE)
        await self._forgotten(guild_id, found)
        return found

    async def purge(self, now: datetime | None = None) -> list[int]:
        """Delete what is kept of guilds whose time is over; returns which they were.

        Only after Discord has listed the guilds of their shards: they may have come back while
        nobody looked. One that comes back now keeps what is still there.
        """
        before = (now or datetime.now(UTC)) - self._retention
        async with self._database.read() as connection:
            due = await memberships.due(connection, before, self._listed)
        due = [guild_id for guild_id in due if self._is_listed(guild_id)]
        for guild_id in due:
            found = await self.figures(guild_id)
            while await self._delete_some(guild_id, before):
                await asyncio.sleep(PAUSE)
            await self._forgotten(guild_id, found)
        return due

    async def run(self) -> None:
        """For ever: purge now and every hour, and notice what others forget.

        A failure is logged, and the next look tries again.
        """
        purge_at, seen = 0.0, -1
        while True:
            try:
                seen = await self._notice(seen)
                if time.monotonic() >= purge_at:
                    purge_at = time.monotonic() + HOURLY
                    await self._note_members()
                    await self.purge()
            except Exception:
                log.exception("what is kept of guilds could not be looked at; trying again")
            await asyncio.sleep(INTERVAL)

    def _is_listed(self, guild_id: int) -> bool:
        """Whether Discord has told us of the shard that a guild is on."""
        return any(shard.has(guild_id) for shards in self._listed.values() for shard in shards)

    async def _delete_some(self, guild_id: int, before: datetime | None = None) -> bool:
        """One step of a deletion; with ``before``, only as long as the guild is still due."""
        async with self._database.write() as connection:
            if before is not None and not await memberships.due(
                connection, before, self._listed, guild_id
            ):
                return False
            return await guild_data.delete_some(connection, guild_id)

    async def _forgotten(self, guild_id: int, found: GuildData) -> None:
        async with self._database.write() as connection:
            await guild_data.count_forgotten(connection)
        self._guilds.drop_cached()
        log.info(
            "guild %d is forgotten: %d threads, %d votes, %d phrasings and %d postings deleted",
            guild_id,
            found.threads,
            found.votes,
            found.phrasings,
            found.postings,
        )
        await self._index_sync.catch_up()

    async def _notice(self, seen: int) -> int:
        """Drop what is cached of guilds when another process has forgotten one."""
        async with self._database.read() as connection:
            now = await guild_data.forgotten(connection)
        if now != seen:
            self._guilds.drop_cached()
        return now

    async def _note_members(self) -> None:
        """Note again who is there: a guild that was forgotten while it is has no row any more."""
        for application_id, guild_ids in self._members.items():
            async with self._in_order, self._database.write() as connection:
                now = datetime.now(UTC)
                await memberships.seen(connection, application_id, guild_ids, now)

    def _log_removed(self, guild_ids: Collection[int]) -> None:
        for guild_id in guild_ids:
            log.info(
                "guild %d removed the bot: what is kept of it is deleted after %d days",
                guild_id,
                self._retention.days,
            )
