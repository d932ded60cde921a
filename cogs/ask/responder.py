"""The responder: a question becomes a posted answer, suggestions, or silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import (
    PRIVATE,
    Match,
    Posting,
    Reply,
    StoredAnswer,
    StoredThread,
    Verdict,
)
from bot.services.answering import MAX_SUGGESTIONS, suggestions_among, suggestions_without_first
from bot.services.postings import RECORD_PAUSES
from bot.ui import card_content, cards, facts, items
from bot.ui.cards import Card
from cogs.ask.vote_signs import PostedAnswer, add_reactions, may_react
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
    is when the asker joined the server, if known. ``managed`` says that whoever asked manages
    the server, and is shown how sure the bot is; ``private`` that they alone see the reply.
    Whoever replies calls ``reply``.
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
    managed: bool = False
    private: bool = False
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
        scope = question.context.scope
        reply = await self.app.answering.ask(
            question.text,
            guild_id=scope,
            limit=MAX_SUGGESTIONS + 1,
            asker=question.asker_id if question.own_words else None,
        )
        if reply.verdict is Verdict.ANSWER and reply.thread and reply.answer:
            await self._answer(question, reply, reply.thread, reply.answer)
        elif reply.verdict is Verdict.SUGGEST and question.suggests:
            options = [_option(match, question) for match in suggestions_among(reply.matches)]
            card = cards.suggestion_card(options, question.asker_id, note=question.note)
            await self._remember(question, await question.reply(card))
        elif question.addressed:
            await question.say(NOTHING_YET)

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
        await add_reactions(posted, question.context)
        return posted.message

    async def _post(
        self,
        thread: StoredThread,
        answer: StoredAnswer,
        question: Question,
        confidence: float | None,
        alternatives: Iterable[int],
    ) -> PostedAnswer | None:
        """Post an answer and record the posting; ``None`` if it could not be posted."""
        context = question.context
        settings = await self.app.guilds.settings(context.scope)
        embeds = has_permissions(self.bot, context, "embed_links")
        await card_content.prepare_excerpt(answer, embeds=embeds)
        card = partial(
            cards.answer_card,
            thread,
            answer,
            confidence=confidence if question.managed else None,
            embeds=embeds,
            note=question.note,
            shares=question.private,
        )
        has_buttons = question.private or not may_react(self.bot, context)
        with ExitStack() as in_flight:
            in_flight.enter_context(self.app.postings.posting_in(context.channel_id))
            message = await question.reply(card(votes=has_buttons))
            if message is None:
                return None
            await self._remember(question, message)
            posting = Posting(
                message_id=message.id,
                channel_id=PRIVATE if question.private else context.channel_id,
                guild_id=context.scope,
                thread_id=thread.id,
                answer_id=answer.id,
                asker_id=question.asker_id,
                alternatives=tuple(alternatives),
                emoji=settings.emoji,
            )
            await self._record(posting, in_flight)
        return PostedAnswer(message, settings.emoji, card, has_buttons)

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
            former = None
            if not question.private:
                former = await self.app.postings.latest_in(context.channel_id, answer.id, seconds)
            if former is None:
                least = (await self.app.guilds.settings(context.scope)).suggest_threshold
                others = [m.thread_id for m in suggestions_without_first(reply.matches, least)]
                posted = await self._post(thread, answer, question, reply.confidence, others)
            elif question.addressed:
                link = context.link(former.message_id)
                await question.say(f"I answered that here a moment ago: {link}")
        if posted is not None:
            await add_reactions(posted, context)


def _option(match: Match, question: Question) -> items.Option:
    hint = facts.sure(match.confidence) if question.managed else ""
    return items.Option(match.thread_id, match.title, hint)
