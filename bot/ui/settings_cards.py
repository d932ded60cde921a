"""Cards for moderators: a guild's settings, and the phrasings learned in it."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.guild_settings import COMMANDS, GuildSettings
from bot.models import LearnedPhrasing
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card

_SHORTEST = 6
"""Characters of a line about a phrasing, at least: a number, a letter, quotes and spaces."""


def settings_card(
    settings: GuildSettings, modes: Sequence[tuple[int, str]], notes: Sequence[str]
) -> Card:
    """Return a guild's settings as a card; ``modes`` are channel ids with what holds there."""
    embed = discord.Embed(title="Threadwise in this server", colour=ANSWER)
    for command in COMMANDS:
        embed.add_field(name=command.label, value=command.on_card(settings))
    named = [f"<#{channel_id}> {mode}" for channel_id, mode in modes]
    embed.add_field(
        name="Channels",
        value=text.lines(named) if named else "all as usual: I answer when I'm mentioned",
        inline=False,
    )
    if notes:
        embed.add_field(name="Mind", value=text.lines(notes), inline=False)
    return Card(embed=embed)


def phrasings_card(phrasings: Sequence[LearnedPhrasing], thread: str = "") -> Card:
    """Return learned phrasings as a card, in order; of one thread, if its title is given."""
    embed = discord.Embed(
        title=text.title(thread, limits.EMBED_TITLE) if thread else "What members taught me",
        colour=ANSWER,
    )
    most = limits.EMBED_DESCRIPTION // _SHORTEST  # there may be thousands
    taught = [_phrasing(phrasing, with_title=not thread) for phrasing in phrasings[:most]]
    more = max(0, len(phrasings) - most)
    embed.description = text.lines(taught, limits.EMBED_DESCRIPTION, more)
    return Card(embed=embed)


def _phrasing(phrasing: LearnedPhrasing, *, with_title: bool) -> str:
    said = f"`{phrasing.id}` {text.title(phrasing.text, limits.PHRASING)}"
    if not with_title:
        return said
    return f"{said}\n-# for: {text.title(phrasing.title, limits.FACT)}"
