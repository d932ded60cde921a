"""The filter that finds the messages that ask the bot something."""

from __future__ import annotations

import logging
import re
from functools import partial

import discord

from bot.client import ThreadBot
from bot.models import Mode
from bot.retry import FAILURES, described, new_nonce, retried
from bot.services.answering import reads_like_a_question
from bot.services.small_talk import small_talk
from bot.ui import text
from bot.ui.cards import Card
from cogs.ask.question import Question, Send
from cogs.channel_context import (
    ChannelContext,
    joined_at,
    message_context,
    missing_send_permission,
)

STATEMENT = -1.4
"""Log-odds against a message of a general channel being meant for the bot where nothing in its form
asks: of such messages, only those are answered whose match is four times as likely as else."""

log = logging.getLogger(__name__)


class MessageFilter:
    """Finds the questions for the bot among the messages of all channels."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app

    async def question_in(self, message: discord.Message) -> Question | None:
        """Return the question in a message; ``None`` if it is none for the bot."""
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
        if not addressed and small_talk(said) is not None:
            return None
        own_words = True
        if addressed and text.is_blank(said):
            said, own_words = await self._replied_to(message)
        elif text.is_blank(said):
            return None
        context = message_context(message)
        if missing := missing_send_permission(message.channel, context.may):
            self.bot.warn_missing_permission(context.channel_id, missing)
            return None

        def sender() -> Send:
            nonce = new_nonce()

            async def send(card: Card) -> discord.Message | None:
                return await self._reply(message, context, card, nonce)

            return send

        is_statement = mode is Mode.QUESTIONS and not (addressed or reads_like_a_question(said))
        return Question(
            text=said,
            context=context,
            asker_id=message.author.id,
            addressed=addressed,
            suggests=addressed,
            send=sender(),
            own_words=own_words,
            joined_at=joined_at(message.author),
            message=message if mode is Mode.ASK and not addressed else None,
            evidence=STATEMENT if is_statement else 0.0,
            another=sender,
        )

    async def _mode(self, message: discord.Message) -> Mode:
        if message.guild is None:
            return Mode.ASK
        channel, parent_id = message.channel, None
        name = getattr(channel, "name", "")
        if isinstance(channel, discord.Thread):
            name, parent_id = getattr(channel.parent, "name", ""), channel.parent_id
        return await self.app.guilds.mode(message.guild.id, channel.id, name, parent_id)

    def _mentions_me(self, message: discord.Message) -> bool:
        me = self.bot.user
        return me is not None and me.id in message.raw_mentions

    def _is_reply_to_me(self, message: discord.Message) -> bool:
        me = self.bot.user
        return message.reference is not None and any(u == me for u in message.mentions)

    def without_mention(self, said: str) -> str:
        """Return a text without the mention of the bot."""
        me = self.bot.user
        return re.sub(rf"<@!?{me.id}>", " ", said).strip() if me else said.strip()

    async def _replied_to(self, message: discord.Message) -> tuple[str, bool]:
        """Return the text that a bare mention replies to, and whether the same person wrote it."""
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
        self, message: discord.Message, context: ChannelContext, card: Card, nonce: int
    ) -> discord.Message | None:
        """Post under a message, or just into its channel if that may not be done.

        All replies to one message have the same nonce, and so are one message.
        """
        parts = card.send_kwargs()
        if context.may.read_message_history:  # without it Discord refuses replies
            parts["reference"] = message.to_reference(fail_if_not_exists=False)
            parts["mention_author"] = False
        try:
            where = f"channel {context.channel_id}"
            return await self.bot.post(message.channel, where, nonce, **parts)
        except FAILURES as error:
            log.warning("channel %d: could not post: %s", context.channel_id, described(error))
            return None
