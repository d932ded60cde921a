"""Quiet suggestions, which go again when nobody presses anything on them."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.message_records import TemporaryMessage
from bot.retry import FAILURES, described, retried

UNTOUCHED_SECONDS = 900.0
"""Seconds after which a suggestion that nobody pressed is deleted."""

log = logging.getLogger(__name__)


class QuietSuggestions:
    """Deletes the suggestions that nobody used, also those of an earlier run of the bot."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.messages = bot.app.temporary_messages
        self._waiting: set[int] = set()
        self._used: set[int] = set()
        self._unrecorded: set[int] = set()

    async def begin(self) -> None:
        """Go on with the messages of an earlier run; safe to call again."""
        for message in await self.messages.every():
            self._delete_in_time(message)

    async def posted(self, message: discord.Message, guild_id: int) -> None:
        """Have a suggestion deleted in time; one that can't be recorded, if the bot runs then."""
        self._used.discard(message.id)
        place = (message.id, message.channel.id, guild_id)
        try:
            noted = await self.messages.note(*place, UNTOUCHED_SECONDS)
        except StoreError as error:
            log.warning("message %d is not noted: %s", message.id, error)
            seconds = timedelta(seconds=UNTOUCHED_SECONDS)
            noted = TemporaryMessage(*place, datetime.now(UTC) + seconds)
            self._unrecorded.add(message.id)
        self._delete_in_time(noted)

    async def forget(self, message_id: int) -> None:
        """Delete a suggestion no more: somebody used it, or it is gone already."""
        if message_id in self._waiting:
            self._used.add(message_id)
        try:
            await self.messages.drop(message_id)
        except StoreError as error:  # it is tried again when its time has come
            log.warning("message %d is still noted: %s", message_id, error)

    def _delete_in_time(self, message: TemporaryMessage) -> None:
        if message.message_id not in self._waiting:
            self._waiting.add(message.message_id)
            self.bot.spawn(self._delete(message), f"delete {message.message_id}")

    async def _delete(self, message: TemporaryMessage) -> None:
        message_id = message.message_id
        try:
            seconds = (message.delete_at - datetime.now(UTC)).total_seconds()
            await asyncio.sleep(max(0.0, seconds))
            noted = await self.messages.drop(message_id)
            if message_id not in self._used and (noted or message_id in self._unrecorded):
                await self._remove(message)
        except StoreError as error:
            log.warning("message %d stays for now: %s", message_id, error)
        finally:
            for known in (self._waiting, self._used, self._unrecorded):
                known.discard(message_id)

    async def _remove(self, message: TemporaryMessage) -> None:
        channel = self.bot.get_partial_messageable(message.channel_id, guild_id=message.guild_id)
        try:
            await retried(channel.get_partial_message(message.message_id).delete, "a suggestion")
        except discord.NotFound:
            pass
        except FAILURES as error:
            log.info("message %d stays: %s", message.message_id, described(error))
