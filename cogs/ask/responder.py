"""From a question that was heard to what is posted: the answer, suggestions, or silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import Match, Posting, Reply, StoredAnswer, StoredThread, Verdict, VoteEmoji
from bot.retry import FAILURES, described, retried
from bot.services.postings import RECORD_PAUSES
from bot.services.suggestions import OFFERED, left_over, offered
from bot.ui import card_content, cards, items
from bot.ui.cards import Card
from bot.ui.emoji import to_react
from cogs.channel_context import Room, say_where

NOTHING_YET = (
    "I have nothing on that yet. Try other words, or look through the threads with `/thread`."
)

log = logging.getLogger(__name__)

_GONE = {10003, 10008}
"""Unknown channel, unknown message."""

Send = Callable[[Card], Awaitable[discord.Message | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question somebody asked.

    ``addressed`` means that the bot was asked and must say something;
    ``suggests`` that it may offer threads that it is not sure of. ``send`` posts
    the reply and returns the message, or ``None`` if it could not be posted;
    ``note`` is a line of our own above whatever the reply is. ``own_words`` says
    that the asker wrote the text: nobody teaches what others have said. Whoever
    replies calls ``reply``.
    """

    text: str
    room: Room
    asker_id: int
    addressed: bool
    suggests: bool
    send: Send
    note: str = ""
    own_words: bool = True
    _replies: list[discord.Message | None] = field(default_factory=list)

    @property
    def replied(self) -> bool:
        """Whether a reply was made, or may have been: no apology is due under it."""
        return bool(self._replies)

    async def reply(self, card: Card) -> discord.Message | None:
        """Post the reply; ``None`` if it could not be posted. Raises what ``send`` raises."""
        message = await self.send(card)
        self._replies.append(message)
        return message

    async def say(self, words: str) -> None:
        """Reply with a line that is no card."""
        await self.reply(Card(content=cards.noted(self.note, words)))


