"""What members vote with on a card: the emoji that it was posted with."""

from __future__ import annotations

import logging

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import Posting, VoteEmoji
from bot.retry import FAILURES, retried
from bot.ui.emoji import used_on

log = logging.getLogger(__name__)


async def emoji_on(bot: ThreadBot, message: discord.Message, posting: Posting) -> VoteEmoji:
    """What a card was posted with: as recorded, else as the bot's own reactions say.

    Of cards without either the server's emoji are taken.
    """
    if posting.emoji is not None:
        return posting.emoji
    ours = [str(reaction.emoji) for reaction in message.reactions if reaction.me]
    now = (await bot.app.guilds.settings(posting.guild_id)).emoji
    return used_on(ours, now, bot.app.settings.guild_defaults.emoji)


async def learn_emoji(bot: ThreadBot, posting: Posting) -> None:
    """Look at a card that was posted before emoji were recorded, and record them."""
    channel, message_id = bot.get_partial_messageable(posting.channel_id), posting.message_id
    used = (await bot.app.guilds.settings(posting.guild_id)).emoji
    try:
        try:
            message = await retried(lambda: channel.fetch_message(message_id), "an old card")
            used = await emoji_on(bot, message, posting)
        except (discord.Forbidden, discord.NotFound):
            pass  # nobody will ever know
        await bot.app.postings.set_emoji(message_id, used)
    except (*FAILURES, StoreError) as error:
        log.info("message %d: its emoji are taken to be the server's: %s", message_id, error)
