"""Catching up after the bot was away: active posts of followed channels are looked at."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import discord

from bot.client import ThreadBot
from bot.errors import StoreError, Unreachable
from bot.following import FollowedChannel
from bot.retry import FAILURES, described, retried
from bot.services.backfill import is_running
from cogs.channel_context import permissions_in
from cogs.discord_messages import parent_of
from cogs.following.post_watch import PostWatch

MOST = 50
"""Posts of a channel that are looked at, those first in which somebody wrote last."""

PAUSES = (1.0, 10.0)
"""Seconds until a request is tried again."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class CatchingUp:
    """Looks at posts that somebody may have marked, edited or deleted something in meanwhile.

    Neither reactions nor edits nor deletions can be told from Discord's list of active posts. So
    each of the newest is looked at that the bot knows, or that was active since its channel was
    followed, at the pace of backfills: what was before that is theirs.
    """

    def __init__(self, bot: ThreadBot, watch: PostWatch):
        self._bot, self._watch = bot, watch
        self._pace = bot.app.backfills.pace
        self._at_work = set[int]()

    async def shard(self, shard_id: int) -> None:
        """Catch up with the guilds of a shard, one after the other."""
        if not self._bot.intents.message_content:
            return
        for guild in self._bot.guilds:
            if guild.shard_id != shard_id or guild.id in self._at_work:
                continue
            self._at_work.add(guild.id)
            try:
                await self._guild(guild)
            except StoreError as error:
                log.warning("guild %d: posts are not looked at: %s", guild.id, error)
            finally:
                self._at_work.discard(guild.id)

    async def _guild(self, guild: discord.Guild) -> None:
        channels = await self._bot.app.following.channels(guild.id)
        readable = [channel for channel in channels if _is_readable(guild, channel)]
        if not readable:
            return

        async def listed() -> list[discord.Thread]:
            try:
                return await retried(guild.active_threads, "active posts", ())
            except FAILURES as error:
                raise Unreachable(described(error)) from None

        try:
            active = await self._in_turn(listed)
        except Unreachable as error:
            log.warning("guild %d: posts are not looked at: %s", guild.id, error)
            return
        for channel in readable:
            for thread in await self._to_look_at(channel, active):
                if (place := await self._watch.place(thread)) is not None:
                    await self._watch.look_quietly(place, ask=self._in_turn)

    async def _to_look_at(
        self, channel: FollowedChannel, active: list[discord.Thread]
    ) -> list[discord.Thread]:
        """Return the posts of a channel that may have changed, the newest."""
        mine = [each for each in active if each.parent_id == channel.channel_id]
        public = [each for each in mine if not each.is_private() and parent_of(each) is not None]
        newest = sorted(public, key=_newest_id, reverse=True)[:MOST]
        ids = [each.id for each in newest]
        known = await self._bot.app.followed_posts.known_among(channel.guild_id, ids)
        is_known = {post.post_id for post in known}
        return [
            each
            for each in newest
            if each.id in is_known or _written_at(each) >= channel.followed_at
        ]

    async def _in_turn(self, request: Callable[[], Awaitable[T]], /) -> T:
        """Do a request, again if Discord can't be reached: each try takes a turn."""
        for pause in PAUSES:
            try:
                async with self._pace.turn():
                    return await request()
            except Unreachable:
                await self._pace.clock.sleep(pause)
        async with self._pace.turn():
            return await request()


def _is_readable(guild: discord.Guild, channel: FollowedChannel) -> bool:
    """Return whether the bot may look at a channel's posts, and isn't filling it in already."""
    if is_running(channel):
        return False
    found = guild.get_channel(channel.channel_id)
    if found is None:
        return False
    may = permissions_in(found, guild)
    return may.view_channel and may.read_message_history


def _newest_id(thread: discord.Thread) -> int:
    return thread.last_message_id or thread.id


def _written_at(thread: discord.Thread) -> datetime:
    return discord.utils.snowflake_time(_newest_id(thread))
