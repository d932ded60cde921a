"""The change log: who changed which of a guild's threads, when, and what."""

from __future__ import annotations

from bot.curation import HistoryPage
from bot.store import change_log, own_threads
from bot.store.database import Database

PAGE = 10
"""Changes of one page."""

MAX_PAGE = 10_000
"""Pages that are looked for; a number beyond was made up."""


class ChangeLog:
    """Shows what helpers changed, and what the bot did."""

    def __init__(self, database: Database):
        self._database = database

    async def page(self, guild_id: int, thread_id: int | None = None, page: int = 0) -> HistoryPage:
        """Return a page of a guild's changes, or of those of one thread, newest first.

        Without a thread, what the bot did by itself is left out.
        """
        offset = min(page, MAX_PAGE) * PAGE
        async with self._database.read() as connection:
            own_id = thread_id
            if thread_id is not None:
                own_id = await own_threads.own_id(connection, guild_id, thread_id) or thread_id
            found = await change_log.entries(connection, guild_id, own_id, PAGE + 1, offset)
        return HistoryPage(tuple(found[:PAGE]), has_older=len(found) > PAGE)

    async def titles(self, guild_id: int, typed: str, limit: int) -> list[tuple[int, str]]:
        """Return ids and titles of changed threads with these letters, the latest first."""
        return await self._database.reading(change_log.titles, guild_id, typed, limit)