class Turns:
    """One at a time for each channel or message, while somebody waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def at(self, snowflake: int) -> asyncio.Lock:
        """The lock of a channel or message."""
        lock = self._locks.get(snowflake)
        if lock is None:
            lock = self._locks[snowflake] = asyncio.Lock()
        return lock


class Desk:
    """Has questions answered and posts what comes of it."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._turns = Turns()

    async def respond(self, asked: Asked) -> None:
        """Answer, suggest, or stay silent."""
        scope = asked.room.scope
        reply = await self.app.answering.ask(asked.text, guild_id=scope, limit=OFFERED + 1)
        if reply.verdict is Verdict.ANSWER and reply.thread and reply.answer:
            await self._answer(asked, reply, reply.thread, reply.answer)
        elif reply.verdict is Verdict.SUGGEST and asked.suggests:
            options = [_option(match) for match in offered(reply.matches)]
            card = cards.suggestion_card(options, asked.asker_id, note=asked.note)
            await self._hear(asked, await asked.reply(card))
        elif asked.addressed:
            await asked.say(NOTHING_YET)

    async def post(
        self,
        thread: StoredThread,
        answer: StoredAnswer,
        asked: Asked,
        *,
        confidence: float | None = None,
        alternatives: Iterable[int] = (),
    ) -> discord.Message | None:
        """Show an answer, remember where, and put the voting reactions under it.

        Returns the message, or ``None`` if it could not be posted.
        """
        message = await self._show(
            thread, answer, asked, confidence=confidence, alternatives=alternatives
        )
        if message is not None:
            await self._invite_votes(message, asked.room)
        return message

    async def _show(
        self,
        thread: StoredThread,
        answer: StoredAnswer,
        asked: Asked,
        *,
        confidence: float | None = None,
        alternatives: Iterable[int] = (),
    ) -> discord.Message | None:
        """Show an answer and record where: from then on votes on the message count."""
        room = asked.room
        settings = await self.app.guilds.settings(room.scope)
        embeds = say_where(self.bot, room, "embed_links")
        await card_content.prepare_excerpt(answer, embeds=embeds)
        card = cards.answer_card(
            thread, answer, confidence=confidence, embeds=embeds, note=asked.note
        )
        with ExitStack() as on_its_way:
            on_its_way.enter_context(self.app.postings.posting_in(room.channel_id))
            message = await asked.reply(card)
            if message is None:
                return None
            await self._hear(asked, message)
            posting = Posting(
                message_id=message.id,
                channel_id=room.channel_id,
                guild_id=room.scope,
                thread_id=thread.id,
                answer_id=answer.id,
                asker_id=asked.asker_id,
                alternatives=tuple(alternatives),
                emoji=settings.emoji,
            )
            await self._record(posting, on_its_way)
        return message

    async def _record(self, posting: Posting, on_its_way: ExitStack) -> None:
        """Record a posting, now or as soon as the database can be written.

        Votes wait for it until then: ``on_its_way`` is handed on and closed afterwards.
        """
        try:
            await self.app.postings.record(posting)
        except StoreError as error:
            log.warning("message %d: not recorded yet: %s", posting.message_id, error)
            later = self._record_later(posting, on_its_way.pop_all())
            self.bot.spawn(later, f"record {posting.message_id}")
            return
        log.info("posted answer %d as message %d", posting.answer_id, posting.message_id)

    async def _record_later(self, posting: Posting, on_its_way: ExitStack) -> None:
        with on_its_way:
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

    async def _hear(self, asked: Asked, message: discord.Message | None) -> None:
        """Have what was asked at hand, for when the asker confirms the reply to it."""
        if message is None or not asked.own_words:
            return
        try:
            await self.app.learning.heard(
                message.id,
                guild_id=asked.room.scope,
                user_id=asked.asker_id,
                question=asked.text,
            )
        except StoreError as error:
            log.warning("message %d teaches nothing: %s", message.id, error)

    async def _answer(
        self, asked: Asked, reply: Reply, thread: StoredThread, answer: StoredAnswer
    ) -> None:
        seconds = self.app.settings.cooldown_seconds
        message = None
        # One at a time in a channel, or two who ask at once would both be answered.
        async with self._turns.at(asked.room.channel_id):
            former = await self.app.postings.latest_in(asked.room.channel_id, answer.id, seconds)
            if former is None:
                least = (await self.app.guilds.settings(asked.room.scope)).suggest_threshold
                others = [m.thread_id for m in left_over(reply.matches, least)]
                message = await self._show(
                    thread, answer, asked, confidence=reply.confidence, alternatives=others
                )
            elif asked.addressed:
                link = asked.room.link(former.message_id)
                await asked.say(f"I answered that here a moment ago: {link}")
        if message is not None:
            await self._invite_votes(message, asked.room)

    async def _invite_votes(self, message: discord.Message, room: Room) -> None:
        if not say_where(self.bot, room, "add_reactions", "read_message_history"):
            return
        used = await self._emoji_on(message, room)
        for emoji in (used.up, used.down):
            try:
                await retried(partial(message.add_reaction, to_react(emoji)), "a reaction")
            except FAILURES as error:
                if isinstance(error, discord.NotFound) and error.code in _GONE:
                    return  # the message is gone already
                said = described(error)
                log.warning("channel %d: can't react with %s: %s", room.channel_id, emoji, said)
                if isinstance(error, discord.Forbidden):
                    return  # nor with the other

    async def _emoji_on(self, message: discord.Message, room: Room) -> VoteEmoji:
        """The emoji that count on a message, whatever the server's have become meanwhile."""
        try:
            posting = await self.app.postings.get(message.id)
            if posting is not None and posting.emoji is not None:
                return posting.emoji
            return (await self.app.guilds.settings(room.scope)).emoji
        except StoreError as error:
            log.warning("message %d: its emoji can't be read: %s", message.id, error)
            return self.app.settings.guild_defaults.emoji


def _option(match: Match) -> items.Option:
    return items.Option(match.thread_id, match.title, f"{cards.percent(match.confidence)} sure")
