"""Marks on questions of ask channels that the bot has nothing on, until somebody answers them."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.guild_settings import OFF, GuildSettings
from bot.message_records import UnansweredQuestion
from bot.retry import FAILURES, described, retried
from bot.services.small_talk import small_talk
from bot.ui import emoji as emojis
from cogs.ask.vote_signs import may_react
from cogs.channel_context import is_helper, message_context

ANSWER_SECONDS = 600.0
"""Seconds within which the next message by another counts as the answer to a marked question, and
a member who answered somebody is taken for a helper."""

MEMBER_SECONDS = 120.0
"""Seconds after which another message of the same member may be marked."""

SWEEP_SECONDS = 60.0
"""Seconds after which what is too old is dropped from memory again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The asker of a marked question, and the time (seconds of the monotonic clock)."""

    asker_id: int
    at: float


class UnansweredMarks:
    """Marks questions without an answer, and takes the marks away."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._waiting: defaultdict[int, dict[int, _Asked]] = defaultdict(dict)
        self._marked_at: dict[tuple[int, int], float] = {}
        self._helped_at: dict[tuple[int, int], float] = {}
        self._swept_at = time.monotonic()

    async def begin(self) -> None:
        """Go on with the marks of the last minutes, which an earlier run of the bot has made."""
        for question in await self.app.unanswered.recent(ANSWER_SECONDS):
            asked = _Asked(question.asker_id, time.monotonic())
            self._waiting[question.channel_id].setdefault(question.message_id, asked)

    def heard(self, message: discord.Message) -> None:
        """Take away the marks that a member's message answers: a reply, or the next message.

        Nobody waits for it: the message may be a question as well.
        """
        if message.author.bot or message.webhook_id is not None or message.guild is None:
            return
        now, channel_id = time.monotonic(), message.channel.id
        self._forget_old(now)
        reference = message.reference.message_id if message.reference else None
        waiting = self._waiting.get(channel_id, {})
        answers = waiting and small_talk(message.content) is None
        answered = [
            message_id
            for message_id, asked in (waiting.items() if answers else ())
            if asked.asker_id != message.author.id
            and (reference == message_id if reference else now - asked.at < ANSWER_SECONDS)
        ]
        if answered or reference is not None:
            self._helped_at[channel_id, message.author.id] = now
        for message_id in answered:
            waiting.pop(message_id, None)
        earlier = reference if reference not in (*answered, *waiting) else None
        if answered or earlier is not None:
            answering = self._answered(channel_id, answered, earlier, message.author.id)
            self.bot.spawn(answering, f"answered {message.id}")

    async def _answered(
        self, channel_id: int, answered: list[int], earlier: int | None, author_id: int
    ) -> None:
        """Take marks away, also from a question that somebody replied to, of any age."""
        try:
            if earlier is not None:
                known = await self.app.unanswered.get(earlier)
                if known is not None and known.asker_id != author_id:
                    answered = [*answered, earlier]
            for message_id in answered:
                await self._take_away(channel_id, message_id)
        except StoreError as error:
            log.warning("channel %d: marks of answered questions stay: %s", channel_id, error)

    async def mark(self, message: discord.Message) -> None:
        """React to a question that the bot has nothing on, unless it may be none."""
        guild = message.guild
        if guild is None:
            return
        settings = await self.app.guilds.settings(guild.id)
        context = message_context(message)
        if settings.unanswered_emoji == OFF or not self._may_want_an_answer(message, settings):
            return
        if not may_react(self.bot, context):
            return
        now, channel_id = time.monotonic(), message.channel.id
        self._marked_at[channel_id, message.author.id] = now
        self._waiting[channel_id][message.id] = _Asked(message.author.id, now)
        question = UnansweredQuestion(
            message_id=message.id,
            channel_id=channel_id,
            guild_id=guild.id,
            asker_id=message.author.id,
            asked_at=datetime.now(UTC),
            emoji=emojis.mark_in_use(settings, self.bot),
        )
        try:
            await self.app.unanswered.note(question)
            sign = emojis.to_react(question.emoji)
            await retried(partial(message.add_reaction, sign), "a mark")
        except StoreError as error:
            log.warning("message %d is not marked: %s", message.id, error)
        except FAILURES as error:
            log.info("message %d is not marked: %s", message.id, described(error))
            await self.app.unanswered.drop([message.id])
        if message.id not in self._waiting.get(channel_id, {}):  # somebody was faster
            await self._take_back(question)

    async def reacted(self, payload: discord.RawReactionActionEvent) -> None:
        """Take a mark away when the asker reacts with it as well."""
        me, guild_id = self.bot.user, payload.guild_id
        if guild_id is None or me is None or payload.user_id == me.id:
            return
        try:
            settings = await self.app.guilds.settings(guild_id)
            if emojis.key(str(payload.emoji)) != emojis.key(emojis.mark_in_use(settings, self.bot)):
                return
            question = await self.app.unanswered.get(payload.message_id)
            if question is not None and payload.user_id == question.asker_id:
                await self._take_away(payload.channel_id, payload.message_id)
        except StoreError as error:
            log.warning("message %d: its mark stays: %s", payload.message_id, error)

    async def answered(self, message: discord.Message) -> None:
        """Take the mark away of a question that was edited, and is answered now."""
        await self._take_away(message.channel.id, message.id)

    async def deleted(self, channel_id: int, message_ids: set[int]) -> None:
        """Forget questions that are deleted."""
        for message_id in message_ids:
            self._waiting.get(channel_id, {}).pop(message_id, None)
        try:
            await self.app.unanswered.drop(message_ids)
        except StoreError as error:
            log.warning("channel %d: deleted questions are still noted: %s", channel_id, error)

    def _may_want_an_answer(self, message: discord.Message, settings: GuildSettings) -> bool:
        """Return whether a message may be a question, and isn't an answer to one."""
        here = (message.channel.id, message.author.id)
        now = time.monotonic()
        in_thread = isinstance(message.channel, discord.Thread)
        return not (
            message.reference is not None
            or (in_thread and message.id != message.channel.id)
            or is_helper(message.author, settings)
            or small_talk(message.content) is not None
            or now - self._helped_at.get(here, -ANSWER_SECONDS) < ANSWER_SECONDS
            or now - self._marked_at.get(here, -MEMBER_SECONDS) < MEMBER_SECONDS
        )

    async def _take_away(self, channel_id: int, message_id: int) -> None:
        self._waiting.get(channel_id, {}).pop(message_id, None)
        question = await self.app.unanswered.get(message_id)
        if question is not None:
            await self.app.unanswered.drop([message_id])
            await self._remove(question)

    async def _take_back(self, question: UnansweredQuestion) -> None:
        """Take a mark away that came after the answer to its question."""
        try:
            await self.app.unanswered.drop([question.message_id])
        except StoreError as error:
            log.warning("message %d is still noted: %s", question.message_id, error)
        await self._remove(question)

    async def _remove(self, question: UnansweredQuestion) -> None:
        me = self.bot.user
        if me is None:
            return
        channel = self.bot.get_partial_messageable(question.channel_id, guild_id=question.guild_id)
        message = channel.get_partial_message(question.message_id)
        sign = emojis.to_react(question.emoji)
        try:
            await retried(partial(message.remove_reaction, sign, me), "a mark")
        except FAILURES as error:
            log.info("message %d: its mark stays: %s", message.id, described(error))

    def _forget_old(self, now: float) -> None:
        """Drop what is too old to matter, now and then: all channels and members are looked at."""
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for times, seconds in (
            (self._marked_at, MEMBER_SECONDS),
            (self._helped_at, ANSWER_SECONDS),
        ):
            for member in [member for member, at in times.items() if now - at >= seconds]:
                del times[member]
        for channel_id, waiting in [*self._waiting.items()]:
            for key in [key for key, asked in waiting.items() if now - asked.at >= ANSWER_SECONDS]:
                del waiting[key]
            if not waiting:
                del self._waiting[channel_id]
