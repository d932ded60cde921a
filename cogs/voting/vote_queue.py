"""Votes in the order in which Discord sent them.

There is one queue a server, for reactions, buttons and deletions alike: an answer may be
shown by many messages and pages, and of all a member's clicks the last one wins. What has
to wait for more than the database (a card that is being posted, a look at an old card's
reactions) is held back by itself, with whatever else comes for the same message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any

from bot.client import ThreadBot
from bot.errors import StoreBusy, StoreError
from bot.models import Posting, Vote
from bot.services.event_queue import EventQueues
from bot.services.voting import Change, Outcome, Pressed, vote_of
from cogs.voting.event_watch import Watches
from cogs.voting.outage_log import OutageLog
from cogs.voting.posted_card import record_emoji
from cogs.voting.vote_events import (
    ChannelDeleted,
    Event,
    Held,
    Marker,
    MessageEvent,
    Press,
    Released,
    Step,
    What,
    counts,
    drop,
    messages_of,
    of_messages,
    without_presses,
)

RETRY_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Seconds between the tries to write events; each try waits for the database as well."""

LIMIT = 20_000
"""Events of a server that wait at most; for more, Discord is asked later."""

PRESS_SECONDS = 20.0
"""How long a press waits to be written before its member is told that it is not saved."""

log = logging.getLogger(__name__)

Written = Callable[[MessageEvent | Pressed, Outcome], None]
Unwritten = Callable[[Collection[int]], None]


