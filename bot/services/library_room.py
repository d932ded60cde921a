"""Room for a guild's own threads: how many it may have, whoever adds them."""

from __future__ import annotations

from typing import Any

from bot.errors import NotAccepted
from bot.i18n import N_, number
from bot.i18n import gettext as _
from bot.store import own_threads

FULL = N_(
    "This server has {most} threads of its own, and may have no more. Take some out with "
    "`/library remove`, which makes room after a day, or ask whoever hosts me."
)


class LibraryFull(NotAccepted):
    """A guild has as many threads of its own as it may have."""


class Room:
    """Says whether a guild may have one more thread, inside the caller's transaction.

    Retired ones count, as for uploads: they may come back. A thread that is changed is no new one.
    """

    def __init__(self, most: int | None = None):
        self._most = most

    async def for_key(self, connection: Any, guild_id: int, key: str) -> None:
        """Raise LibraryFull where a thread with this key would be one too many."""
        if not await own_threads.has_key(connection, guild_id, key):
            await self._check(connection, guild_id)

    async def for_version(self, connection: Any, guild_id: int, thread_id: int) -> None:
        """Raise LibraryFull where a guild's own version of a thread would be one too many."""
        if await own_threads.own_id(connection, guild_id, thread_id) is None:
            await self._check(connection, guild_id)

    async def _check(self, connection: Any, guild_id: int) -> None:
        if self._most is None:
            return
        if await own_threads.count(connection, guild_id) >= self._most:
            raise LibraryFull(_(FULL).format(most=number(self._most)))
