"""Votes in the order in which Discord sent them.

There is one queue a server, for reactions, buttons and deletions alike: an answer may be
shown by many messages and pages, and of all a member's clicks the last one wins. What has
to wait for more than the database (a card that is being posted, a look at an old card's
reactions) is held back by itself, with whatever else comes for the same message.

The way of an event goes through this module from top to bottom: ``put`` or ``press`` queue
it, ``_process`` finds its posting and what it changes, and has that written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bot.client import ThreadBot
from bot.errors import StoreBusy, StoreError
from bot.models import Posting, Vote
from bot.services.queues import EventQueues
from bot.services.voting import Pressed, vote_of
from cogs.voting.events import (
    ButtonPress,
    ChannelDeleted,
    Event,
    FlushMarker,
    MessageEvent,
    RecordedEvents,
    Released,
)
from cogs.voting.posted_card import record_emoji
from cogs.voting.vote_writer import PendingChange, Unwritten, VoteWriter, Written, messages_of

LIMIT = 20_000
"""Events of a server that wait at most; for more, Discord is asked later."""

PRESS_SECONDS = 20.0
"""How long a press waits to be written before its member is told that it is not saved."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _HeldEvents:
    """The events that are held back for a message, until they are processed or given up."""

    events: list[MessageEvent]
    released: asyncio.Event = field(default_factory=asyncio.Event)


