"""The mode of a channel: its own, its category's, or by its name."""

from __future__ import annotations

from typing import Any

import discord

from bot.models import Mode
from bot.services.guilds import Guilds


async def channel_mode(guilds: Guilds, guild_id: int, channel: Any) -> Mode:
    """Return when the bot speaks in a channel of a guild.

    A Discord thread, and so a post of a forum, follows its channel, unless it has a mode of its
    own; a channel follows its category.
    """
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    home = channel.parent if isinstance(channel, discord.Thread) else channel
    return await guilds.mode(
        guild_id,
        channel.id,
        getattr(home, "name", None) or "",
        parent_id,
        getattr(home, "category_id", None),
    )
