"""Followed channels: those whose solved posts become threads of their guild's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.following import FollowedChannel, PostState
from bot.store import following
from bot.store.database import Database

log = logging.getLogger(__name__)

PostCounts = Mapping[int, Mapping[PostState, int]]
"""How many posts of each channel are in which state, by the channel's id."""


class Following:
    """Knows which channels a guild follows."""

    def __init__(self, database: Database):
        self._database = database

    async def channel(self, guild_id: int, channel_id: int) -> FollowedChannel | None:
        """Return a channel, if it is followed."""
        return await self._database.reading(following.channel, guild_id, channel_id)

    async def channels(self, guild_id: int) -> list[FollowedChannel]:
        """Return the channels that a guild follows, by name."""
        return await self._database.reading(following.channels, guild_id)

    async def counts(self, guild_id: int) -> PostCounts:
        """Return how many posts of a guild's channels are in which state."""
        return await self._database.reading(following.count_posts, guild_id)

    async def follow(self, channel: FollowedChannel) -> None:
        """Follow a channel, or change how it is followed."""
        await self._database.writing(following.follow, channel)
        log.info("guild %d: channel %d is followed", channel.guild_id, channel.channel_id)

    async def unfollow(self, guild_id: int, channel_id: int) -> bool:
        """Follow a channel no longer; its threads stay. False if it was not followed."""
        gone = await self._database.writing(following.unfollow, guild_id, channel_id)
        if gone:
            log.info("guild %d: channel %d is followed no longer", guild_id, channel_id)
        return gone

    async def rename(self, guild_id: int, channel_id: int, name: str) -> None:
        """Note what a channel is called now, if it is followed."""
        await self._database.writing(following.rename, guild_id, channel_id, name)
