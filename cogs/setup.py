"""/setup: one private page that gets the bot going in a server, for people with Manage Server."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Mode
from bot.replies import acknowledge, edit_response
from bot.ui import emoji, limits, setup_page, text
from bot.ui.helpers_page import gone_roles_notes
from bot.ui.setup_page import NEEDED, SetupState, setup_card
from cogs.channel_context import begin_privately, only_managers, permissions_in
from cogs.channel_modes import MODES, modes_in, unheard_notes
from cogs.helper_roles import present_roles

SEVERAL = 10
"""Channels whose permissions are named on the page, at most."""


class SetupCog(commands.Cog, name="Setup"):
    """Shows what holds in a server, and changes it by menus; who presses them is checked again."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.guilds = bot.app.guilds

    async def cog_load(self) -> None:
        """Register the menus."""
        self.bot.on_press(setup_page.ChooseChannel, self._choose_channel)
        self.bot.on_press(setup_page.ChooseMode, self._choose_mode)
        self.bot.on_press(setup_page.ChooseHelpers, self._choose_helpers)
        self.bot.on_press(setup_page.LookAgain, self._look_again)

    @app_commands.command(name="setup", description=N_("Get me going in this server, on one page"))
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.check(only_managers)
    async def setup(self, interaction: Interaction) -> None:
        """Show the page."""
        guild = await begin_privately(interaction)
        card = setup_card(await self._state(guild, None))
        await edit_response(interaction, **card.send_kwargs())

    async def _choose_channel(
        self, item: setup_page.ChooseChannel, interaction: Interaction
    ) -> None:
        guild = await self._begin(interaction)
        await self._show(interaction, guild, item.chosen)

    async def _choose_mode(self, item: setup_page.ChooseMode, interaction: Interaction) -> None:
        guild = await self._begin(interaction)
        if guild.get_channel(item.channel_id) is not None and item.chosen in MODES:
            mode = None if item.chosen == "default" else Mode(item.chosen)
            await self.guilds.set_mode(guild.id, item.channel_id, mode)
        await self._show(interaction, guild, item.channel_id)

    async def _choose_helpers(
        self, item: setup_page.ChooseHelpers, interaction: Interaction
    ) -> None:
        guild = await self._begin(interaction)
        roles = [role.id for role in item.chosen if not role.is_default()]
        await self.guilds.update(guild.id, helper_role_ids=tuple(roles))
        await self._show(interaction, guild, None)

    async def _look_again(self, item: setup_page.LookAgain, interaction: Interaction) -> None:
        guild = await self._begin(interaction)
        await self._show(interaction, guild, None)

    async def _begin(self, interaction: Interaction) -> discord.Guild:
        """Acknowledge a press by somebody who manages the server. Raises what they are told by."""
        only_managers(interaction)
        if interaction.guild is None:
            raise app_commands.NoPrivateMessage
        await acknowledge(interaction)
        return interaction.guild

    async def _show(
        self, interaction: Interaction, guild: discord.Guild, chosen: int | None
    ) -> None:
        card = setup_card(await self._state(guild, chosen))
        await edit_response(interaction, **card.edit_kwargs())

    async def _state(self, guild: discord.Guild, chosen: int | None) -> SetupState:
        """Return what holds in a server."""
        modes = await modes_in(self.guilds, guild)
        settings = await self.guilds.settings(guild.id)
        stats = await self.bot.app.guild_library.stats(guild.id)
        missing = _lacking(guild.me.guild_permissions)
        active = [i for i, mode in modes.all().items() if mode is not Mode.OFF]
        missing_in = _missing_in(guild, [*([chosen] if chosen else []), *active], missing)
        channel = guild.get_channel(chosen) if chosen else None
        helpers = present_roles(settings, guild)
        gone = len(settings.helper_role_ids) - len(helpers)
        return SetupState(
            channels=modes.described(),
            chosen=channel.id if channel is not None else None,
            mode=modes.explicit[chosen].value if chosen and chosen in modes.explicit else "default",
            modes={mode: _(shown) for mode, shown in MODES.items()},
            helpers=helpers,
            pings=settings.ping_helpers,
            own=stats.own.threads,
            shared=stats.shared.threads,
            missing=missing,
            missing_in=missing_in,
            authorise=_address(self.bot, guild),
            role=_role_name(guild),
            lost_emoji=emoji.gone(settings, self.bot),
            notes=[*unheard_notes(self.bot, modes.all().values()), *gone_roles_notes(gone)],
        )


def _lacking(may: discord.Permissions) -> list[str]:
    """Return the needed permissions that are missing; without the first, the others say nothing."""
    missing = [name for name in NEEDED if not getattr(may, name)]
    return ["view_channel"] if "view_channel" in missing else missing


def _missing_in(
    guild: discord.Guild, channel_ids: list[int], everywhere: list[str]
) -> dict[int, list[str]]:
    """Return what the bot lacks in channels, and those of categories, though not everywhere."""
    found: dict[int, list[str]] = {}
    for channel_id in dict.fromkeys(channel_ids):
        place = guild.get_channel_or_thread(channel_id)
        channels: Any = place.channels if isinstance(place, discord.CategoryChannel) else [place]
        for channel in channels:
            if channel is None or len(found) == SEVERAL:
                continue
            names = [n for n in _lacking(permissions_in(channel, guild)) if n not in everywhere]
            if names:
                found[channel.id] = names
    return found


def _address(bot: ThreadBot, guild: discord.Guild) -> str:
    """Return where the bot is authorised again in a server, with all that it needs."""
    return discord.utils.oauth_url(
        bot.application_id or 0,
        permissions=discord.Permissions(**dict.fromkeys(NEEDED, True)),
        guild=guild,
        scopes=("bot", "applications.commands"),
        disable_guild_select=True,
    )


def _role_name(guild: discord.Guild) -> str:
    role = guild.self_role
    return role.mention if role is not None else text.title(guild.me.display_name, limits.FACT)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(SetupCog(bot))
