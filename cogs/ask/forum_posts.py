"""Posts of forums: the title is the question, and one answer is enough."""

from __future__ import annotations

import logging
from dataclasses import replace

import discord

from bot.app import App
from bot.client import ThreadBot
from bot.retry import FAILURES, described, retried
from bot.services.small_talk import small_talk
from cogs.ask.message_text import Heard
from cogs.channel_context import is_helper

log = logging.getLogger(__name__)


def begins_post(message: discord.Message) -> bool:
    """Return whether a message is the first one of a forum post: it has the post's own id."""
    return message.guild is not None and message.id == message.channel.id


async def seen_in_post(app: App, message: discord.Message, heard: Heard) -> Heard | None:
    """Return what a message asks where it stands in a post; ``None`` if nothing of the bot.

    The first message gives the details to the title, unless that says nothing, such as "help".
    Messages elsewhere are returned as they are.
    """
    if begins_post(message):
        title = getattr(message.channel, "name", "").strip()
        here = replace(heard, begins_post=True, in_post=True)
        if not title or (heard.text and small_talk(title) is not None):
            return here
        return replace(here, text=title, details=heard.text)
    if not _is_in_post(message):
        return heard
    if not heard.addressed and not await _adds_to_question(app, message):
        return None
    return replace(heard, in_post=True)


def _is_in_post(message: discord.Message) -> bool:
    channel = message.channel
    return isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel)


async def _adds_to_question(app: App, message: discord.Message) -> bool:
    """Return whether a later message of a post may ask again, though nobody is addressed.

    Only whoever opened the post says more about the question: what others ask there, they ask
    that person; and so does a helper in a post of their own.
    """
    channel, guild = message.channel, message.guild
    if not isinstance(channel, discord.Thread) or guild is None:
        return False
    if message.author.id != channel.owner_id:
        return False
    return not is_helper(message.author, await app.guilds.settings(guild.id))


async def know_channel(bot: ThreadBot, message: discord.Message) -> None:
    """Look up the post that a first message stands in, if the message came before the post."""
    if begins_post(message) and isinstance(message.channel, discord.PartialMessageable):
        try:
            found = await retried(lambda: bot.fetch_channel(message.channel.id), "a forum post")
        except (*FAILURES, discord.InvalidData) as error:
            log.info("forum post %d is not known: %s", message.id, described(error))
            return
        if isinstance(found, discord.Thread):
            message.channel = found
