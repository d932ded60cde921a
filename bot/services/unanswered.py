"""Questions of ask channels that the bot had nothing on, and messages that it deletes again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from bot.store import temporary_messages, unanswered
from bot.store.database import Database
from bot.unanswered import TemporaryMessage, UnansweredQuestion

KEPT_DAYS = 90
"""Days that a question without an answer is remembered."""


class Unanswered:
    """The record of questions without an answer."""

    def __init__(self, database: Database):
        self._database = database

    async def note(self, question: UnansweredQuestion) -> None:
        """Record a question; those that are too old go."""
        async with self._database.write() as connection:
            oldest = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
            await unanswered.drop_before(connection, oldest)
            await unanswered.put(connection, question)

    async def get(self, message_id: int) -> UnansweredQuestion | None:
        """Return the question that a message is, if it is recorded."""
        return await self._database.reading(unanswered.get, message_id)

    async def recent(self, seconds: float) -> list[UnansweredQuestion]:
        """Return the questions of the last ``seconds``, oldest first."""
        since = datetime.now(UTC) - timedelta(seconds=seconds)
        return await self._database.reading(unanswered.recent, since)

    async def drop(self, message_ids: Collection[int]) -> None:
        """Forget those of these messages that are recorded: answered, deleted, or no questions."""
        if known := await self._database.reading(unanswered.known, message_ids):
            await self._database.writing(unanswered.drop, known)

    async def forget_user(self, user_id: int) -> None:
        """Forget the questions of a member."""
        await self._database.writing(unanswered.forget_user, user_id)


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
