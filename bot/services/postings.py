"""Which Discord message shows which answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from bot.models import Posting
from bot.store import postings as table
from bot.store.database import Database

SETTLE_SECONDS = 150.0
"""How long ``settled`` waits at most: longer than a post is tried for."""


class Postings:
    """The memory of what the bot has posted: votes and the cooldown depend on it."""

    def __init__(self, database: Database):
        self._database = database
        self._in_flight: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def posting_in(self, channel_id: int) -> Iterator[None]:
        """An answer is on its way into a channel: from before it is sent until it is recorded."""
        done = asyncio.Event()
        self._in_flight[channel_id].add(done)
        try:
            yield
        finally:
            done.set()
            self._in_flight[channel_id].discard(done)
            if not self._in_flight[channel_id]:
                del self._in_flight[channel_id]

    async def settled(self, channel_id: int) -> None:
        """Wait until the answers that are on their way into a channel now are recorded.

        After that a message of the channel that has no posting is none, unless it is newer
        than the call. Waits ``SETTLE_SECONDS`` at most.
        """
        waits = [asyncio.ensure_future(done.wait()) for done in self._in_flight.get(channel_id, ())]
        if not waits:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await asyncio.gather(*waits)

    async def record(self, posting: Posting) -> None:
        """Remember that a message shows an answer (now); it may have shown another."""
        async with self._database.write() as connection:
            await table.put(connection, posting)

    async def get(self, message_id: int) -> Posting | None:
        """The posting that a message is, or ``None``."""
        async with self._database.read() as connection:
            return await table.get(connection, message_id)

    async def forget(self, message_ids: Collection[int]) -> None:
        """These messages are gone or show no answer any more; their votes stay."""
        async with self._database.write() as connection:
            await table.forget(connection, message_ids)

    async def latest_in(
        self, channel_id: int, answer_id: int, within_seconds: float
    ) -> Posting | None:
        """The newest posting of an answer in a channel, if it is not older than that."""
        since = datetime.now(UTC) - timedelta(seconds=within_seconds)
        async with self._database.read() as connection:
            return await table.latest_in(connection, channel_id, answer_id, since)

    async def recent(self, limit: int) -> list[Posting]:
        """The newest postings of all guilds, newest first."""
        async with self._database.read() as connection:
            return await table.recent(connection, limit)
