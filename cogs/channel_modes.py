"""The modes of channels: a channel's own, its category's, or by its name; and what they need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import discord

from bot.client import ThreadBot
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Mode
from bot.services.guilds import Guilds

MODES = {
    "off": N_("off: I stay silent there"),
    "mention": N_("mention: I answer when I'm mentioned"),
    "questions": N_("questions: I answer questions that I'm sure about"),
    "ask": N_("ask: every message may be a question (for channels made for asking)"),
    "default": N_("default: as if it had never been set"),
}
"""What people choose from, with the words for it; ``default`` is no mode."""


class ChannelModes(NamedTuple):
    """The modes of a guild's channels by id: those that were set, and others by their names."""

    explicit: Mapping[int, Mode]
    by_name: Mapping[int, Mode]

    def all(self) -> dict[int, Mode]:
        """Return both."""
        return {**self.explicit, **self.by_name}

    def described(self) -> list[tuple[int, str]]:
        """Return channel ids with what holds there in words."""
        by_name = _("{mode}, by its name")
        return [(channel_id, mode.value) for channel_id, mode in self.explicit.items()] + [
            (channel_id, by_name.format(mode=mode.value))
            for channel_id, mode in self.by_name.items()
        ]


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


async def modes_in(guilds: Guilds, guild: discord.Guild) -> ChannelModes:
    """Return the modes of a guild's channels other than ``mention``, and all that were set."""
    explicit = await guilds.modes(guild.id)
    by_name: dict[int, Mode] = {}
    for channel in guild.channels:
        is_set = channel.id in explicit or channel.category_id in explicit
        if not is_set and not isinstance(channel, discord.CategoryChannel):
            mode = await channel_mode(guilds, guild.id, channel)
            if mode is not Mode.MENTION:
                by_name[channel.id] = mode
    return ChannelModes(explicit, by_name)


def unheard_notes(bot: ThreadBot, modes: Collection[Mode]) -> list[str]:
    """Return a line for a bot that can't read what it is to listen to, if that is so."""
    listens = Mode.QUESTIONS in modes or Mode.ASK in modes
    return [_(_NO_CONTENT)] if listens and not bot.intents.message_content else []


_NO_CONTENT = N_(
    "Without the message content intent I can't read messages that don't mention me. Whoever "
    "hosts me can switch it on in Discord's developer portal."
)
