"""Votes given and taken away unheard: cards are compared with what Discord shows.

After a start, or a session that could not be resumed, that is done for the latest cards;
at any time for cards whose events could not be written. What fails is tried again for that
card alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import Posting, ReactionKind
from bot.retry import FAILURES, described
from cogs.channel_context import permissions_in
from cogs.voting.outage_log import OutageLog
from cogs.voting.posted_card import fetch_votes
from cogs.voting.vote_events import now
from cogs.voting.vote_queue import VoteQueue

BACK_OFF, LONGEST = 5.0, 600.0
"""Seconds until a card that can't be looked at is tried again: doubled each time, at most."""

AT_ONCE = 4
"""Cards that are looked at together: one that hangs is not to hold up the others."""

STOP_SECONDS = 2.0
"""How long the bot waits at its end until cards are marked as due."""

log = logging.getLogger(__name__)

Changed = Callable[[Posting], None]


class Reconciler:
    """Looks at a few cards at once until each has been seen.

    ``changed`` is called with a posting of which votes have changed.
    """

    def __init__(self, bot: ThreadBot, queue: VoteQueue, changed: Changed):
        self.bot = bot
        self.app = bot.app
        self._queue, self._changed = queue, changed
        self._waiting: dict[int, Posting] = {}
        self._tries: dict[int, int] = {}
        self._marked: set[int] = set()  # as due, in the database
        self._unmarked: set[int] = set()  # to be marked there
        self._closed: set[int] = set()  # channels that can't be read: ask there once only
        self._timers: set[asyncio.TimerHandle] = set()
        self._looking: set[int] = set()  # in these channels just now
        self._looked = self._changes = self._workers = 0
        self._marking = self._stopped = False
        self._outage = OutageLog(log)

    async def look(self, shard_id: int, *, everything: bool) -> None:
        """Compare a shard's latest cards, newest first, or those alone that are due."""
        self._closed.clear()
        tries = 0
        while not self._stopped:
            try:
                due = await self.app.postings.due()
                limit = self.app.settings.reconcile_messages if everything else 0
                recent = await self.app.postings.recent(limit)
            except StoreError as error:
                self._outage.say("cards can't be looked up: %s", error)
                await asyncio.sleep(_back_off(tries))
                tries += 1
            else:
                self._marked |= {posting.message_id for posting in due}
                self._add(p for p in [*due, *recent] if self._shard_of(p) == shard_id)
                return

    def unwritten(self, message_ids: Collection[int]) -> None:
        """Events of these messages could not be written: mark them, and look at them."""
        self._unmarked.update(message_ids)
        if self._unmarked and not self._marking and not self._stopped:
            self._marking = True
            self.bot.spawn(self._mark(), "mark cards as due")

    async def stop(self, unwritten: Collection[int] = ()) -> None:
        """Look at nothing more; the next start does, also at messages with unwritten events."""
        self._stopped = True
        self._waiting.clear()
        for timer in self._timers:
            timer.cancel()
        if not (due := self._unmarked | set(unwritten)):
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.app.postings.mark_due(due)
        except (StoreError, TimeoutError) as error:
            log.warning("%d messages are not marked as due: %s", len(due), described(error))

    @property
    def idle(self) -> bool:
        """Whether no card waits to be looked at, but for those that are tried again later."""
        return not (self._workers or self._marking)

    async def _mark(self) -> None:
        """Mark cards in the database, so that a restart doesn't forget them.

        If it can't be written for as long as the bot runs, the start after that looks at
        the latest cards anyway.
        """
        tries = 0
        try:
            while self._unmarked and not self._stopped:
                some = set(self._unmarked)
                try:
                    await self.app.postings.mark_due(some)
                    found = await self.app.postings.of(some)
                except StoreError as error:
                    self._outage.say("cards are not marked yet as due: %s", error)
                    await asyncio.sleep(_back_off(tries))
                    tries += 1
                else:
                    self._unmarked -= some
                    self._marked |= found.keys()
                    self._add(found.values())
        finally:
            self._marking = False

    def _add(self, found: Iterable[Posting]) -> None:
        for posting in found:
            # Also while it is being looked at: what was seen may be of before.
            self._waiting.setdefault(posting.message_id, posting)
        free = 0 if self._stopped else AT_ONCE - self._workers
        for _ in range(min(free, len(self._waiting))):
            self._workers += 1
            self.bot.spawn(self._run(), "reconcile votes")

    async def _run(self) -> None:
        try:
            while (posting := self._next()) is not None:
                self._looking.add(posting.channel_id)
                try:
                    self._changes += await self._try(posting)
                finally:
                    self._looking.discard(posting.channel_id)
                self._looked += 1
        finally:
            self._workers -= 1
        if not self._workers:
            log.info("%d postings looked at, %d votes changed", self._looked, self._changes)
            self._looked = self._changes = 0

    def _next(self) -> Posting | None:
        """The next card in a channel where none is looked at, as the channel may be gone."""
        free = (p.message_id for p in self._waiting.values() if p.channel_id not in self._looking)
        found = next(free, None)
        return None if found is None else self._waiting.pop(found)

    async def _try(self, posting: Posting) -> int:
        """Compare a card, or put it off; returns how many votes changed."""
        message_id, channel_id = posting.message_id, posting.channel_id
        if channel_id in self._closed:
            return 0
        try:
            changed = await self._compare(posting)
        except discord.Forbidden:
            self._closed.add(channel_id)
            self.bot.missing(channel_id, "read_message_history")
        except Exception as error:
            # Other 404s, of a server in between or of an emoji, don't say that it is gone.
            if getattr(error, "code", 0) in _GONE and await self._forgotten(posting, error):
                return 0
            self._put_off(posting, error)
        else:
            self._tries.pop(message_id, None)
            return changed
        return 0

    async def _forgotten(self, posting: Posting, error: Exception) -> bool:
        """Forget a message that is gone, or all of a channel; False if that can't be written."""
        try:
            if getattr(error, "code", 0) == _UNKNOWN_CHANNEL:
                gone = await self.app.postings.forget_channel(posting.channel_id)
                for message_id in gone:
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
            self._outage.say(said, posting.message_id, described(error))
        else:
            log.error(said, posting.message_id, error, exc_info=error)
        if self._stopped:
            return

        def again() -> None:
            self._timers.discard(timer)
            self._add([posting])

        timer = asyncio.get_running_loop().call_later(_back_off(tries), again)
        self._timers.add(timer)

    async def _compare(self, posting: Posting) -> int:
        known = self.bot.get_channel(posting.channel_id)
        guild = self.bot.get_guild(posting.guild_id)
        if known is not None and not permissions_in(known, guild).read_message_history:
            self.bot.missing(posting.channel_id, "read_message_history")
            return 0
        message_id = posting.message_id
        with self._queue.watches.of(message_id) as watch:
            written = self._queue.mark(posting.guild_id)
            since = now()
            shown = await fetch_votes(self.bot, posting)
            watch.used = shown.emoji
            await written  # what came before is older than what was seen
            await self._queue.released(posting.guild_id, message_id)  # some of it is held back
            if posting.emoji is None:
                await self.app.postings.set_emoji(message_id, shown.emoji)
            changed = await self.app.voting.reconcile(
                message_id=message_id,
                reactions=shown.of(ReactionKind.NORMAL),
                supers=shown.of(ReactionKind.SUPER),
                handles=shown.handles,
                live=watch,
                since=since,
            )
        marked = message_id in self._marked
        if marked and await self.app.postings.unmark_due(message_id, since):
            self._marked.discard(message_id)
        if changed:
            self._changed(posting)
        return changed

    def _shard_of(self, posting: Posting) -> int:
        return (posting.guild_id >> 22) % (self.bot.shard_count or 1)


def _back_off(tries: int) -> float:
    """Seconds until the next try, which differ so that not all come at once."""
    return min(BACK_OFF * 2.0 ** min(tries, 20), LONGEST) * random.uniform(0.8, 1.2)


_UNKNOWN_CHANNEL, _UNKNOWN_MESSAGE = 10003, 10008
_GONE = {_UNKNOWN_CHANNEL, _UNKNOWN_MESSAGE}
