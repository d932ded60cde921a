"""The notice that new posts of a followed channel get, where its moderators want that."""

from __future__ import annotations

import logging

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.i18n import speaking
from bot.retry import FAILURES, described
from bot.ui.following_cards import instructions_line
from cogs.channel_context import missing_send_permission, permissions_in
from cogs.discord_messages import parent_of

log = logging.getLogger(__name__)


class Instructions:
    """Says in new posts how somebody says what solved them."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot

    async def message(self, message: discord.Message) -> None:
        """Tell a post of a forum, once its first message is there: before, nobody may write."""
        thread = message.channel
        is_first = isinstance(thread, discord.Thread) and message.id == thread.id
        if isinstance(thread, discord.Thread) and is_first and not message.author.bot:
            await self._tell(thread, is_forum=True)

    async def thread(self, thread: discord.Thread) -> None:
        """Tell a thread of a text channel, whose question stands beside it."""
        if not thread.is_private():
            await self._tell(thread, is_forum=False)

    async def _tell(self, thread: discord.Thread, *, is_forum: bool) -> None:
        parent = parent_of(thread)
        if parent is None or isinstance(parent, discord.ForumChannel) != is_forum:
            return
        try:
            channel = await self.bot.app.following.channel(parent.guild.id, parent.id)
            if channel is None or not channel.instructs:
                return
            settings = await self.bot.app.guilds.settings(parent.guild.id)
            missing = missing_send_permission(thread, permissions_in(thread, parent.guild))
            if missing is not None:
                self.bot.warn_missing_permission(parent.id, missing)
                return
            with speaking(await self.bot.languages.of_guild(parent.guild)):
                card = instructions_line(settings.solution_emoji)
            await self.bot.post(thread, "instructions in a post", **card.send_kwargs())
        except FAILURES as error:
            log.warning("post %d is not told how it is solved: %s", thread.id, described(error))
        except StoreError as error:
            log.warning("post %d is not told how it is solved: %s", thread.id, error)
