"""The channel in which something happened, what the bot may do there, and who manages it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

import discord
from discord import app_commands

from bot.client import Interaction, ThreadBot
from bot.guild_settings import GuildSettings
from bot.models import SHARED
from bot.replies import acknowledge
from bot.ui import limits, text

log = logging.getLogger(__name__)

Choices = list[app_commands.Choice[str]]
Completion = Callable[[Any, Interaction, str], Coroutine[Any, Any, Choices]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """A channel, the guild whose library counts in it, and what the bot may do there.

    ``scope`` is the guild whose library and votes count here (SHARED outside of
    guilds and where the bot is not a member), ``server`` how links name the guild.
    """

    channel_id: int
    scope: int
    server: str
    may: discord.Permissions

    @property
    def embeds(self) -> bool:
        """Return whether cards may be embeds here."""
        return self.may.embed_links

    def link(self, message_id: int) -> str:
        """Return the address of a message in this channel."""
        return f"https://discord.com/channels/{self.server}/{self.channel_id}/{message_id}"


def message_context(message: discord.Message) -> ChannelContext:
    """Return the context of a message."""
    guild = message.guild
    return ChannelContext(
        channel_id=message.channel.id,
        scope=guild.id if guild else SHARED,
        server=str(guild.id) if guild else "@me",
        may=permissions_in(message.channel, guild),
    )


def interaction_context(interaction: Interaction) -> ChannelContext:
    """Return the context of an interaction."""
    scope = scope_of(interaction)
    if interaction.guild_id is None:
        may = _EVERYTHING
    elif scope == SHARED:  # installed by the user only: replies are all it can do
        may = discord.Permissions(interaction.app_permissions.value)
        may.update(add_reactions=False, manage_messages=False)
    else:
        may = interaction.app_permissions
    return ChannelContext(
        channel_id=interaction.channel_id or 0,
        scope=scope,
        server=str(interaction.guild_id or "@me"),
        may=may,
    )


def scope_of(interaction: Interaction) -> int:
    """Return the guild whose library and votes count for an interaction, or SHARED.

    A person may carry the bot into a server that it is no member of; what that
    server's members voted elsewhere is none of its business there.
    """
    guild_id = interaction.guild_id
    return guild_id if guild_id and interaction.client.get_guild(guild_id) else SHARED


def permissions_in(channel: Any, guild: discord.Guild | None) -> discord.Permissions:
    """Return what the bot may do in a channel; all permissions where that can't be told."""
    me = guild.me if guild is not None else None
    if me is None or not hasattr(channel, "permissions_for"):
        return _EVERYTHING
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return _EVERYTHING
    may: discord.Permissions = channel.permissions_for(me)
    return may


def missing_send_permission(channel: Any, may: discord.Permissions) -> str | None:
    """Return the permission that the bot lacks to send messages in a channel, if any."""
    sending = "send_messages"
    if isinstance(channel, discord.Thread):
        sending = "send_messages_in_threads"
    return next((name for name in ("view_channel", sending) if not getattr(may, name)), None)


def is_moderator(interaction: Interaction) -> bool:
    """Return whether the member may take back what others were shown."""
    may = interaction.permissions
    return interaction.guild_id is not None and (may.manage_messages or may.manage_guild)


def manages(interaction: Interaction) -> bool:
    """Return whether the member may change the settings of this server."""
    return scope_of(interaction) != SHARED and interaction.permissions.manage_guild


def is_helper(user: discord.abc.User, settings: GuildSettings) -> bool:
    """Return whether somebody helps others here: who manages the server, or has a helper role."""
    if not isinstance(user, discord.Member):
        return False
    helpers = settings.helper_role_ids
    return user.guild_permissions.manage_guild or any(role.id in helpers for role in user.roles)


def joined_at(user: discord.abc.User | None) -> datetime | None:
    """Return when a member joined their server; ``None`` where that isn't known."""
    return user.joined_at if isinstance(user, discord.Member) else None


def only_managers(interaction: Interaction) -> bool:
    """Check that a command's member manages the server: the command's own permissions are a hint.

    Raises what the person is told by.
    """
    if scope_of(interaction) == SHARED:
        raise app_commands.NoPrivateMessage
    if not manages(interaction):
        raise app_commands.MissingPermissions(["manage_guild"])
    return True


async def helps_here(interaction: Interaction) -> bool:
    """Return whether the member is a helper of this server: has a helper role, or manages it.

    Helpers accept answers, and keep or take back what others taught.
    """
    if scope_of(interaction) == SHARED:
        return False
    settings = await interaction.client.app.guilds.settings(interaction.guild_id or SHARED)
    return manages(interaction) or is_helper(interaction.user, settings)


async def accepts_here(interaction: Interaction, thread_id: int) -> bool:
    """Return whether the member may accept answers of a thread: helpers, and who asked it."""
    if await helps_here(interaction):
        return True
    scope, user_id = scope_of(interaction), interaction.user.id
    accepting = interaction.client.app.accepting
    return scope != SHARED and await accepting.is_asker(scope, thread_id, user_id)


async def only_judges_of_phrasings(interaction: Interaction) -> bool:
    """Check that the member may judge phrasings. Raises what the person is told by."""
    return await helps_here(interaction) or only_managers(interaction)


async def acknowledge_page(interaction: Interaction) -> bool:
    """Acknowledge a press under a page; return whether the page is private, and so is edited.

    A page that all see stays as it is: the reply is private.
    """
    private = interaction.message is not None and interaction.message.flags.ephemeral
    await acknowledge(interaction, ephemeral=not private, thinking=not private)
    return private


async def begin_privately(interaction: Interaction) -> discord.Guild:
    """Acknowledge a command, to be answered privately, and return its server."""
    if interaction.guild is None:
        raise app_commands.NoPrivateMessage
    await acknowledge(interaction, ephemeral=True, thinking=True)
    return interaction.guild


def completes_for(
    admits: Callable[[Interaction], Coroutine[Any, Any, bool]],
) -> Callable[[Completion], Completion]:
    """Have an autocompletion offer nothing to anybody else, nor if it fails."""

    def guard(complete: Completion) -> Completion:
        @wraps(complete)
        async def guarded(self: Any, interaction: Interaction, current: str) -> Choices:
            try:
                admitted = await admits(interaction)
                return await complete(self, interaction, current) if admitted else []
            except Exception as error:
                log.warning("autocomplete failed: %s", error)
                return []

        return guarded

    return guard


async def _manages(interaction: Interaction) -> bool:
    return manages(interaction)


completes_for_managers = completes_for(_manages)
"""Have an autocompletion offer nothing to members, nor if it fails."""


def choice(name: str, value: str, suffix: str = "") -> app_commands.Choice[str]:
    """Return a choice of an autocompletion; a long name gives way to the suffix."""
    shown = text.label(name, limits.CHOICE_TEXT - len(suffix)) + suffix
    return app_commands.Choice(name=shown, value=value)


def has_permissions(bot: ThreadBot, context: ChannelContext, *names: str) -> bool:
    """Return whether the bot has these permissions; log once for each channel what it lacks."""
    missing = [name for name in names if not getattr(context.may, name)]
    for name in missing:
        bot.warn_missing_permission(context.channel_id, name)
    return not missing


_EVERYTHING = discord.Permissions.all()
