"""Acceptance: a guild's helpers say which answer of a thread is the right one there."""

from __future__ import annotations

from bot.errors import NotFound
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.store import acceptances, origins, overrides, postings
from bot.store.database import Database

ANSWER_GONE = N_("That answer is not in the library any more.")


class Accepting:
    """Accepts answers in a guild, over what their sources accept, and takes that back."""

    def __init__(self, database: Database):
        self._database = database

    async def accept(self, guild_id: int, answer_id: int, user_id: int) -> list[int]:
        """Make an answer its thread's accepted one; return the messages that show the thread.

        Raises NotFound for an answer that the guild doesn't see.
        """
        async with self._database.write() as connection:
            answer_id = await overrides.shown_answer(connection, guild_id, answer_id)
            thread_id = await acceptances.accept(connection, guild_id, answer_id, user_id)
            if thread_id is None:
                raise NotFound(_(ANSWER_GONE))
            return await postings.of_thread(connection, thread_id, guild_id)

    async def thread_of(self, answer_id: int) -> int:
        """Return the id of the thread that an answer is of (0: there is no such answer)."""
        return await self._database.reading(origins.thread_of_answer, answer_id)

    async def is_asker(self, guild_id: int, thread_id: int, user_id: int) -> bool:
        """Return whether a member asked the question of a guild's thread, in a post of its own."""
        origin = await self._database.reading(origins.of_thread, thread_id, guild_id)
        # The first message of a post has the id of the post, which is the channel.
        is_post = origin is not None and origin.message_id == origin.channel_id
        return is_post and origin is not None and origin.author_id == user_id

    async def withdraw(self, guild_id: int, answer_id: int) -> list[int]:
        """Take an acceptance back, if it is there; return the messages that show the thread."""
        async with self._database.write() as connection:
            answer_id = await overrides.shown_answer(connection, guild_id, answer_id)
            thread_id = await acceptances.withdraw(connection, guild_id, answer_id)
            if thread_id is None:
                return []
            return await postings.of_thread(connection, thread_id, guild_id)
