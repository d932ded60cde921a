"""Guilds that remove the bot: their data is kept for a while, then deleted.

``cogs/membership.py`` reports in which guilds an application (a bot account) is. The data of a
guild in which this application was never seen is never deleted: another account may work on the
library as well, or ``import --guild`` may have filled it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.services.guilds import Guilds
from bot.services.index_sync import IndexSync
from bot.settings import Settings
from bot.store import guild_data
from bot.store.database import Database
from bot.store.guild_data import GuildData

__all__ = ["GuildData", "GuildRemoval", "Shard"]

PAUSE_SECONDS = 0.01
"""Seconds between two steps of a deletion, in which others may write."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several connections to Discord, each of which has a part of the guilds."""

    id: int = 0
    count: int = 1

    def has(self, guild_id: int) -> bool:
        """Return whether a guild is on this connection (Discord's formula)."""
        return (guild_id >> 22) % self.count == self.id


class GuildRemoval:
    """Notes in which guilds an application is, and deletes the data of those that removed it."""

    def __init__(
        self, database: Database, guilds: Guilds, index_sync: IndexSync, settings: Settings
    ):
        self._database, self._guilds, self._index_sync = database, guilds, index_sync
        self._retention = timedelta(days=settings.guild_retention_days)
        # Reports are written in their order: a lock's waiters take turns.
        self._in_order = asyncio.Lock()
        self._members: dict[int, set[int]] = {}
        self._listed: dict[int, set[Shard]] = {}

    async def joined(self, application_id: int, guild_id: int) -> None:
        """Note that an application joined a guild, again or for the first time."""
        self._members.setdefault(application_id, set()).add(guild_id)
        async with self._in_order, self._database.write() as connection:
            await guild_data.note_member(connection, application_id, [guild_id], datetime.now(UTC))

    async def removed(self, application_id: int, guild_id: int) -> None:
        """Note that a guild removed an application: from now on its retention time runs."""
        self._members.get(application_id, set()).discard(guild_id)
        now = datetime.now(UTC)
        async with self._in_order, self._database.write() as connection:
            # It was there, though perhaps never noted: its data was forgotten meanwhile.
            if not await guild_data.is_noted(connection, application_id, guild_id):
                await guild_data.note_member(connection, application_id, [guild_id], now)
            await guild_data.note_removal(connection, application_id, [guild_id], now)
        self._log_removed([guild_id])
        if not self._retention:
            await self.purge()

    async def claim_greeting(self, application_id: int, guild_id: int) -> bool:
        """Return whether a guild is to be greeted now: once, as long as its data is kept."""
        now = datetime.now(UTC)
        async with self._in_order, self._database.write() as connection:
            return await guild_data.claim_greeting(connection, application_id, guild_id, now)

    async def drop_greeting(self, application_id: int, guild_id: int) -> None:
        """Note that a guild could not be greeted: it is, at the next session."""
        await self._database.writing(guild_data.drop_greeting, application_id, guild_id)

    async def connected(
        self,
        application_id: int,
        there: Collection[int],
        shard: Shard = Shard(),
    ) -> None:
        """Note all guilds of a shard, as Discord lists them; the others removed the application."""
        self._listed.setdefault(application_id, set()).add(shard)
        members = self._members.setdefault(application_id, set())
        members.difference_update([i for i in members if shard.has(i)])
        members.update(there)
        now = datetime.now(UTC)
        async with self._in_order, self._database.write() as connection:
            known = await guild_data.guilds_of(connection, application_id)
            gone = {i for i in known if shard.has(i)}.difference(there)
            await guild_data.note_removal(connection, application_id, gone, now)
            await guild_data.note_member(connection, application_id, there, now)
        self._log_removed(gone)
        if gone and not self._retention:
            await self.purge()

    async def count(self, guild_id: int) -> GuildData:
        """Count what is kept of a guild."""
        return await self._database.reading(guild_data.count, guild_id)

    async def is_member(self, guild_id: int) -> bool:
        """Return whether the bot is in a guild, as far as it is known."""
        return await self._database.reading(guild_data.is_member, guild_id)

    async def forget(self, guild_id: int) -> GuildData:
        """Delete all that is kept of a guild, in short transactions; return how much that was.

        Stopped in between, it can be called again.
        """
        counts = await self.count(guild_id)
        while await self._delete_some(guild_id):
            await asyncio.sleep(PAUSE_SECONDS)
        await self._forgotten(guild_id, counts)
        return counts

    async def purge(self, now: datetime | None = None) -> list[int]:
        """Delete the data of guilds whose retention time is over; return their ids.

        That is done only after Discord has listed the guilds of their shards: they may have
        added the bot again while it was off. A guild that does so now keeps what is still there.
        """
        before = (now or datetime.now(UTC)) - self._retention
        due = await self._database.reading(guild_data.due_removals, before, self._listed)
        due = [guild_id for guild_id in due if self._is_listed(guild_id)]
        for guild_id in due:
            counts = await self.count(guild_id)
            while await self._delete_some(guild_id, before):
                await asyncio.sleep(PAUSE_SECONDS)
            await self._forgotten(guild_id, counts)
        return due

    async def every_hour(self) -> None:
        """Note the members again, and purge."""
        await self._note_members()
        await self.purge()

    def _is_listed(self, guild_id: int) -> bool:
        """Return whether Discord has listed the guilds of a guild's shard."""
        return any(shard.has(guild_id) for shards in self._listed.values() for shard in shards)

    async def _delete_some(self, guild_id: int, before: datetime | None = None) -> bool:
        """Delete some data, with ``before`` only while the guild is still due. False at the end."""
        async with self._database.write() as connection:
            if before is not None and not await guild_data.due_removals(
                connection, before, self._listed, guild_id
            ):
                return False
            return await guild_data.delete_some(connection, guild_id)

    async def _forgotten(self, guild_id: int, counts: GuildData) -> None:
        await self._guilds.note_deletion()
        log.info(
            "guild %d is forgotten: %d threads, %d votes, %d phrasings and %d postings deleted",
            guild_id,
            counts.threads,
            counts.votes,
            counts.phrasings,
            counts.postings,
        )
        await self._index_sync.catch_up()

    async def _note_members(self) -> None:
        """Note the members again: ``forget`` deletes the row of a guild that is still one."""
        for application_id, guild_ids in self._members.items():
            async with self._in_order, self._database.write() as connection:
                now = datetime.now(UTC)
                await guild_data.note_member(
                    connection, application_id, guild_ids, now, greeted=True
                )

    def _log_removed(self, guild_ids: Collection[int]) -> None:
        for guild_id in guild_ids:
            log.info(
                "guild %d removed the bot: what is kept of it is deleted after %d days",
                guild_id,
                self._retention.days,
            )
