"""Messages of the bot that it deletes after a while, unless somebody uses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.message_records import TemporaryMessage
from bot.store import temporary_messages
from bot.store.database import Database


class TemporaryMessages:
    """The record of the bot's messages that are deleted unless somebody uses them."""

    def __init__(self, database: Database):
        self._database = database

    async def note(
        self, message_id: int, channel_id: int, guild_id: int, seconds: float
    ) -> TemporaryMessage:
        """Record that a message is to be deleted after ``seconds``."""
        delete_at = datetime.now(UTC) + timedelta(seconds=seconds)
        message = TemporaryMessage(message_id, channel_id, guild_id, delete_at)
        await self._database.writing(temporary_messages.put, message)
        return message

    async def every(self) -> list[TemporaryMessage]:
        """Return the messages that are to be deleted, the next one first."""
        return await self._database.reading(temporary_messages.every)

    async def drop(self, message_id: int) -> bool:
        """Record that a message is gone, or is to stay; False if it was not to be deleted."""
        return await self._database.writing(temporary_messages.drop, message_id)
