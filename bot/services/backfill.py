"""Backfills: the posts that a followed channel had before it was followed, newest first.

What a backfill has done is written with each post, in one transaction with how far it is; so it
goes on there after a restart, a crash included. Its state is the database's: it ends at the next
post once it is stopped, or the channel isn't followed any more.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from bot.errors import NotFound, SearchError, StoreError, Unreachable
from bot.following import Backfill, BackfillState, FollowedChannel
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.log_throttle import LogThrottle
from bot.services.backfill_posts import BackfillPosts, Ended
from bot.services.backfill_walk import walk
from bot.services.guilds import Guilds
from bot.services.index_sync import IndexSync
from bot.services.library_room import LibraryFull, Room
from bot.services.post_reader import ChannelGone, ChannelHidden, PostReader
from bot.services.request_pace import RequestPace
from bot.store import following
from bot.store.database import Database

FIRST, LONGEST = 1.0, 60.0
"""Seconds until something that failed is tried again: doubled each time, at most."""

OUTAGE_LOG_SECONDS = 30.0
"""Seconds in which only the first failure is a line in the log."""

NOT_FOLLOWED = N_("I don't follow {channel}. `/library follow` comes first.")
HIDDEN = N_("I can't read {channel} any more. I need *View Channel* and *Read Message History*.")
GONE = N_("{channel} was deleted.")
FAILED = N_("Something went wrong on my side. Whoever hosts me finds it in the log.")

log = logging.getLogger(__name__)

T = TypeVar("T")

Shown = Callable[[FollowedChannel, str | None], None]
"""Is told how far a backfill is, with what has stopped it, if something did."""


class Backfills:
    """Begins, runs and stops backfills."""

    def __init__(
        self,
        database: Database,
        guilds: Guilds,
        index_sync: IndexSync,
        room: Room | None = None,
        pace: RequestPace | None = None,
    ):
        self._database, self._guilds, self._index_sync = database, guilds, index_sync
        self._room = room or Room()
        self.pace = pace or RequestPace()
        self._runs: dict[int, bool] = {}  # by channel; whether it was begun once more meanwhile
        self._outage_log = LogThrottle(OUTAGE_LOG_SECONDS)

    async def begin(self, guild_id: int, channel_id: int, user_id: int) -> FollowedChannel:
        """Note that a channel is to be filled in: on from where that was stopped, or anew.

        Raises NotFound for a channel that is not followed.
        """
        async with self._database.write() as connection:
            channel = await following.channel(connection, guild_id, channel_id)
            if channel is None:
                said = _(NOT_FOLLOWED).format(channel=f"<#{channel_id}>")
                raise NotFound(said)
            before = channel.backfill
            if before is None or before.state is BackfillState.DONE:
                before = Backfill(state=BackfillState.RUNNING)
            backfill = replace(before, state=BackfillState.RUNNING, user_id=user_id)
            await following.set_backfill(connection, guild_id, channel_id, backfill)
        return replace(channel, backfill=backfill)

    async def show_in(self, guild_id: int, channel_id: int, shown_in: int, shown_id: int) -> None:
        """Note the message, and the channel that it is in, that tells how far a backfill is."""
        async with self._database.write() as connection:
            channel = await following.channel(connection, guild_id, channel_id)
            if channel is not None and channel.backfill is not None:
                shown = replace(channel.backfill, shown_in=shown_in, shown_id=shown_id)
                await following.set_backfill(connection, guild_id, channel_id, shown)

    async def stop(self, guild_id: int, channel_id: int) -> FollowedChannel | None:
        """Stop a backfill; ``None`` if there is none that runs."""
        async with self._database.write() as connection:
            channel = await following.channel(connection, guild_id, channel_id)
            if channel is None or not is_running(channel):
                return None
            assert channel.backfill is not None
            stopped = replace(channel.backfill, state=BackfillState.STOPPED)
            await following.set_backfill(connection, guild_id, channel_id, stopped)
        return replace(channel, backfill=stopped)

    async def unfinished(self) -> list[FollowedChannel]:
        """Return the channels of all guilds whose backfills run, or did before a restart."""
        return await self._database.reading(following.with_backfill, BackfillState.RUNNING)

    async def run(self, channel: FollowedChannel, reader: PostReader, shown: Shown) -> bool:
        """Fill a channel in until that is done, stopped, or can't go on.

        False where that runs already: it goes on, also if ``begin`` was too late for that.
        """
        key = channel.channel_id
        if key in self._runs:
            self._runs[key] = True
            return False
        self._runs[key] = False
        try:
            await self._run(channel, reader, shown)
            while self._runs[key]:
                self._runs[key] = False
                await self._run(channel, reader, shown)
        finally:
            del self._runs[key]
        return True

    async def give_up(self, channel: FollowedChannel, shown: Shown) -> FollowedChannel | None:
        """End the backfill of a channel that was deleted meanwhile; return it as it is then."""
        ended = await self._end(channel, BackfillState.FAILED)
        if ended is not None:
            log.warning("guild %d: channel %d was deleted", channel.guild_id, channel.channel_id)
            shown(ended, _(GONE).format(channel=f"#{channel.name}"))
        return ended

    async def _run(self, channel: FollowedChannel, reader: PostReader, shown: Shown) -> None:
        posts = BackfillPosts(self._database, self._guilds, channel, reader, self.pace, self._room)
        where = (channel.guild_id, channel.channel_id)
        problem = None
        try:
            begun = await self._patiently(posts.check)
            log.info("guild %d: the backfill of channel %d runs", *where)
            await walk(posts, begun, self._patiently, lambda now: shown(now, None))
            state = BackfillState.DONE
        except Ended:
            await self._found_at_once()
            return
        except LibraryFull as error:
            state, problem = BackfillState.FAILED, str(error)
            log.warning("guild %d: its library is full; channel %d can't be filled in", *where)
        except (ChannelHidden, ChannelGone) as error:
            state, said = BackfillState.FAILED, HIDDEN if isinstance(error, ChannelHidden) else GONE
            problem = _(said).format(channel=f"#{channel.name}")
            log.warning("guild %d: channel %d can't be filled in: %s", *where, error)
        except Exception:
            state, problem = BackfillState.FAILED, _(FAILED)
            log.exception("guild %d: the backfill of channel %d failed", *where)
        ended = await self._patiently_or_none(lambda: self._end(channel, state))
        await self._found_at_once()
        if ended is not None and ended.backfill is not None:
            log.info("guild %d: the backfill of channel %d is %s", *where, state)
            shown(ended, problem)

    async def _end(self, channel: FollowedChannel, state: BackfillState) -> FollowedChannel | None:
        """Note how a backfill ended, unless it was stopped or begun anew by then."""
        async with self._database.write() as connection:
            now = await following.channel(connection, channel.guild_id, channel.channel_id)
            if now is None or now.backfill is None or not is_running(now):
                return None
            ended = replace(now.backfill, state=state)
            await following.set_backfill(connection, now.guild_id, now.channel_id, ended)
        return replace(now, backfill=ended)

    async def _patiently(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do a step, again while Discord or the database can't be reached."""
        pause = FIRST
        while True:
            try:
                return await step()
            except (Unreachable, StoreError) as error:
                self._outage_log.warn(log, "a backfill waits, trying again: %s", error)
            await self.pace.clock.sleep(pause)
            pause = min(2 * pause, LONGEST)

    async def _patiently_or_none(self, step: Callable[[], Awaitable[T]]) -> T | None:
        """Do a last step; a database that can't be written leaves it to the next start."""
        try:
            return await step()
        except StoreError as error:
            log.warning("how a backfill ended is not noted: %s", error)
            return None

    async def _found_at_once(self) -> None:
        """Have what came in found, without waiting for the next look at what has changed."""
        try:
            await self._index_sync.catch_up()
        except SearchError as error:
            log.warning("what was filled in is not found yet: %s", error)


def is_running(channel: FollowedChannel) -> bool:
    """Return whether a channel is being filled in."""
    return channel.backfill is not None and channel.backfill.state is BackfillState.RUNNING
