"""Questions of ask channels that the bot had nothing on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from bot.message_records import UnansweredQuestion
from bot.store import unanswered
from bot.store.database import Database

KEPT_DAYS = 90
"""Days that a question without an answer is remembered."""


class Unanswered:
    """The record of questions without an answer."""

    def __init__(self, database: Database):
        self._database = database

    async def note(self, question: UnansweredQuestion) -> None:
        """Record a question."""
        await self._database.writing(unanswered.put, question)

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

    async def purge(self) -> None:
        """Forget the questions that are too old."""
        oldest = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
        await self._database.writing(unanswered.drop_before, oldest)
