"""The filter that finds the messages that ask the bot something."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import Mode
from bot.retry import FAILURES, described, new_nonce, retried
from bot.services.follow_ups import Followed
from bot.services.question_form import reads_like_a_question
from bot.services.small_talk import small_talk
from bot.ui import text
from bot.ui.cards import Card
from cogs.ask import forum_posts
from cogs.ask.message_text import Heard, MessageText
from cogs.ask.question import Question, Send
from cogs.ask.recent_messages import RecentMessages
from cogs.channel_context import (
    ChannelContext,
    joined_at,
    message_context,
    missing_send_permission,
)
from cogs.channel_modes import channel_mode

SHORT = 200
"""Characters of a message that nobody addressed to the bot, up to which its file is read."""

NOBODY = 0
"""The asker of a question whose author is not known."""

STATEMENT = -1.4
"""Log-odds against a message of a general channel being meant for the bot where nothing in its form
asks: of such messages, only those are answered whose match is four times as likely as else."""

log = logging.getLogger(__name__)


class MessageFilter:
    """Finds the questions for the bot among the messages of all channels."""

    def __init__(self, bot: ThreadBot, recent: RecentMessages):
        self.bot = bot
        self._recent = recent
        self.app = bot.app
        self.reader = MessageText(bot)

    async def question_in(
        self, message: discord.Message, *, proxied: bool = False
    ) -> Question | None:
        """Return the question in a message; ``None`` if it is none for the bot.

        Webhooks and bots ask nothing, unless a message is ``proxied``: it takes the place of a
        member's, who is not known, so that nobody has an asker's rights.
        """
        is_bots = message.author.bot or message.webhook_id is not None
        if (is_bots and not proxied) or message.is_system():
            return None
        heard = await self._heard(message)
        if heard is None:
            return None
        context = message_context(message)
        if missing := missing_send_permission(message.channel, context.may):
            self.bot.warn_missing_permission(context.channel_id, missing)
            return None
        sender = partial(self._sender, message, context)
        once, addressed = heard.in_post and not heard.addressed, heard.addressed
        is_statement = heard.mode is Mode.QUESTIONS and not (
            addressed or heard.begins_post or reads_like_a_question(heard.text)
        )
        is_in_ask = heard.mode is Mode.ASK and not addressed and (heard.begins_post or not once)
        return Question(
            text=heard.text,
            context=context,
            asker_id=NOBODY if proxied else message.author.id,
            addressed=addressed,
            suggests=addressed,
            send=sender(),
            own_words=heard.own_words and not proxied,
            joined_at=joined_at(message.author),
            message=message if is_in_ask else None,
            form_evidence=STATEMENT if is_statement else 0.0,
            another=None if once else sender,
            once=once,
            details=heard.details,
            follows=await self._followed(message) if heard.own_words else None,
        )

    async def _heard(self, message: discord.Message) -> Heard | None:
        """Return what a message says; ``None`` if it is not meant for the bot."""
        await forum_posts.know_channel(self.bot, message)
        mode = await self._mode(message)
        if mode is Mode.OFF:
            return None
        said, own_words = self.reader.words(message), not message.message_snapshots
        addressed = message.guild is None or self.reader.mentions_me(message)
        if not addressed and message.reference is not None and reads_like_a_question(said):
            # Most replies to the bot are none of its business, such as "thanks!".
            addressed = await self._is_reply_to_me(message)
        if mode is Mode.MENTION and not addressed:
            return None
        if addressed or len(said) <= SHORT:
            said = await self.reader.with_file(message)
        alone = Heard(mode=mode, text=said, addressed=addressed, own_words=own_words)
        heard = await forum_posts.seen_in_post(self.app, message, alone)
        if heard is None:
            return None
        if addressed and text.is_blank(heard.text):
            said, own_words = await self._replied_to(message)
            return replace(heard, text=said, own_words=own_words)
        ignored = not addressed and small_talk(heard.text) is not None
        return None if ignored or text.is_blank(heard.text) else heard

    async def _followed(self, message: discord.Message) -> Followed | None:
        """Return what a message follows that replies to a card of the bot's."""
        reference = message.reference
        if reference is None or reference.type is not discord.MessageReferenceType.reply:
            return None
        try:
            return await self.app.follow_ups.followed(reference.message_id or 0, message.author.id)
        except StoreError as error:
            log.warning("message %d is taken by itself: %s", message.id, error)
            return None

    async def _mode(self, message: discord.Message) -> Mode:
        if message.guild is None:
            return Mode.ASK
        return await channel_mode(self.app.guilds, message.guild.id, message.channel)

    async def _is_reply_to_me(self, message: discord.Message) -> bool:
        """Return whether a message replies to one of the bot's, also with the ping switched off."""
        me = self.bot.user
        if message.reference is None or me is None:
            return False
        if any(user == me for user in message.mentions):
            return True
        original = await self.reader.referenced(message)
        return original is not None and original.author == me

    async def _replied_to(self, message: discord.Message) -> tuple[str, bool]:
        """Return the text that a bare mention is about, and whether the same person wrote it.

        That is what it replies to, or what was forwarded just before.
        """
        original = await self.reader.referenced(message)
        if message.reference is None:
            original = self._recent.forward_before(message)
        if original is None:
            return "", False
        said = await self.reader.with_file(original)
        return said, original.author == message.author and not original.message_snapshots

    def _sender(self, message: discord.Message, context: ChannelContext) -> Send:
        """Return a way to reply to a message: all that it sends is one message."""
        nonce = new_nonce()

        async def send(card: Card) -> discord.Message | None:
            return await self._reply(message, context, card, nonce)

        return send

    async def _reply(
        self, message: discord.Message, context: ChannelContext, card: Card, nonce: int
    ) -> discord.Message | None:
        """Post under a message, or just into its channel if that may not be done.

        All replies to one message have the same nonce, and so are one message. A message that
        is deleted by then gets none.
        """
        if self._recent.is_deleted(message.id):
            return None
        parts = card.send_kwargs()
        if context.may.read_message_history:  # without it Discord refuses replies
            parts["reference"] = message.to_reference(fail_if_not_exists=False)
            parts["mention_author"] = False
        try:
            where = f"channel {context.channel_id}"
            sent = await self.bot.post(message.channel, where, nonce, **parts)
        except FAILURES as error:
            log.warning("channel %d: could not post: %s", context.channel_id, described(error))
            return None
        if self._recent.is_deleted(message.id):  # meanwhile
            with suppress(*FAILURES):
                await retried(sent.delete, "the reply to a deleted question")
            return None
        self._recent.replied(message.id, sent)
        return sent
