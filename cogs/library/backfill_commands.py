"""/library backfill: what was solved in a followed channel before it was followed."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import ConfigError, NotFound, StoreError
from bot.following import FollowedChannel
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_pressed, edit_response
from bot.services.backfill import NOT_FOLLOWED
from bot.ui.backfill_cards import StopBackfill, backfill_card
from cogs.channel_context import interaction_context, only_managers
from cogs.discord_messages import FollowedParent
from cogs.following.discord_reader import DiscordReader
from cogs.library.backfill_progress import BackfillProgress
from cogs.library.follow_commands import NO_CONTENT, FollowableChannel, check_readable

NOT_SEEN = N_(
    "I can't see this channel, so I couldn't tell here how far I am. Please ask elsewhere."
)
NOT_RUNNING = N_("I am not reading that channel's posts just now.")

log = logging.getLogger(__name__)


class BackfillCommands(commands.Cog):
    """The command and the button about backfills, as a part of ``/library``."""

    bot: ThreadBot

    @app_commands.command(
        name="backfill", description=N_("Read what was solved in a followed channel until now")
    )
    @app_commands.describe(channel=N_("A channel that is followed"))
    async def backfill(self, interaction: Interaction, channel: FollowableChannel) -> None:
        """Begin to fill a channel in, or go on with it; all see how far that is."""
        guild = interaction.guild
        if guild is None:
            raise app_commands.NoPrivateMessage
        await self._check(interaction, channel)
        await acknowledge(interaction, thinking=True)
        begun = await self.bot.app.backfills.begin(guild.id, channel.id, interaction.user.id)
        try:
            with speaking(await self.bot.languages.of_guild(guild)):
                card = backfill_card(begun)
            message = await edit_response(interaction, **card.edit_kwargs())
            place = (message.channel.id, message.id)
            await self.bot.app.backfills.show_in(guild.id, channel.id, *place)
        finally:  # it runs, though nobody may see how far it is
            self._start(guild, channel, begun)

    @commands.Cog.listener("on_shard_ready")
    async def go_on(self, shard_id: int) -> None:
        """Go on with the backfills that a restart has interrupted."""
        try:
            unfinished = await self.bot.app.backfills.unfinished()
        except StoreError as error:  # the next session tries again
            log.warning("shard %d: backfills can't be looked up: %s", shard_id, error)
            return
        for followed in unfinished:
            guild = self.bot.get_guild(followed.guild_id)
            if guild is None or guild.shard_id != shard_id:
                continue
            channel = guild.get_channel(followed.channel_id)
            if not self.bot.intents.message_content:
                log.warning("guild %d: a backfill waits for the message content intent", guild.id)
            elif isinstance(channel, FollowedParent):
                self._start(guild, channel, followed)
            else:
                await self._give_up(guild, followed)

    async def stop_backfill(self, item: StopBackfill, interaction: Interaction) -> None:
        """Stop a backfill."""
        only_managers(interaction)
        guild = interaction.guild
        if guild is None:
            raise app_commands.NoPrivateMessage
        stopped = await self.bot.app.backfills.stop(guild.id, item.channel_id)
        if stopped is None:
            raise NotFound(_(NOT_RUNNING))
        with speaking(await self.bot.languages.of_guild(guild)):
            card = backfill_card(stopped)
        await edit_pressed(interaction, **card.edit_kwargs())

    async def _check(self, interaction: Interaction, channel: FollowableChannel) -> None:
        """Raise what the person is told by, privately, if a channel can't be filled in."""
        if not self.bot.intents.message_content:
            raise ConfigError(_(NO_CONTENT))
        check_readable(channel)
        if await self.bot.app.following.channel(channel.guild.id, channel.id) is None:
            raise NotFound(_(NOT_FOLLOWED).format(channel=channel.mention))
        if not interaction_context(interaction).may.view_channel:
            raise ConfigError(_(NOT_SEEN))

    def _start(
        self, guild: discord.Guild, channel: FollowedParent, followed: FollowedChannel
    ) -> None:
        self.bot.spawn(self._run(guild, channel, followed), f"backfill of channel {channel.id}")

    async def _run(
        self, guild: discord.Guild, channel: FollowedParent, followed: FollowedChannel
    ) -> None:
        progress = BackfillProgress(self.bot, guild)
        # Each try of a request takes a turn of its own.
        reader = DiscordReader(self.bot, channel, pauses=())
        try:
            if await self.bot.app.backfills.run(followed, reader, progress.show):
                await progress.finish(await self.bot.app.following.channel(guild.id, channel.id))
        finally:
            progress.cancel()

    async def _give_up(self, guild: discord.Guild, followed: FollowedChannel) -> None:
        """End the backfill of a channel that was deleted while the bot was away."""
        progress = BackfillProgress(self.bot, guild)
        ended = await self.bot.app.backfills.give_up(followed, progress.show)
        if ended is not None:
            await progress.finish(ended)
