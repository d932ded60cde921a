"""The servers that the bot is in: joined, removed, or missing from what Discord lists."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.services.guild_removal import Shard
from cogs.greeting import greet

log = logging.getLogger(__name__)


class MembershipCog(commands.Cog, name="Membership"):
    """Records the servers of the bot, so that the data of those that removed it can be deleted.

    READY lists all servers of a shard, but discord.py passes the list on to nobody: it puts
    the servers into its cache, and ``AutoShardedConnectionState.parse_ready`` leaves there
    what an earlier session had put in. So ``bot.guilds`` still has, after a new session, the
    servers that removed the bot meanwhile. But each server that READY lists gets a new object
    in the cache. Hence what is in the cache as the same object as when the connection ended,
    and was not announced since, was not listed. That is read at once after READY: until
    discord.py says that a shard is ready, the connection may have ended again.

    The listeners read what they need before their first ``await``, so that the service is
    told in the order in which Discord sent it.
    """

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self._service = bot.app.guild_removal
        self._before: dict[int, list[discord.Guild]] = {}

    @commands.Cog.listener()
    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Keep what is in the cache when a connection ends, to recognise it."""
        self._before[shard_id] = self._in_cache(shard_id)

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int) -> None:
        """Forget what was kept: Discord sends what happened meanwhile as events."""
        self._before.pop(shard_id, None)

    @commands.Cog.listener()
    async def on_shard_connect(self, shard_id: int) -> None:
        """Record the servers of a new session: those that READY didn't list removed the bot.

        Servers in an outage are listed as well.
        """
        before = {id(guild) for guild in self._before.pop(shard_id, [])}
        listed = {guild.id for guild in self._in_cache(shard_id) if id(guild) not in before}
        shard = Shard(shard_id, self.bot.shard_count or 1)
        try:
            await self._service.connected(self._application_id, listed, shard)
        except StoreError as error:
            log.warning("shard %d: not noted in which servers I am: %s", shard_id, error)

    @commands.Cog.listener("on_guild_join")
    @commands.Cog.listener("on_guild_available")
    async def on_joined(self, guild: discord.Guild) -> None:
        """Record that the bot was invited, perhaps in an outage that is over now."""
        before = self._before.get(guild.shard_id, [])
        self._before[guild.shard_id] = [other for other in before if other is not guild]
        try:
            await self._service.joined(self._application_id, guild.id)
        except StoreError as error:
            log.warning("guild %d: not noted that I am in it: %s", guild.id, error)
            return
        await greet(self.bot, guild)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Greet the servers that invited the bot while it was away."""
        for guild in self._in_cache(shard_id):
            await greet(self.bot, guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Record that the bot was removed, or the server deleted; an outage doesn't come here."""
        try:
            await self._service.removed(self._application_id, guild.id)
        except StoreError as error:  # the next session shows it again
            log.warning("guild %d: not noted that it removed me: %s", guild.id, error)

    def _in_cache(self, shard_id: int) -> list[discord.Guild]:
        return [guild for guild in self.bot.guilds if guild.shard_id == shard_id]

    @property
    def _application_id(self) -> int:
        return self.bot.application_id or 0  # it is known from the login on


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(MembershipCog(bot))