class VoteQueue:
    """Has the votes of each server written one after the other.

    For ``written`` and ``unwritten`` see ``VoteWriter``.
    """

    def __init__(self, bot: ThreadBot, *, written: Written, unwritten: Unwritten):
        self.bot = bot
        self.app = bot.app
        self._recording: list[RecordedEvents] = []
        self._queues = EventQueues[Event](self._handle, bot.spawn, name="votes")
        self._writer = VoteWriter(bot.app, written=written, unwritten=unwritten)
        self._held: dict[int, _HeldEvents] = {}

    def __len__(self) -> int:
        """Return how many events wait, those that are held back included."""
        return len(self._queues) + sum(len(held.events) for held in self._held.values())

    def put(self, event: MessageEvent) -> None:
        """Queue what happened to a message; to be called before any ``await``."""
        for recorded in self._recording:
            recorded.add(event)
        if self._queues.waiting(event.guild_id) >= LIMIT:
            self._writer.unwritten([event.message_id])
        else:
            self._queues.put(event.guild_id, event)

    def channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """Queue that a channel or thread is gone."""
        self._queues.put(guild_id, ChannelDeleted(channel_id))

    def press(self, pressed: Pressed) -> ButtonPress:
        """Queue a press of a button; to be called before any ``await``."""
        press = ButtonPress(pressed, asyncio.get_running_loop().create_future())
        press.outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._queues.waiting(pressed.guild_id) >= LIMIT:
            press.fail(StoreBusy("too many votes wait to be written"))
        else:
            self._queues.put(pressed.guild_id, press)
        return press

    async def vote_after(self, press: ButtonPress) -> Vote | None:
        """Return the vote in force after a press, once that is on disk.

        Raises StoreError if it could not be written, NotFound or VoteRefused if it does
        not count.
        """
        await asyncio.wait([press.outcome], timeout=PRESS_SECONDS)
        if not press.outcome.done() and press.withdraw():
            raise StoreBusy("a vote could not be written in time")
        return vote_of(await press.outcome)

    def mark(self, guild_id: int) -> asyncio.Future[None]:
        """Return a future that is done when all events of a server until now are written."""
        marker = FlushMarker(asyncio.get_running_loop().create_future())
        self._queues.put(guild_id, marker)
        return marker.reached

    @contextmanager
    def recorded(self, message_id: int) -> Iterator[RecordedEvents]:
        """Record the events of a message from now on, until the block ends."""
        recorded = RecordedEvents(message_id)
        self._recording.append(recorded)
        try:
            yield recorded
        finally:
            self._recording.remove(recorded)

    async def released(self, guild_id: int, message_id: int) -> None:
        """Wait until the events of a message that are held back now are written."""
        if held := self._held.get(message_id):
            await held.released.wait()
            await self.mark(guild_id)

    async def forget(self, user_id: int, seconds: float) -> None:
        """Wait for what a member did until now, but not longer than that; drop the rest."""
        held = [event for held in self._held.values() for event in held.events]
        before = [*self._queues.pending(), *held]
        if marks := [self.mark(guild_id) for guild_id in self._queues.active()]:
            await asyncio.wait(marks, timeout=seconds)
        for event in before:
            if isinstance(event, MessageEvent) and event.user_id == user_id:
                event.is_dropped = True
            elif isinstance(event, ButtonPress) and event.pressed.user_id == user_id:
                event.withdraw()

    def stop(self) -> set[int]:
        """Write nothing more; return the messages that Discord must be asked for."""
        return messages_of(self._queues.stop()) | self._held.keys()

    async def _handle(self, guild_id: int, batch: list[Event]) -> None:
        try:
            await self._process(guild_id, batch)
        except Exception as error:
            log.exception("server %d: votes could not be counted", guild_id)
            # Nobody is to wait for events that were lost to a fault of ours.
            for event in batch:
                if isinstance(event, ButtonPress):
                    event.fail(error)
                elif isinstance(event, FlushMarker):
                    event.reach()
                elif isinstance(event, Released):
                    self._let_go(event.message_id)
            self._writer.unwritten(messages_of(batch))

    async def _process(self, guild_id: int, batch: list[Event]) -> None:
        """Deal with events in their order: collect what they change, and write it."""
        messages = [event for event in batch if isinstance(event, MessageEvent)]
        # In this order: what is not on its way into a channel now has been recorded before.
        in_flight = self.app.postings.in_flight
        busy = {e.channel_id for e in messages if in_flight(e.channel_id)}
        postings = await self._writer.postings({e.message_id for e in messages})
        pending: list[PendingChange] = []
        for event in batch:
            if isinstance(event, MessageEvent):
                posting = postings.get(event.message_id)
                pending = await self._message(event, posting, event.channel_id in busy, pending)
            elif isinstance(event, ButtonPress):
                pending.append((event, event.change()))
            else:
                await self._writer.write(pending)
                pending = []
                if isinstance(event, FlushMarker):
                    event.reach()
                elif isinstance(event, ChannelDeleted):
                    await self._forget_channel(guild_id, event)
                else:
                    pending = await self._late_changes(event.message_id)
        await self._writer.write(pending)

    async def _message(
        self,
        event: MessageEvent,
        posting: Posting | None,
        is_busy: bool,
        pending: list[PendingChange],
    ) -> list[PendingChange]:
        """Return the pending changes with those of an event, unless it has to be held back."""
        if held := self._held.get(event.message_id):
            held.events.append(event)
        elif posting is None and is_busy:
            self._hold(event, self.app.postings.settled(event.channel_id))
        elif posting and event.has_emoji and posting.emoji is None:
            self._hold(event, record_emoji(self.bot, posting))
        elif posting and event.is_clearing:
            await self._writer.write(pending)
            # Thousands may have voted: only the same message's events wait for it.
            self._hold(
                event,
                self._writer.write(await self._writer.changes([event], posting)),
                is_done=True,
            )
            return []
        else:
            pending += await self._writer.changes([event], posting)
        return pending

    def _hold(
        self, event: MessageEvent, until: Coroutine[Any, Any, None], *, is_done: bool = False
    ) -> None:
        """Hold an event back, with those of its message that follow; ``is_done``: only those."""
        self._held[event.message_id] = _HeldEvents([] if is_done else [event])

        async def release() -> None:
            try:
                await until
            except Exception:  # it counts all the same
                log.exception("message %d", event.message_id)
            self._queues.put(event.guild_id, Released(event.message_id), first=True)

        self.bot.spawn(release(), f"votes on {event.message_id} wait")

    async def _late_changes(self, message_id: int) -> list[PendingChange]:
        """Return what the events change that were held back for a message until now."""
        late = held.events if (held := self._held.get(message_id)) else []
        for event in late:
            event.is_late = True
        posting = (await self._writer.postings({message_id})).get(message_id)
        changes = await self._writer.changes(late, posting)
        self._let_go(message_id)  # not before: if this fails, Discord is asked for them
        return changes

    def _let_go(self, message_id: int) -> None:
        if held := self._held.pop(message_id, None):
            held.released.set()

    async def _forget_channel(self, guild_id: int, event: ChannelDeleted) -> None:
        postings = self.app.postings
        if not event.is_late and postings.in_flight(event.channel_id):
            event.is_late = True

            async def wait() -> None:
                await postings.settled(event.channel_id)
                self._queues.put(guild_id, event)

            self.bot.spawn(wait(), f"deletion of channel {event.channel_id} waits")
            return
        # If this fails, looking at the messages tells that they are gone.
        with suppress(StoreError):
            gone = await postings.forget_channel(event.channel_id)
            self.app.learning.drop(gone)
