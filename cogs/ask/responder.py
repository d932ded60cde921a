"""The responder: a question becomes a posted answer, suggestions, or silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.guild_settings import percent
from bot.models import Match, Posting, Reply, StoredAnswer, StoredThread, Verdict, VoteEmoji
from bot.retry import FAILURES, described, retried
from bot.services.answering import MAX_SUGGESTIONS, suggestions_among, suggestions_without_first
from bot.services.postings import RECORD_PAUSES
from bot.ui import card_content, cards, items, limits
from bot.ui.cards import Card
from bot.ui.emoji import to_react
from cogs.channel_context import ChannelContext, has_permissions

NOTHING_YET = (
    "I have nothing on that yet. Try other words, or look through the threads with `/thread`."
)

log = logging.getLogger(__name__)

Send = Callable[[Card], Awaitable[discord.Message | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that somebody asked.

    ``addressed`` means that the bot was asked and must say something;
    ``suggests`` that it may offer threads that it is not sure of. ``send`` posts
    the reply and returns the message, or ``None`` if it could not be posted;
    ``note`` is a line of our own above whatever the reply is. ``own_words`` says
    that the asker wrote the text: nobody teaches what others have said. ``joined_at``
    is when the asker joined the server, if known. ``once`` says that it needs no answer where
    one stands in the channel already; ``details`` follow a text that is a title. Whoever
    replies calls ``reply``.
    """

    text: str
    context: ChannelContext
    asker_id: int
    addressed: bool
    suggests: bool
    send: Send
    note: str = ""
    own_words: bool = True
    joined_at: datetime | None = None
    once: bool = False
    details: str = ""
    _replies: list[discord.Message | None] = field(default_factory=list)

    @property
    def replied(self) -> bool:
        """Return whether a reply was made, or may have been: no apology is due under it."""
        return bool(self._replies)

    async def reply(self, card: Card) -> discord.Message | None:
        """Post the reply; ``None`` if it could not be posted. Raises what ``send`` raises."""
        message = await self.send(card)
        self._replies.append(message)
        return message

    async def say(self, words: str) -> None:
        """Reply with a line that is no card."""
        await self.reply(Card(content=cards.noted(self.note, words)))


