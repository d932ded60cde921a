"""Postings: the messages of the bot that show answers.

A posting is one Discord message of the bot that shows one answer. Its record says which answer
of which thread, to whose question, with which voting emoji, and which threads come next if it
is taken back. Reactions on a posting are votes on its answer in its guild; on other messages
they mean nothing. A posting is forgotten when its message is deleted or shows something else;
the votes given on it stay.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from bot.models import Posting, VoteEmoji
from bot.store import postings as table
from bot.store.backend import BUSY_SECONDS
from bot.store.database import Database

RECORD_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between the tries to record a posting while the database can't be written."""

SEND_SECONDS = 150.0
"""Longer than a post is tried for."""

TRY_SECONDS = 2 * BUSY_SECONDS
"""How long one try to record it takes at most: others in this program may wait before it."""

REPLY_SECONDS = 30.0
"""Seconds within which a card follows the question that it answers, nearly always."""

SETTLE_SECONDS = SEND_SECONDS + sum(RECORD_PAUSES) + (len(RECORD_PAUSES) + 1) * TRY_SECONDS
"""How long ``settled`` waits at most: longer than a post is tried to be sent and recorded."""


class Postings:
    """The record of postings: votes and the cooldown depend on it."""

    def __init__(self, database: Database):
        self._database = database
        self._in_flight: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def posting_in(self, channel_id: int) -> Iterator[None]:
        """Mark an answer as being posted in a channel: from before it is sent until recorded."""
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
        """Wait until the answers that are being posted in a channel now are recorded.

        After that a message of the channel that has no posting is none, unless it is newer
        than the call. Waits ``SETTLE_SECONDS`` at most.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                for done in list(self._in_flight.get(channel_id, ())):
                    await done.wait()

    def in_flight(self, channel_id: int) -> bool:
        """Return whether an answer is being posted in a channel just now."""
        return channel_id in self._in_flight

    async def record(self, posting: Posting) -> None:
        """Record a posting; its message may have shown another answer before."""
        await self._database.writing(table.put, posting)

    async def get(self, message_id: int) -> Posting | None:
        """Return the posting that a message is, or ``None``."""
        return await self._database.reading(table.get, message_id)

    async def of(self, message_ids: Collection[int]) -> Mapping[int, Posting]:
        """Return the postings among these messages, by message id."""
        return await self._database.reading(table.of, message_ids)

    async def forget(self, message_ids: Collection[int]) -> None:
        """Forget postings that are gone or show no answer any more; their votes stay."""
        await self._database.writing(table.forget, message_ids)

    async def forget_channel(self, channel_id: int) -> list[int]:
        """Forget the postings of a channel that is gone; return the ids of their messages."""
        return await self._database.writing(table.forget_channel, channel_id)

    async def set_emoji(self, message_id: int, emoji: VoteEmoji) -> None:
        """Record the emoji that a message was posted with, unless they are known."""
        await self._database.writing(table.set_emoji, message_id, emoji)

    async def mark_due(self, message_ids: Collection[int]) -> None:
        """Mark messages whose votes could not be written: Discord must be asked for them.

        Messages that show no answer may be among them.
        """
        await self._database.writing(table.mark_due, message_ids, time.time_ns() // 1000)

    async def unmark_due(self, message_id: int, asked_at: int) -> bool:
        """Take back the mark of a message whose votes agree with Discord as of a moment (Unix µs).

        False if it was marked later than that.
        """
        return await self._database.writing(table.unmark_due, message_id, asked_at)

    async def due(self) -> list[Posting]:
        """Return the postings that are marked as due, newest first."""
        return await self._database.reading(table.due)

    async def latest_in(
        self, channel_id: int, answer_id: int, within_seconds: float
    ) -> Posting | None:
        """Return the newest posting of an answer in a channel, if it is not older than that."""
        since = datetime.now(UTC) - timedelta(seconds=within_seconds)
        return await self._database.reading(table.latest_in, channel_id, answer_id, since)

    async def any_in(self, channel_id: int) -> bool:
        """Return whether an answer stands in a channel, such as a forum post."""
        return await self._database.reading(table.any_in, channel_id)

    async def soon_after(self, channel_id: int, message_id: int) -> list[Posting]:
        """Return the postings that came within ``REPLY_SECONDS`` after a message."""
        # The time of a Discord id stands in its higher bits, in milliseconds.
        last = message_id + (int(REPLY_SECONDS * 1000) << 22)
        return await self._database.reading(table.between, channel_id, message_id + 1, last)

    async def recent(self, limit: int) -> list[Posting]:
        """Return the newest postings of all guilds that others than the asker see, newest first."""
        return await self._database.reading(table.recent, limit)
