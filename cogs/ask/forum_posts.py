"""Posts of forums: the title is the question, and one answer is enough."""

from __future__ import annotations

import logging

import discord

from bot.app import App
from bot.client import ThreadBot
from bot.retry import FAILURES, described, retried
from cogs.channel_context import is_helper

log = logging.getLogger(__name__)


def begins_post(message: discord.Message) -> bool:
    """Return whether a message is the first one of a forum post: it has the post's own id."""
    return message.guild is not None and message.id == message.channel.id


def is_in_post(message: discord.Message) -> bool:
    """Return whether a message stands in a forum post."""
    channel = message.channel
    return isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel)


def question_of_post(message: discord.Message, said: str) -> tuple[str, str]:
    """Return the question of a post: its title, and as details what its first message says."""
    title = getattr(message.channel, "name", "").strip()
    return (title, said) if title else (said, "")


async def adds_to_question(app: App, message: discord.Message) -> bool:
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
