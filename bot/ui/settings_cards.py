"""What moderators see of a guild: its settings, and what its members taught."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.models import GuildSettings, LearnedPhrasing
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card, percent

_SHORTEST = 6
"""Characters of a line about a phrasing, at least: a number, a letter, quotes and spaces."""


def settings_card(
    settings: GuildSettings, modes: Sequence[tuple[int, str]], notes: Sequence[str]
) -> Card:
    """A guild's settings; ``modes`` are channel ids with what holds there."""
    embed = discord.Embed(title="Threadwise in this server", colour=ANSWER)
    embed.add_field(
        name="Thresholds",
        value=f"answers from {percent(settings.answer_threshold)} confidence\n"
        f"suggests from {percent(settings.suggest_threshold)}",
    )
    embed.add_field(name="Answer policy", value=settings.policy.value)
    embed.add_field(name="Voting", value=f"{settings.up_emoji} {settings.down_emoji}")
    learning = "from votes and choices" if settings.learn_phrasings else "off"
    embed.add_field(name="Learning", value=learning)
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
    """Learned phrasings in the given order; of one thread, if its title is given."""
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
