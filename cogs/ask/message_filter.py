"""Which messages are meant for the bot, and what they ask."""

from __future__ import annotations

import logging
import re
from functools import partial

import discord

from bot.client import ThreadBot
from bot.models import Mode
from bot.retry import FAILURES, described, new_nonce, retried
from bot.services.answering import reads_like_a_question
from bot.ui import text
from bot.ui.cards import Card
from cogs.ask.responder import Asked
from cogs.channel_context import Room, lacking, room_of_message

log = logging.getLogger(__name__)


class Ears:
    """Hears the questions among the messages of all channels."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app

    async def heard(self, message: discord.Message) -> Asked | None:
        """The question in a message; ``None`` if the bot has no business with it."""
        if message.author.bot or message.webhook_id is not None or message.is_system():
            return None
        mode, mentioned = await self._mode(message), self._mentions_me(message)
        said = self.without_mention(message.content)
        addressed = message.guild is None or mentioned
        if not addressed and self._is_reply_to_me(message):
            # Discord makes every reply ping; "thanks!" is none of our business.
            addressed = reads_like_a_question(said)
        if mode is Mode.OFF or (mode is Mode.MENTION and not addressed):
            return None
        if not addressed and (mode is Mode.QUESTIONS and not reads_like_a_question(said)):
            return None
        own_words = True
        if addressed and text.is_blank(said):
            said, own_words = await self._replied_to(message)
        elif text.is_blank(said):
            return None
        room = room_of_message(message)
        if missing := lacking(message.channel, room.may):
            self.bot.warn_missing_permission(room.channel_id, missing)
            return None

        nonce = new_nonce()

        async def send(card: Card) -> discord.Message | None:
            return await self._reply(message, room, card, nonce)

        return Asked(
            text=said,
            room=room,
            asker_id=message.author.id,
            addressed=addressed,
            suggests=addressed or mode is Mode.ALL,
            send=send,
            own_words=own_words,
        )

    async def _mode(self, message: discord.Message) -> Mode:
        channel = message.channel
        if message.guild is None:
            return Mode.ALL
        if isinstance(channel, discord.Thread):
            name = channel.parent.name if channel.parent else ""
            return await self.app.guilds.mode(message.guild.id, channel.id, name, channel.parent_id)
        name = getattr(channel, "name", "")
        return await self.app.guilds.mode(message.guild.id, channel.id, name)

    def _mentions_me(self, message: discord.Message) -> bool:
        me = self.bot.user
        return me is not None and me.id in message.raw_mentions

    def _is_reply_to_me(self, message: discord.Message) -> bool:
        me = self.bot.user
        return message.reference is not None and any(u == me for u in message.mentions)

    def without_mention(self, said: str) -> str:
        """What was said, without naming the bot."""
        me = self.bot.user
        return re.sub(rf"<@!?{me.id}>", " ", said).strip() if me else said.strip()

    async def _replied_to(self, message: discord.Message) -> tuple[str, bool]:
        """The text of the message that a bare mention replies to; is it by the same person?"""
        reference = message.reference
        if reference is None or reference.message_id is None:
            return "", False
        original = reference.resolved
        if original is None:
            try:
                fetch = partial(message.channel.fetch_message, reference.message_id)
                original = await retried(fetch, "a message")
            except FAILURES:
                return "", False
        if isinstance(original, discord.DeletedReferencedMessage):
            return "", False
        return self.without_mention(original.content), original.author == message.author

    async def _reply(
        self, message: discord.Message, room: Room, card: Card, nonce: int
    ) -> discord.Message | None:
        """Post under a message, or just into its channel if that may not be done.

        All replies to one message have the same nonce: of those that follow each other
        within some minutes Discord posts the first, and returns it for the others.
        """
        parts = card.fresh()
        if room.may.read_message_history:  # without it Discord refuses replies
            parts["reference"] = message.to_reference(fail_if_not_exists=False)
            parts["mention_author"] = False
        try:
            send = partial(message.channel.send, nonce=nonce, **parts)
            return await retried(send, f"channel {room.channel_id}")
        except FAILURES as error:
            if (found := self.bot.posted(nonce)) is not None:
                log.info("message %d was posted (%s)", found.id, described(error))
                return found
            log.warning("channel %d: could not post: %s", room.channel_id, described(error))
            return None
