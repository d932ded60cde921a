"""Voting emoji: as members type them, as Discord sends them, and which are the same."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.emoji_form import CUSTOM, bare_emoji, is_emoji
from bot.guild_settings import GuildSettings
from bot.models import Vote, VoteEmoji

DEFAULTS = GuildSettings()
"""What holds where nobody chose any, with emoji that everybody has."""


def key(emoji: str) -> str:
    """Return what two spellings of one emoji share: a custom one's id, else it without U+FE0F."""
    custom = CUSTOM.fullmatch(emoji.strip())
    return custom[2] if custom else bare_emoji(emoji.strip())


def custom_id(emoji: str) -> int | None:
    """Return the id of a custom emoji, ``None`` for one of Unicode's."""
    custom = CUSTOM.fullmatch(emoji.strip())
    return int(custom[2]) if custom else None


def to_react(emoji: str) -> discord.PartialEmoji:
    """Return the emoji in the form that discord.py sends as a reaction."""
    return discord.PartialEmoji.from_str(emoji.strip())


def vote_of(emoji: str, used: VoteEmoji) -> Vote | None:
    """Return the vote that a reaction is where these emoji are used; ``None`` if it is none."""
    this = key(emoji)
    if this == key(used.up):
        return Vote.UP
    return Vote.DOWN if this == key(used.down) else None


def used_on(ours: Sequence[str], now: VoteEmoji, *others: VoteEmoji) -> VoteEmoji:
    """Return the emoji that a message was posted with, of which only our reactions are known.

    ``ours`` are the bot's own reactions in Discord's order, ``now`` the guild's emoji today,
    ``others`` pairs that are known as well (the host's defaults). A pair of which both are
    among ``ours`` means what it always does, as the order is wrong where a member reacted
    first; ``others`` come first, since a guild may have swapped its emoji. Of an unknown pair
    the first is up. One alone that is among the guild's is what the guild says; any other was
    for up, since the second is not tried without the first. Without any, the guild's are taken.
    """
    keys = {key(emoji) for emoji in ours}
    for pair in (*others, now):
        if {key(pair.up), key(pair.down)} <= keys:
            return pair
    if len(ours) >= 2:
        return VoteEmoji(ours[0], ours[1])
    if not ours or vote_of(ours[0], now) is not None:
        return now
    return VoteEmoji(ours[0], now.down)


def is_gone(emoji: str, client: discord.Client) -> bool:
    """Return whether this is a custom emoji that was deleted, or can't be used any more."""
    custom = custom_id(emoji)
    if custom is None:
        return False
    known = client.get_emoji(custom)
    return known is None or not known.is_usable()


def in_use(settings: GuildSettings, client: discord.Client) -> VoteEmoji:
    """Return what members vote with on what is posted now: defaults for emoji that are gone."""
    up = DEFAULTS.up_emoji if is_gone(settings.up_emoji, client) else settings.up_emoji
    down = DEFAULTS.down_emoji if is_gone(settings.down_emoji, client) else settings.down_emoji
    return DEFAULTS.emoji if key(up) == key(down) else VoteEmoji(up, down)


def mark_in_use(settings: GuildSettings, client: discord.Client) -> str:
    """Return with what the bot marks a question: the default for an emoji that is gone."""
    sign = settings.unanswered_emoji
    return DEFAULTS.unanswered_emoji if is_gone(sign, client) else sign


def gone(settings: GuildSettings, client: discord.Client) -> list[str]:
    """Return the names of the chosen custom emoji that are gone, each once."""
    signs = settings.up_emoji, settings.down_emoji, settings.unanswered_emoji
    lost = [sign for sign in signs if is_gone(sign, client)]
    return list(dict.fromkeys(to_react(sign).name or "?" for sign in lost))


def for_buttons(settings: GuildSettings) -> tuple[str, str] | None:
    """Return a guild's voting emoji for up and down, if both look like emoji for a button."""
    both = settings.up_emoji.strip(), settings.down_emoji.strip()
    return both if all(map(is_emoji, both)) else None
