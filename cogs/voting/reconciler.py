"""Reconciliation: the votes of cards are compared with the reactions that Discord shows.

After a start, or a session that could not be resumed, that is done for the latest cards;
at any time for cards whose events could not be written. What fails is tried again for that
card alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from itertools import count
from typing import TypeVar

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.log_throttle import LogThrottle
from bot.models import Posting
from bot.retry import FAILURES, OUTAGE_LOG_SECONDS, described
from bot.ui import limits
from cogs.channel_context import permissions_in
from cogs.voting.events import unix_micros
from cogs.voting.posted_card import fetch_votes
from cogs.voting.vote_queue import VoteQueue

BACK_OFF, LONGEST = 5.0, 600.0
"""Seconds until a card that can't be looked at is tried again: doubled each time, at most."""

CARDS_AT_ONCE = 4
"""Cards that are looked at together: one that hangs is not to hold up the others."""

STOP_SECONDS = 2.0
"""How long the bot waits at its end until cards are marked as due."""

log = logging.getLogger(__name__)

T = TypeVar("T")
OnChanged = Callable[[Posting], None]


class Reconciler:
    """Compares a few cards at once until each has been seen.

    ``changed`` is called with a posting of which votes have changed.
    """

    def __init__(self, bot: ThreadBot, queue: VoteQueue, changed: OnChanged):
        self.bot = bot
        self.app = bot.app
        self._queue, self._changed = queue, changed
        self._waiting: dict[int, Posting] = {}
        self._tries: dict[int, int] = {}
        self._marked: set[int] = set()  # as due, in the database
        self._unmarked: set[int] = set()  # to be marked there
        self._unreadable: set[int] = set()  # channels: ask there once only
        self._busy: set[int] = set()  # channels where a card is looked at just now
        self._seen = self._changes = self._workers = 0
        self._marking = self._stopped = False
        self._outage_log = LogThrottle(OUTAGE_LOG_SECONDS)

    def __len__(self) -> int:
        """Return how many cards wait."""
        return len(self._waiting)

    async def begin(self, shard_id: int, *, everything: bool) -> None:
        """Compare a shard's latest cards, newest first, or those alone that are due."""
        self._unreadable.clear()
        limit = self.app.settings.reconcile_messages if everything else 0

        async def look_up() -> tuple[list[Posting], list[Posting]]:
            return await self.app.postings.due(), await self.app.postings.recent(limit)

        due, recent = await self._stored(look_up, "cards can't be looked up: %s") or ([], [])
        self._marked |= {posting.message_id for posting in due}
        shards = self.bot.shard_count or 1
        self._add(p for p in [*due, *recent] if (p.guild_id >> 22) % shards == shard_id)

    def unwritten(self, message_ids: Collection[int]) -> None:
        """Mark and compare messages of which events could not be written."""
        self._unmarked.update(message_ids)
        if self._unmarked and not self._marking and not self._stopped:
            self._marking = True
            self.bot.spawn(self._mark(), "mark cards as due")

    async def stop(self, unwritten: Collection[int] = ()) -> None:
        """Compare nothing more; the next start does, also messages with unwritten events."""
        self._stopped = True
        self._waiting.clear()
        if not (due := self._unmarked | set(unwritten)):
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.app.postings.mark_due(due)
        except (StoreError, TimeoutError) as error:
            log.warning("%d messages are not marked as due: %s", len(due), described(error))

    async def _mark(self) -> None:
        """Mark cards in the database, so that a restart doesn't forget them.

        If it can't be written for as long as the bot runs, the start after that looks at
        the latest cards anyway.
        """

        async def mark() -> tuple[set[int], Mapping[int, Posting]]:
            some = set(self._unmarked)
            await self.app.postings.mark_due(some)
            return some, await self.app.postings.of(some)

        try:
            while self._unmarked and not self._stopped:
                if done := await self._stored(mark, "cards are not marked yet as due: %s"):
                    some, postings = done
                    self._unmarked -= some
                    self._marked |= postings.keys()
                    self._add(postings.values())
        finally:
            self._marking = False

    async def _stored(self, work: Callable[[], Awaitable[T]], failed: str) -> T | None:
        """Do work on the database, again while that can't be used; ``None`` once stopped."""
        for tries in count():
            if self._stopped:
                break
            try:
                return await work()
            except StoreError as error:
                self._outage_log.warn(log, failed, error)
                await asyncio.sleep(_back_off(tries))
        return None

    def _add(self, postings: Iterable[Posting]) -> None:
        for posting in postings:
            # Also while it is being looked at: what was seen may be of before.
            self._waiting.setdefault(posting.message_id, posting)
        free = 0 if self._stopped else CARDS_AT_ONCE - self._workers
        for _ in range(min(free, len(self._waiting))):
            self._workers += 1
            self.bot.spawn(self._work(), "reconcile votes")

    async def _work(self) -> None:
        try:
            while (posting := self._next()) is not None:
                self._busy.add(posting.channel_id)
                try:
                    self._changes += await self._try(posting)
                finally:
                    self._busy.discard(posting.channel_id)
                self._seen += 1
        finally:
            self._workers -= 1
        if not self._workers:
            log.info("%d postings looked at, %d votes changed", self._seen, self._changes)
            self._seen = self._changes = 0

    def _next(self) -> Posting | None:
        """Take the next card in a channel where none is looked at, as the channel may be gone."""
        free = (p.message_id for p in self._waiting.values() if p.channel_id not in self._busy)
        message_id = next(free, None)
        return None if message_id is None else self._waiting.pop(message_id)

    async def _try(self, posting: Posting) -> int:
        """Compare a card, or put it off; return how many votes changed."""
        changed = 0
        if posting.channel_id in self._unreadable:
            return changed
        try:
            changed = await self._compare(posting)
        except discord.Forbidden:
            self._unreadable.add(posting.channel_id)
            self.bot.warn_missing_permission(posting.channel_id, "read_message_history")
        except Exception as error:
            # Other 404s, of a server in between or of an emoji, don't say that it is gone.
            is_gone = getattr(error, "code", 0) in limits.GONE_CODES
            if not (is_gone and await self._forgotten(posting, error)):
                self._put_off(posting, error)
                return 0
            self._marked.discard(posting.message_id)
        self._tries.pop(posting.message_id, None)
        return changed

    async def _compare(self, posting: Posting) -> int:
        """Make the votes of a card what Discord shows; return how many changed."""
        channel = self.bot.get_channel(posting.channel_id)
        guild = self.bot.get_guild(posting.guild_id)
        if channel is not None and not permissions_in(channel, guild).read_message_history:
            self.bot.warn_missing_permission(posting.channel_id, "read_message_history")
            return 0
        message_id = posting.message_id
        with self._queue.recorded(message_id) as live:
            written = self._queue.mark(posting.guild_id)
            since = unix_micros()
            shown = await fetch_votes(self.bot, posting)
            live.used = shown.emoji
            await written  # what came before is older than what was seen
            await self._queue.released(posting.guild_id, message_id)  # some of it is held back
            if posting.emoji is None:
                await self.app.postings.set_emoji(message_id, shown.emoji)
            changed = await self.app.voting.reconcile(
                message_id=message_id,
                reactions=shown.reactions,
                live=live,
                since=since,
            )
        marked = message_id in self._marked
        if marked and await self.app.postings.unmark_due(message_id, since):
            self._marked.discard(message_id)
        if changed:
            self._changed(posting)
        return changed

    async def _forgotten(self, posting: Posting, error: Exception) -> bool:
        """Forget a message that is gone, or all of a channel; False if that can't be written."""
        try:
            if getattr(error, "code", 0) == limits.UNKNOWN_CHANNEL:
                for message_id in await self.app.postings.forget_channel(posting.channel_id):
                    self._waiting.pop(message_id, None)
            else:
                await self.app.postings.forget([posting.message_id])
        except StoreError:
            return False
        return True

    def _put_off(self, posting: Posting, error: Exception) -> None:
        """Try a card again later; the others go on."""
        tries = self._tries.get(posting.message_id, 0)
        self._tries[posting.message_id] = tries + 1
        said = "message %d can't be looked at, trying again: %s"
        if isinstance(error, (*FAILURES, StoreError)):
            self._outage_log.warn(log, said, posting.message_id, described(error))
        else:
            log.error(said, posting.message_id, error, exc_info=error)
        if not self._stopped:
            self.bot.spawn(self._later(posting, tries), f"look at {posting.message_id} again")

    async def _later(self, posting: Posting, tries: int) -> None:
        await asyncio.sleep(_back_off(tries))
        self._add([posting])


def _back_off(tries: int) -> float:
    """Return the seconds until the next try, which differ so that not all come at once."""
    return min(BACK_OFF * 2.0 ** min(tries, 20), LONGEST) * random.uniform(0.8, 1.2)
