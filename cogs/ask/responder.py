"""The responder: a question becomes a posted answer, suggestions, or silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.i18n import gettext as _
from bot.models import (
    PRIVATE,
    Posting,
    Reply,
    StoredAnswer,
    StoredThread,
    Verdict,
)
from bot.services.answering import MAX_SUGGESTIONS, suggestions_among, suggestions_without_first
from bot.services.postings import RECORD_PAUSES
from bot.services.question_parts import MOST_PARTS, worth_asking
from bot.services.small_talk import SmallTalk, small_talk
from bot.ui import card_content, cards, facts, items
from bot.ui.emoji import in_use
from bot.ui.quiet_card import quiet_card
from cogs.ask.nothing_known import NothingKnown
from cogs.ask.question import Question
from cogs.ask.quiet_suggestions import QuietSuggestions
from cogs.ask.small_talk_replies import ANSWERED, EXAMPLES, SURELY, reply_line
from cogs.ask.unanswered_marks import UnansweredMarks
from cogs.ask.vote_signs import PostedAnswer, add_reactions, may_react
from cogs.channel_context import has_permissions
from cogs.keyed_locks import KeyedLocks
from cogs.source_messages import is_there

MOST_REPLIES = 2
"""Answers to one message that asks several questions."""

log = logging.getLogger(__name__)


class Responder:
    """Has questions answered and posts the replies."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self.marks = UnansweredMarks(bot)
        self.quiet = QuietSuggestions(bot)
        self._nothing_known = NothingKnown(bot)
        self._locks = KeyedLocks()

    async def respond(self, question: Question) -> None:
        """Answer, suggest, mark the question, or stay silent; chat with who chats.

        Of several questions in one text those are answered that the bot is sure about, or the
        text is taken as one.
        """
        kind = small_talk(question.text) if question.addressed and question.own_words else None
        if kind is not None:
            await self._chat(question, kind)
        elif not await self._answer_parts(question):
            reply = await self.look_up(question)
            await self._respond(replace(question, text=reply.question), reply)

    async def invite(self, question: Question) -> None:
        """Say what can be asked, to whoever addressed the bot without a word."""
        await self._chat(question, SmallTalk.GREETING)

    async def _chat(self, question: Question, kind: SmallTalk) -> None:
        """Reply to small talk, unless a thread surely answers it."""
        if kind in ANSWERED:
            reply = await self.look_up(question)
            if reply.verdict is Verdict.ANSWER and reply.confidence >= SURELY:
                await self._respond(question, reply)
                return
        examples = await self.app.library.examples(question.context.scope, EXAMPLES)
        await question.say(reply_line(kind, examples))

    async def _respond(self, question: Question, reply: Reply) -> None:
        if reply.verdict is Verdict.ANSWER and reply.thread and reply.answer:
            if not await is_there(self.bot, reply.answer, question.context.scope):
                await self._respond(question, await self.look_up(question))
                return
            await self._answer(question, reply, reply.thread, reply.answer)
        elif reply.verdict is Verdict.SUGGEST and question.message is not None:
            await self._suggest_quietly(question, reply)
        elif reply.verdict is Verdict.SUGGEST and question.suggests:
            options = _options(reply, question)
            card = cards.suggestion_card(options, question.asker_id, note=question.note)
            await self._remember(question, await question.reply(card))
        elif question.addressed:
            await question.reply(await self._nothing_known.card(question))
        elif question.message is not None:
            await self.marks.mark(question.message)

    async def look_up(self, question: Question) -> Reply:
        """Return the verdict on a question; where its title gets no answer, with its details."""
        follows, asking = question.follows, self.app.answering.ask
        ask = partial(
            asking if follows is None else partial(self.app.follow_ups.ask, followed=follows),
            guild_id=question.context.scope,
            limit=MAX_SUGGESTIONS + 1,
            asker=question.asker_id if question.own_words else None,
            form_evidence=question.form_evidence,
        )
        reply = await ask(question.text)
        if not question.details or reply.verdict is Verdict.ANSWER:
            return reply
        whole = await ask(f"{question.text}\n{question.details}")
        surer = whole.confidence > reply.confidence
        return whole if surer or whole.verdict is Verdict.ANSWER else reply

    async def _answer_parts(self, question: Question) -> bool:
        """Answer the questions of a text that asks several; False if it asks one, or none is sure.

        Where there can be but one reply, the first is answered.
        """
        parts = worth_asking(question.text)
        if len(parts) < 2:
            return False
        sure: dict[int, tuple[Question, Reply]] = {}
        for part in parts[:MOST_PARTS]:
            asked = replace(question, text=part, details="")
            reply = await self.look_up(asked)
            if reply.verdict is Verdict.ANSWER and reply.thread is not None:
                sure.setdefault(reply.thread.id, (asked, reply))
        answered = [*sure.values()][: MOST_REPLIES if question.another else 1]
        for place, (asked, reply) in enumerate(answered):
            is_last = place == len(answered) - 1
            note = cards.part_note(asked.text, rest=is_last and len(answered) < len(parts))
            asked = replace(asked, note=cards.noted(question.note, note))
            if place and question.another is not None:
                asked = replace(asked, send=question.another())
            await self._respond(asked, reply)
        return bool(answered)

    async def _suggest_quietly(self, question: Question, reply: Reply) -> None:
        """Offer threads in one line, which goes again if nobody presses anything."""
        options = _options(reply, question)
        message = await question.reply(quiet_card(options, question.asker_id))
        await self._remember(question, message)
        if message is not None:
            await self.quiet.posted(message, question.context.scope)

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
        emoji = in_use(settings, self.bot)
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
            posting = _posting(message, question, thread, answer, alternatives)
            await self._record(replace(posting, emoji=emoji), in_flight)
        return PostedAnswer(message, emoji, card, has_buttons)

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
        """Keep what was asked, for when the asker confirms the reply to it.

        What a reply to a card says means something only where it stands, so it teaches nothing.
        """
        if message is None or not question.own_words or question.follows is not None:
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
            former = None
            if not question.private:
                former = await self.app.postings.latest_in(context.channel_id, answer.id, seconds)
            if former is None:
                least = (await self.app.guilds.settings(context.scope)).suggest_threshold
                others = [m.thread_id for m in suggestions_without_first(reply.matches, least)]
                posted = await self._post(thread, answer, question, reply.confidence, others)
            elif question.addressed:
                link = context.link(former.message_id)
                said = _("I answered that here a moment ago: {link}")
                await question.say(said.format(link=link))
        if posted is not None:
            await add_reactions(posted, context)


def _options(reply: Reply, question: Question) -> list[items.ThreadOption]:
    """Return the threads to suggest, with how sure the bot is for whoever manages the server."""
    return [
        items.ThreadOption(
            match.thread_id, match.title, facts.sure(match.confidence) if question.managed else ""
        )
        for match in suggestions_among(reply.matches)
    ]


def _posting(
    message: discord.Message,
    question: Question,
    thread: StoredThread,
    answer: StoredAnswer,
    alternatives: Iterable[int],
) -> Posting:
    """Return the record of a message that answers a question."""
    return Posting(
        message_id=message.id,
        channel_id=PRIVATE if question.private else question.context.channel_id,
        guild_id=question.context.scope,
        thread_id=thread.id,
        answer_id=answer.id,
        asker_id=question.asker_id,
        alternatives=tuple(alternatives),
    )