class KeyedLocks:
    """A lock for each channel or message, which exists while somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def at(self, snowflake: int) -> asyncio.Lock:
        """Return the lock of a channel or message."""
        return self._locks.setdefault(snowflake, asyncio.Lock())


class Responder:
    """Has questions answered and posts the replies."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._locks = KeyedLocks()

    async def respond(self, question: Question) -> None:
        """Answer, suggest, or stay silent."""
        reply = await self._ask(question)
        question = replace(question, text=reply.question)
        if reply.verdict is Verdict.ANSWER and reply.thread and reply.answer:
            await self._answer(question, reply, reply.thread, reply.answer)
        elif reply.verdict is Verdict.SUGGEST and question.suggests:
            options = [_option(match) for match in suggestions_among(reply.matches)]
            card = cards.suggestion_card(options, question.asker_id, note=question.note)
            await self._remember(question, await question.reply(card))
        elif question.addressed:
            await question.say(NOTHING_YET)

    async def _ask(self, question: Question) -> Reply:
        """Return the verdict on a question; where its title gets no answer, with its details."""
        ask = partial(
            self.app.answering.ask,
            guild_id=question.context.scope,
            limit=MAX_SUGGESTIONS + 1,
            asker=question.asker_id if question.own_words else None,
        )
        reply = await ask(question.text)
        if not question.details or reply.verdict is Verdict.ANSWER:
            return reply
        whole = await ask(f"{question.text}\n{question.details}")
        surer = whole.confidence > reply.confidence
        return whole if surer or whole.verdict is Verdict.ANSWER else reply

    async def post(
        self,
        thread: StoredThread,
        answer: StoredAnswer,
        question: Question,
        alternatives: Iterable[int],
    ) -> discord.Message | None:
        """Post an answer, record the posting, and put the voting reactions under it.

        Returns the message, or ``None`` if it could not be posted.
        """
        posted = await self._post(thread, answer, question, None, alternatives)
        if posted is None:
            return None
        message, emoji = posted
        await self._add_reactions(message, emoji, question.context)
        return message

    async def _post(
        self,
        thread: StoredThread,
        answer: StoredAnswer,
        question: Question,
        confidence: float | None,
        alternatives: Iterable[int],
    ) -> tuple[discord.Message, VoteEmoji] | None:
        """Post an answer and record the posting; return it with the emoji that count on it."""
        context = question.context
        settings = await self.app.guilds.settings(context.scope)
        embeds = has_permissions(self.bot, context, "embed_links")
        await card_content.prepare_excerpt(answer, embeds=embeds)
        card = cards.answer_card(
            thread, answer, confidence=confidence, embeds=embeds, note=question.note
        )
        with ExitStack() as in_flight:
            in_flight.enter_context(self.app.postings.posting_in(context.channel_id))
            message = await question.reply(card)
            if message is None:
                return None
            await self._remember(question, message)
            posting = Posting(
                message_id=message.id,
                channel_id=context.channel_id,
                guild_id=context.scope,
                thread_id=thread.id,
                answer_id=answer.id,
                asker_id=question.asker_id,
                alternatives=tuple(alternatives),
                emoji=settings.emoji,
            )
            await self._record(posting, in_flight)
        return message, settings.emoji

    async def _record(self, posting: Posting, in_flight: ExitStack) -> None:
        """Record a posting, now or as soon as the database can be written.

        Votes wait for it until then: ``in_flight`` is handed on and closed afterwards.
        """
        try:
            await self.app.postings.record(posting)
        except StoreError as error:
            log.warning("message %d: not recorded yet: %s", posting.message_id, error)
            later = self._record_later(posting, in_flight.pop_all())
            self.bot.spawn(later, f"record {posting.message_id}")
            return
        log.info("posted answer %d as message %d", posting.answer_id, posting.message_id)

    async def _record_later(self, posting: Posting, in_flight: ExitStack) -> None:
        with in_flight:
            for pause in RECORD_PAUSES:
                await asyncio.sleep(pause)
                try:
                    await self.app.postings.record(posting)
                except StoreError as error:
                    failure = error
                else:
                    log.info("message %d is recorded after all", posting.message_id)
                    return
        log.error("message %d is not recorded: %s", posting.message_id, failure)

    async def _remember(self, question: Question, message: discord.Message | None) -> None:
        """Keep what was asked, for when the asker confirms the reply to it."""
        if message is None or not question.own_words:
            return
        try:
            await self.app.learning.remember_question(
                message.id,
                guild_id=question.context.scope,
                user_id=question.asker_id,
                question=question.text,
                joined_at=question.joined_at,
            )
        except StoreError as error:
            log.warning("message %d teaches nothing: %s", message.id, error)

    async def _answer(
        self, question: Question, reply: Reply, thread: StoredThread, answer: StoredAnswer
    ) -> None:
        """Post the answer, unless the channel was given it a moment ago."""
        context, seconds = question.context, self.app.settings.cooldown_seconds
        posted = None
        # One at a time in a channel, or two who ask at once would both be answered.
        async with self._locks.at(context.channel_id):
            if question.once and await self.app.postings.any_in(context.channel_id):
                return
            former = await self.app.postings.latest_in(context.channel_id, answer.id, seconds)
            if former is None:
                least = (await self.app.guilds.settings(context.scope)).suggest_threshold
                others = [m.thread_id for m in suggestions_without_first(reply.matches, least)]
                posted = await self._post(thread, answer, question, reply.confidence, others)
            elif question.addressed:
                link = context.link(former.message_id)
                await question.say(f"I answered that here a moment ago: {link}")
        if posted is not None:
            await self._add_reactions(*posted, context)

    async def _add_reactions(
        self, message: discord.Message, used: VoteEmoji, context: ChannelContext
    ) -> None:
        """Put the voting reactions under an answer; if one fails, the other is tried."""
        if not has_permissions(self.bot, context, "add_reactions", "read_message_history"):
            return
        for emoji in (used.up, used.down):
            try:
                await retried(partial(message.add_reaction, to_react(emoji)), "a reaction")
            except FAILURES as error:
                if isinstance(error, discord.NotFound) and error.code in limits.GONE_CODES:
                    return  # the message is gone already
                said = described(error)
                log.warning("channel %d: can't react with %s: %s", context.channel_id, emoji, said)
                if isinstance(error, discord.Forbidden):
                    return  # nor with the other


def _option(match: Match) -> items.Option:
    return items.Option(match.thread_id, match.title, f"{percent(match.confidence)} sure")
