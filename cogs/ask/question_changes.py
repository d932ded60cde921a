"""Questions that are edited or deleted, and what becomes of the replies to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import discord

from bot.client import ThreadBot
from bot.errors import ThreadwiseError
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Posting, Reply, Verdict
from bot.retry import FAILURES, described, retried
from bot.services.small_talk import small_talk
from bot.ui import limits, text
from bot.ui.cards import Card
from cogs.ask.message_filter import MessageFilter
from cogs.ask.question import Question, Send
from cogs.ask.recent_messages import RecentMessage, RecentMessages
from cogs.ask.responder import Responder
from cogs.keyed_locks import KeyedLocks

EDITED = N_("The question was edited after this answer.")

EDIT_TIME = timedelta(minutes=10)
"""How long after it was written an edited question is looked at again."""

log = logging.getLogger(__name__)

Take = Callable[[discord.Message, Question | None], Awaitable[None]]


class QuestionChanges:
    """Follows questions after they were asked; ``take`` answers one that is new."""

    def __init__(
        self,
        bot: ThreadBot,
        recent: RecentMessages,
        message_filter: MessageFilter,
        responder: Responder,
        take: Take,
    ):
        self.bot = bot
        self.app = bot.app
        self._recent, self._filter = recent, message_filter
        self._responder, self._take = responder, take
        self._locks = KeyedLocks()

    def turn(self, message_id: int) -> asyncio.Lock:
        """Return the lock that one look at a message holds at a time."""
        return self._locks.at(message_id)

    def note(self, message: discord.Message) -> bool:
        """Note a new message, and return whether it takes the place of a deleted one."""
        if message.author == self.bot.user:
            return False
        if message.webhook_id is not None:
            return self._recent.replaces_deleted(message)
        if not message.author.bot:
            self._recent.note(message)
        return False

    async def edited(self, message: discord.Message) -> None:
        """Look at an edited message again."""
        known = self._recent.get(message.id)
        if known is None or message.edited_at in (None, known.edited_at):
            return  # links got their previews, or it was pinned
        known.edited_at = message.edited_at
        if message.edited_at - message.created_at > EDIT_TIME:
            return
        try:
            async with self.turn(message.id):
                await self._look_again(message, known)
        except ThreadwiseError as error:
            log.warning("message %d was edited, and not looked at: %s", message.id, error)

    async def deleted(self, channel_id: int, message_id: int) -> None:
        """Take the replies to a deleted question along, and hear the proxy that repeats it."""
        known = self._recent.delete(message_id)
        proxy = self._recent.proxy_of(message_id)
        try:
            if known is None:
                await self._take_old_along(channel_id, message_id)
            elif not known.voted:
                for reply in known.replies:
                    await self._take_along(await _fetched(reply))
        except ThreadwiseError as error:
            log.warning("message %d was deleted, its replies stay: %s", message_id, error)
        if proxy is None:
            return
        try:
            await self._take(proxy, await self._filter.question_in(proxy, proxied=True))
        except ThreadwiseError as error:
            log.error("message %d is not looked at: %s", proxy.id, error)

    async def _look_again(self, message: discord.Message, known: RecentMessage) -> None:
        await self.bot.languages.speak_under(message)
        question = await self._filter.question_in(message)
        if not known.replies:
            await self._take(message, question)
            if known.replies:
                await self._responder.marks.answered(message)
        elif question is not None and self.bot.throttle.refusal_of(message) is None:
            await self._ask_again(question, known)

    async def _ask_again(self, question: Question, known: RecentMessage) -> None:
        """Show the answer to an edited question in the place of the last reply, if it is another.

        A reply that somebody made something of stays, and says that the question is another.
        """
        if text.is_blank(question.text) or small_talk(question.text) is not None:
            return
        reply, shown = await self._responder.look_up(question), known.replies[-1]
        posting = await self.app.postings.get(shown.id)
        if not _is_another(reply, posting, question):
            return
        current = await _fetched(shown)
        if current is None:
            return
        if known.touched or len(known.replies) > 1 or _is_reacted_to(current):
            if posting is not None:
                await self._say_edited(current)
            return
        again = replace(question, send=self._in_place_of(shown), another=None, once=False)
        await self._responder.respond(again)

    def _in_place_of(self, shown: discord.PartialMessage) -> Send:
        """Return a way to reply that edits the former reply."""

        async def send(card: Card) -> discord.Message | None:
            try:
                edit = partial(shown.edit, **card.edit_kwargs())
                sent = await retried(edit, "the answer to an edited question")
            except FAILURES as error:
                log.info("message %d stays as it is: %s", shown.id, described(error))
                return None
            await self.app.postings.forget([shown.id])
            self.app.learning.drop([shown.id])
            await self._responder.quiet.forget(shown.id)
            return sent

        return send

    async def _say_edited(self, current: discord.Message) -> None:
        """Add to a card that its question was edited."""
        line = f"-# {_(EDITED)}"
        content = f"{current.content}\n{line}".strip()
        if line in current.content or len(content) > limits.MESSAGE:
            return
        try:
            await retried(partial(current.edit, content=content), "a card")
        except FAILURES as error:
            log.info("message %d: its question was edited: %s", current.id, described(error))

    async def _take_old_along(self, channel_id: int, message_id: int) -> None:
        """Delete the card of a question that was asked before the start, if it can be told."""
        for posting in await self.app.postings.soon_after(channel_id, message_id):
            guild_id = posting.guild_id or None
            channel = self.bot.get_partial_messageable(channel_id, guild_id=guild_id)
            card = await _fetched(channel.get_partial_message(posting.message_id))
            if card is None or card.reference is None:
                continue
            if card.reference.message_id == message_id:
                await self._take_along(card)

    async def _take_along(self, reply: discord.Message | None) -> None:
        """Delete a reply as Discord shows it now, unless somebody has reacted to it."""
        if reply is None or _is_reacted_to(reply):
            return
        try:
            with suppress(discord.NotFound):
                await retried(reply.delete, "the reply to a deleted question")
        except FAILURES as error:
            log.info("message %d stays, its question does not: %s", reply.id, described(error))
            return
        await self.app.postings.settled(reply.channel.id)
        await self.app.postings.forget([reply.id])
        self.app.learning.drop([reply.id])
        await self._responder.quiet.forget(reply.id)


def _is_another(reply: Reply, posting: Posting | None, question: Question) -> bool:
    """Return whether a reply differs from what is shown: another answer, or something at last."""
    if reply.verdict is Verdict.ANSWER and reply.thread is not None:
        return posting is None or posting.thread_id != reply.thread.id
    return reply.verdict is Verdict.SUGGEST and posting is None and question.suggests


def _is_reacted_to(message: discord.Message) -> bool:
    """Return whether anybody but the bot reacted to a message of its own."""
    mine = (each.me + getattr(each, "me_burst", False) for each in message.reactions)
    return sum(each.count for each in message.reactions) > sum(mine)


async def _fetched(message: discord.PartialMessage) -> discord.Message | None:
    """Return a message of ours as it is now; ``None`` if it is gone, or can't be looked at."""
    try:
        return await retried(message.fetch, "a reply")
    except FAILURES as error:
        log.info("message %d is not looked at: %s", message.id, described(error))
        return None
