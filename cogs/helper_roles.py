"""/settings helpers: the roles of those who help, added, taken away, chosen and shown."""

from __future__ import annotations

import asyncio

import discord
from discord import app_commands

from bot.client import Interaction, ThreadBot
from bot.errors import ConfigError
from bot.guild_settings import GuildSettings
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_response
from bot.settings_commands import HELPERS
from bot.ui.cards import Card
from bot.ui.helpers_page import NotifyHelpers, SetHelpers, helpers_card
from cogs.channel_context import begin_privately, only_managers

NO_HELPER_ROLE = N_("@everyone is no helper role. Choose a role that only those who help have.")
NONE_OF_THEM = N_("{role} is none of the helper roles. Run `/settings helpers` to see them.")
ADDED_AND_REMOVED = N_("Name two different roles, one to add and one to remove.")


def present_roles(settings: GuildSettings, guild: discord.Guild | None) -> list[int]:
    """Return the ids of the helper roles that the server has: others are gone, or never were."""
    return [i for i in settings.helper_role_ids if guild is not None and guild.get_role(i)]


class HelperRoles:
    """Changes which roles help and shows them; who presses is checked again each time."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.guilds = bot.app.guilds
        self._changing = asyncio.Lock()  # roles that two people add at once are both kept

    def register(self) -> None:
        """Register the menu and the button of the page."""
        self.bot.on_press(SetHelpers, self._choose)
        self.bot.on_press(NotifyHelpers, self._notify)

    async def change(
        self,
        interaction: Interaction,
        add: discord.Role | None,
        remove: discord.Role | None,
        ping: str | None,
    ) -> None:
        """Add a role, take one away, say whether they are notified; and show the page."""
        guild = await begin_privately(interaction)
        if add is not None or remove is not None or ping is not None:
            more = {} if ping is None else {"ping_helpers": ping}
            await self.update(guild, add=add, remove=remove, **more)
        await edit_response(interaction, **(await self._card(guild)).send_kwargs())

    async def update(
        self,
        guild: discord.Guild,
        *,
        add: discord.Role | None = None,
        remove: discord.Role | None = None,
        **more: object,
    ) -> None:
        """Change the helper roles, and other settings with them; those that are gone go too."""
        async with self._changing:
            now = await self.guilds.settings(guild.id)
            roles = _changed(present_roles(now, guild), add, remove)
            await self.guilds.update(guild.id, helper_role_ids=tuple(roles), **more)

    async def _choose(self, item: SetHelpers, interaction: Interaction) -> None:
        guild = await _begin(interaction)
        chosen = [role for role in item.chosen if guild.get_role(role.id) is not None]
        roles = tuple(role.id for role in chosen if not role.is_default())
        async with self._changing:
            await self.guilds.update(guild.id, helper_role_ids=roles)
        await edit_response(interaction, **(await self._card(guild)).edit_kwargs())

    async def _notify(self, item: NotifyHelpers, interaction: Interaction) -> None:
        guild = await _begin(interaction)
        await self.update(guild, ping_helpers=item.notify)
        await edit_response(interaction, **(await self._card(guild)).edit_kwargs())

    async def _card(self, guild: discord.Guild) -> Card:
        settings = await self.guilds.settings(guild.id)
        there = present_roles(settings, guild)
        named = HELPERS.reply(settings.model_copy(update={"helper_role_ids": tuple(there)}))
        gone = len(settings.helper_role_ids) - len(there)
        return helpers_card(named, there, gone, pings=settings.ping_helpers)


async def _begin(interaction: Interaction) -> discord.Guild:
    """Acknowledge a press by somebody who manages the server. Raises what they are told by."""
    only_managers(interaction)
    if interaction.guild is None:
        raise app_commands.NoPrivateMessage
    await acknowledge(interaction)
    return interaction.guild


def _changed(roles: list[int], add: discord.Role | None, remove: discord.Role | None) -> list[int]:
    """Return the ids of roles with one more and one fewer. Raises ConfigError."""
    if add is not None and add.is_default():
        raise ConfigError(_(NO_HELPER_ROLE))
    if remove is not None and remove == add:
        raise ConfigError(_(ADDED_AND_REMOVED))
    if remove is not None and remove.id not in roles:
        raise ConfigError(_(NONE_OF_THEM).format(role=remove.mention))
    left = [role_id for role_id in roles if remove is None or role_id != remove.id]
    return list(dict.fromkeys([*left, *([add.id] if add is not None else [])]))