class VoteQueue:
    """Writes the votes of each server one after the other.

    ``written`` is called with each event that is written and its outcome, ``unwritten``
    with the messages whose events could not be.
    """

    def __init__(self, bot: ThreadBot, *, written: Written, unwritten: Unwritten):
        self.bot = bot
        self.app = bot.app
        self._queues = EventQueues[Event](self._handle, bot.spawn, name="votes")
        self._written, self._unwritten = written, unwritten
        self._held: dict[int, Held] = {}
        self.watches = Watches()
        self._outage = OutageLog(log)

    def put(self, event: MessageEvent) -> None:
        """Queue what happened to a message; to be called before any ``await``."""
        self.watches.hear(event)
        if self._queues.waiting(event.guild_id) >= LIMIT:
            self._unwritten([event.message_id])
        else:
            self._queues.put(event.guild_id, event)

    def channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """Queue that a channel or thread is gone."""
        self._queues.put(guild_id, ChannelDeleted(channel_id))

    def press(self, change: Pressed) -> Press:
        """Queue a press of a button; to be called before any ``await``."""
        press = Press(change, asyncio.get_running_loop().create_future())
        press.outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._queues.waiting(change.guild_id) >= LIMIT:
            press.outcome.set_exception(StoreBusy("too many votes wait to be written"))
        else:
            self._queues.put(change.guild_id, press)
        return press

    async def pressed(self, press: Press) -> Vote | None:
        """The vote in force after a press, once that is on disk.

        Raises StoreError if it could not be written, NotFound or VoteRefused if it does
        not count.
        """
        await asyncio.wait([press.outcome], timeout=PRESS_SECONDS)
        if not press.outcome.done() and press.withdraw():
            raise StoreBusy("a vote could not be written in time")
        return vote_of(await press.outcome)

    def mark(self, guild_id: int) -> asyncio.Future[None]:
        """A future that is done when all events of a server until now are written."""
        reached = asyncio.get_running_loop().create_future()
        self._queues.put(guild_id, Marker(reached))
        return reached

    async def flush(self, seconds: float) -> None:
        """Wait until all that was queued until now is written, but not longer than that."""
        marks = [self.mark(guild_id) for guild_id in self._queues.active()]
        if marks:
            await asyncio.wait(marks, timeout=seconds)

    async def released(self, guild_id: int, message_id: int) -> None:
        """Wait until the events of a message that are held back now are written."""
        if held := self._held.get(message_id):
            await held.released.wait()
            await self.mark(guild_id)

    async def forget(self, user_id: int, seconds: float) -> None:
        """Wait for what a member did until now, but not longer than that; drop the rest."""
        held = [event for held in self._held.values() for event in held.events]
        before = [*self._queues.pending(), *held]
        await self.flush(seconds)
        drop(before, user_id)

    def stop(self) -> set[int]:
        """Write nothing more; returns the messages that Discord must be asked for."""
        return messages_of(self._queues.stop()) | self._held.keys()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written."""
        return self._queues.idle and not self._held

    async def _handle(self, guild_id: int, batch: list[Event]) -> None:
        try:
            await self._in_order(guild_id, batch)
        except Exception as error:
            log.exception("server %d: votes could not be counted", guild_id)
            self._drop(batch, error)

    def _drop(self, batch: list[Event], error: Exception) -> None:
        """Let nobody wait for events that were lost to a fault of ours."""
        for event in batch:
            if isinstance(event, Press) and not event.outcome.done():
                event.outcome.set_exception(error)
            elif isinstance(event, Marker) and not event.reached.done():
                event.reached.set_result(None)
            elif isinstance(event, Released):
                self._let_go(event.key)
        self._unwritten(messages_of(batch))

    def _let_go(self, message_id: int) -> None:
        if held := self._held.pop(message_id, None):
            held.released.set()

    async def _in_order(self, guild_id: int, batch: list[Event]) -> None:
        # In this order: what is not on its way into a channel now has been recorded before.
        in_flight = self.app.postings.in_flight
        busy = {e.channel_id for e in of_messages(batch) if in_flight(e.channel_id)}
        known = await self._postings({e.message_id for e in of_messages(batch)})
        steps: list[Step] = []
        for event in batch:
            if isinstance(event, MessageEvent):
                if event.message_id in self._held:
                    self._held[event.message_id].events.append(event)
                    continue
                posting = known.get(event.message_id)
                if posting is None and event.channel_id in busy:
                    self._hold(event, self.app.postings.settled(event.channel_id))
                elif posting and event.has_emoji and posting.emoji is None:
                    self._hold(event, record_emoji(self.bot, posting))
                elif posting and event.is_clearing:
                    await self._write(steps)
                    steps = []
                    # Thousands may have voted: only the same message's events wait for it.
                    self._hold(event, self._write(await self._steps([event], posting)), done=True)
                else:
                    steps += await self._steps([event], posting)
            elif isinstance(event, Press):
                steps.append((event, event.decided()))
            else:
                await self._write(steps)
                steps = []
                await self._special(guild_id, event, steps)
        await self._write(steps)

    async def _special(self, guild_id: int, event: Event, steps: list[Step]) -> None:
        if isinstance(event, Marker):
            if not event.reached.done():
                event.reached.set_result(None)
        elif isinstance(event, ChannelDeleted):
            await self._forget_channel(guild_id, event)
        elif isinstance(event, Released):
            late = held.events if (held := self._held.get(event.key)) else []
            for each in late:
                each.is_late = True
            posting = (await self._postings({event.key})).get(event.key)
            steps += await self._steps(late, posting)
            self._let_go(event.key)  # not before: if this fails, Discord is asked for them

    async def _steps(self, events: list[MessageEvent], posting: Posting | None) -> list[Step]:
        """What events of one message do to votes: nothing, where it shows no answer."""
        if posting is None:
            self.app.learning.drop([e.message_id for e in events if e.what is What.DELETED])
            return []
        used = posting.emoji or (await self.app.guilds.settings(posting.guild_id)).emoji
        found = ((event, event.change(used)) for event in events)
        return [(event, change) for event, change in found if change is not None]

    async def _write(self, steps: list[Step]) -> None:
        """Write all this in order, again and again while the database can't be written."""
        pauses = iter(RETRY_PAUSES)
        alone = False
        while steps := [step for step in steps if counts(step[0])]:
            some = steps[:1] if alone else steps
            try:
                outcomes = await self.app.voting.apply([change for _, change in some])
            except StoreError as error:
                steps = without_presses(steps, error)
                if (pause := next(pauses, None)) is None:
                    self._give_up(steps, error)
                    return
                self._outage.say("votes wait to be written: %s", error)
                await asyncio.sleep(pause)
            except Exception as error:
                if alone or len(some) == 1:
                    log.exception("a vote could not be written")
                    self._give_up(without_presses(some, error), None)
                    steps = steps[1:]
                alone = True  # the others are not to suffer from one
            else:
                for (event, change), outcome in zip(some, outcomes, strict=False):
                    self._done(event, change, outcome)
                steps = steps[len(outcomes) :]

    def _done(self, event: MessageEvent | Press, change: Change, outcome: Outcome) -> None:
        if isinstance(event, Press):
            if not event.outcome.done():
                event.outcome.set_result(outcome)
            self._written(event.change, outcome)
        else:
            self._written(event, outcome)

    def _give_up(self, steps: list[Step], error: StoreError | None) -> None:
        messages = {event.message_id for event, _ in steps if isinstance(event, MessageEvent)}
        if error is not None and messages:
            said = "votes on %d messages could not be written, Discord will be asked for them: %s"
            log.error(said, len(messages), error)
        self._unwritten(messages)

    async def _postings(self, ids: Collection[int]) -> dict[int, Posting]:
        """Which of these messages show answers; most reactions in a server are not for us."""
        for pause in RETRY_PAUSES:
            try:
                return dict(await self.app.postings.of(ids)) if ids else {}
            except StoreError as error:
                self._outage.say("votes wait: the database can't be read: %s", error)
                await asyncio.sleep(pause)
        self._unwritten(ids)
        return {}

    def _hold(
        self, event: MessageEvent, until: Coroutine[Any, Any, None], *, done: bool = False
    ) -> None:
        """Deal with an event, unless ``until`` does, and its message's next ones afterwards."""
        self._held[event.message_id] = Held([] if done else [event])

        async def release() -> None:
            try:
                await until
            except Exception:  # it counts all the same
                log.exception("message %d", event.message_id)
            self._queues.put(event.guild_id, Released(event.message_id), first=True)

        self.bot.spawn(release(), f"votes on {event.message_id} wait")

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
