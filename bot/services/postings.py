"""Which Discord message shows which answer."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from bot.models import Posting, VoteEmoji
from bot.store import postings as table
from bot.store.database import BUSY_SECONDS, Database

RECORD_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between the tries to record a posting while the database can't be written."""

SEND_SECONDS = 150.0
"""Longer than a post is tried for."""

TRY_SECONDS = 2 * BUSY_SECONDS
"""How long one try to record it takes at most: others in this program may wait before it."""

SETTLE_SECONDS = SEND_SECONDS + sum(RECORD_PAUSES) + (len(RECORD_PAUSES) + 1) * TRY_SECONDS
"""How long ``settled`` waits at most: longer than a post is tried to be sent and recorded."""


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

    def in_flight(self, channel_id: int) -> bool:
        """Whether an answer is on its way into a channel just now."""
        return channel_id in self._in_flight

    async def record(self, posting: Posting) -> None:
        """Remember that a message shows an answer (now); it may have shown another."""
        async with self._database.write() as connection:
            await table.put(connection, posting)

    async def get(self, message_id: int) -> Posting | None:
        """The posting that a message is, or ``None``."""
        async with self._database.read() as connection:
            return await table.get(connection, message_id)

    async def of(self, message_ids: Collection[int]) -> Mapping[int, Posting]:
        """The postings among these messages, by message id."""
        async with self._database.read() as connection:
            return await table.of(connection, message_ids)

    async def forget(self, message_ids: Collection[int]) -> None:
        """These messages are gone or show no answer any more; their votes stay."""
        async with self._database.write() as connection:
            await table.forget(connection, message_ids)

    async def forget_channel(self, channel_id: int) -> list[int]:
        """A channel is gone; returns the ids of its messages that showed answers."""
        async with self._database.write() as connection:
            return await table.forget_channel(connection, channel_id)

    async def set_emoji(self, message_id: int, emoji: VoteEmoji) -> None:
        """Record what a message was posted with, unless that is known."""
        async with self._database.write() as connection:
            await table.set_emoji(connection, message_id, emoji)

    async def mark_due(self, message_ids: Collection[int]) -> None:
        """Votes on these messages could not be written: Discord must be asked for them.

        Messages that show no answer may be among them.
        """
        async with self._database.write() as connection:
            await table.mark_due(connection, message_ids, time.time_ns() // 1000)

    async def unmark_due(self, message_id: int, asked_at: int) -> bool:
        """The votes on a message are those that Discord showed at a moment (Unix µs).

        False if it was marked later than that.
        """
        async with self._database.write() as connection:
            return await table.unmark_due(connection, message_id, asked_at)

    async def due(self) -> list[Posting]:
        """The postings that are marked as due, newest first."""
        async with self._database.read() as connection:
            return await table.due(connection)

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
