"""What moderators see of a guild's settings."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.models import GuildSettings
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card, percent


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
    lines = [f"<#{channel_id}> {mode}" for channel_id, mode in modes]
    embed.add_field(
        name="Channels",
        value=_lines(lines) if lines else "all as usual: I answer when I'm mentioned",
        inline=False,
    )
    if notes:
        embed.add_field(name="Mind", value=_lines(notes), inline=False)
    return Card(embed=embed)


def _lines(lines: Sequence[str]) -> str:
    """As many of the lines as a field holds, saying how many are left out."""
    kept = list(lines)
    while text.width("\n".join(kept)) > limits.EMBED_FIELD - 30:
        kept.pop()
    left = len(lines) - len(kept)
    return "\n".join(kept) + (f"\n… and {left} more" if left else "")
