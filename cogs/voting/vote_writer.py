"""The writer of votes: it tries again while the database is locked, and gives up in the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from bot.app import App
from bot.errors import StoreError
from bot.log_throttle import LogThrottle
from bot.models import Posting
from bot.retry import OUTAGE_LOG_SECONDS
from bot.services.voting import Pressed, VoteChange, VoteOutcome
from cogs.voting.events import ButtonPress, Event, EventType, MessageEvent, Released

RETRY_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Seconds between the tries to write events; each try waits for the database as well."""

log = logging.getLogger(__name__)

Written = Callable[[MessageEvent | Pressed, VoteOutcome], None]
Unwritten = Callable[[Collection[int]], None]
PendingChange = tuple[MessageEvent | ButtonPress, VoteChange]


class VoteWriter:
    """Writes what events change.

    ``written`` is called with each event that is written and its outcome, ``unwritten``
    with the messages whose events could not be.
    """

    def __init__(self, app: App, *, written: Written, unwritten: Unwritten):
        self.app = app
        self.unwritten = unwritten
        self._written = written
        self._outage_log = LogThrottle(OUTAGE_LOG_SECONDS)

    async def postings(self, ids: Collection[int]) -> dict[int, Posting]:
        """Return which messages show answers; most reactions in a server are not for us."""
        for pause in RETRY_PAUSES:
            try:
                return dict(await self.app.postings.of(ids)) if ids else {}
            except StoreError as error:
                said = "votes wait: the database can't be read: %s"
                self._outage_log.warn(log, said, error)
                await asyncio.sleep(pause)
        self.unwritten(ids)
        return {}

    async def changes(
        self, events: list[MessageEvent], posting: Posting | None
    ) -> list[PendingChange]:
        """Return what events of one message do to votes: nothing, where it shows no answer."""
        if posting is None:
            gone = [e.message_id for e in events if e.type is EventType.DELETED]
            self.app.learning.drop(gone)
            return []
        used = posting.emoji or (await self.app.guilds.settings(posting.guild_id)).emoji
        changes = ((event, event.change(used)) for event in events)
        return [(event, change) for event, change in changes if change is not None]

    async def write(self, pending: list[PendingChange]) -> None:
        """Write all this in order, again and again while the database can't be written."""
        pauses = iter(RETRY_PAUSES)
        one_by_one = False
        while pending := [change for change in pending if change[0].counts()]:
            some = pending[:1] if one_by_one else pending
            try:
                outcomes = await self.app.voting.apply([change for _, change in some])
            except StoreError as error:
                pending = _without_presses(pending, error)
                if (pause := next(pauses, None)) is None:
                    self._give_up(pending, error)
                    return
                self._outage_log.warn(log, "votes wait to be written: %s", error)
                await asyncio.sleep(pause)
            except Exception as error:
                if len(some) == 1:
                    log.exception("a vote could not be written")
                    self._give_up(_without_presses(some, error), None)
                    pending = pending[1:]
                one_by_one = True  # the others are not to suffer from one
            else:
                for (event, _), outcome in zip(some, outcomes, strict=False):
                    self._done(event, outcome)
                pending = pending[len(outcomes) :]

    def _done(self, event: MessageEvent | ButtonPress, outcome: VoteOutcome) -> None:
        if isinstance(event, ButtonPress):
            if not event.outcome.done():
                event.outcome.set_result(outcome)
            self._written(event.pressed, outcome)
        else:
            self._written(event, outcome)

    def _give_up(self, pending: list[PendingChange], error: StoreError | None) -> None:
        """Report messages of which events can't be written, so that Discord is asked for them."""
        messages = messages_of([event for event, _ in pending])
        if error is not None and messages:
            said = "votes on %d messages could not be written, Discord will be asked for them: %s"
            log.error(said, len(messages), error)
        self.unwritten(messages)


def messages_of(events: Collection[Event]) -> set[int]:
    """Return the messages that events are about, also those of which some are released."""
    return {e.message_id for e in events if isinstance(e, MessageEvent | Released)}


def _without_presses(pending: list[PendingChange], error: Exception) -> list[PendingChange]:
    """Return the changes without those of presses, whose members are told at once why."""
    for event, _ in pending:
        if isinstance(event, ButtonPress):
            event.fail(error)
    return [change for change in pending if not isinstance(change[0], ButtonPress)]
