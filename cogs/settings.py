"""/settings: how the bot behaves in a server, for people with Manage Server."""

from __future__ import annotations

import inspect
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.client import ThreadBot
from bot.emoji_form import is_unicode_emoji
from bot.errors import ConfigError
from bot.guild_settings import OFF, GuildSettings, Option, SettingsCommand
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Mode
from bot.replies import edit_response
from bot.settings_commands import COMMANDS, EMOJI_MUST_DIFFER, HELPERS
from bot.ui import emoji, moderator_cards, setup_page
from bot.ui.cards import Card
from bot.ui.confirmations import ConfirmReset, reset_card
from bot.ui.helpers_page import gone_roles_notes
from cogs.channel_context import (
    begin_privately,
    missing_send_permission,
    only_managers,
    permissions_in,
)
from cogs.channel_modes import MODES, modes_in, unheard_notes
from cogs.confirming import begin_confirmed
from cogs.helper_roles import HelperRoles, present_roles

USEFUL = ("embed_links", "add_reactions", "read_message_history")

ModeChannel = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.ForumChannel
    | discord.CategoryChannel
    | discord.Thread
)


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class SettingsCog(commands.GroupCog, name="Settings", group_name="settings"):
    """Lets moderators say when I speak, how sure I must be, and how people vote."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.guilds = bot.app.guilds
        assert self.app_command is not None  # as it is a group
        self.helper_roles = HelperRoles(bot)
        for command in COMMANDS:
            if not command.has_page:
                self.app_command.add_command(self._app_command(command))

    async def cog_load(self) -> None:
        """Register the button that confirms /settings reset, and what is on pages."""
        self.bot.on_press(ConfirmReset, self.reset_confirmed)
        self.helper_roles.register()

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Admit people with Manage Server only."""
        return only_managers(interaction)

    @app_commands.command(name="show", description=N_("Show how I behave in this server"))
    async def show(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Show the settings in force."""
        guild = await begin_privately(interaction)
        modes = await modes_in(self.guilds, guild)
        notes = []
        for channel_id, mode in modes.all().items():
            if mode is not Mode.OFF:
                notes += self._notes(guild.get_channel_or_thread(channel_id))
        notes += unheard_notes(self.bot, modes.all().values())
        settings = await self.guilds.settings(guild.id)
        notes += setup_page.lost_emoji_notes(emoji.gone(settings, self.bot))
        backgrounds = self.bot.app.answering.backgrounds
        answered = await backgrounds.answered(guild.id, settings.answer_threshold)
        roles = present_roles(settings, guild)
        notes += gone_roles_notes(len(settings.helper_role_ids) - len(roles))
        settings = settings.model_copy(update={"helper_role_ids": tuple(roles)})
        card = moderator_cards.settings_card(settings, modes.described(), notes, answered)
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(name="channel", description=N_("Say when I speak in a channel"))
    @app_commands.describe(channel=N_("The channel"), mode=N_("When I speak there"))
    @app_commands.choices(mode=[Choice(name=shown, value=mode) for mode, shown in MODES.items()])
    async def channel(
        self, interaction: discord.Interaction[ThreadBot], channel: ModeChannel, mode: str
    ) -> None:
        """Set a channel's mode."""
        chosen = None if mode == "default" else Mode(mode)
        guild = await begin_privately(interaction)
        await self.guilds.set_mode(guild.id, channel.id, chosen)
        lines = [
            _("{channel} is now set to **{mode}**.").format(channel=channel.mention, mode=mode)
        ]
        if chosen is not Mode.OFF:
            lines += self._notes(channel)
        lines += unheard_notes(self.bot, [chosen] if chosen is not None else [])
        await _say(interaction, "\n".join(lines))

    @app_commands.command(name=HELPERS.name, description=HELPERS.help)
    @app_commands.describe(
        remove=N_("A role whose members don't help any longer"),
        **{option.name: option.help for option in HELPERS.options},
    )
    @app_commands.choices(
        ping=[Choice(name=N_("on"), value="on"), Choice(name=N_("off"), value="off")]
    )
    async def helpers(
        self,
        interaction: discord.Interaction[ThreadBot],
        add: discord.Role | None = None,
        remove: discord.Role | None = None,
        ping: str | None = None,
    ) -> None:
        """Show which roles help, and change it."""
        await self.helper_roles.change(interaction, add, remove, ping)

    @app_commands.command(name="reset", description=N_("Forget all that was set for this server"))
    async def reset(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Ask whether to go back to what the host has set."""
        await begin_privately(interaction)
        await edit_response(interaction, **reset_card(interaction.user.id).send_kwargs())

    async def reset_confirmed(
        self, item: ConfirmReset, interaction: discord.Interaction[ThreadBot]
    ) -> None:
        """Go back to what the host has set."""
        only_managers(interaction)
        if interaction.guild is None or not await begin_confirmed(item, interaction):
            return
        guild_id = interaction.guild.id
        await self.guilds.update(guild_id, **dict.fromkeys(GuildSettings.model_fields))
        for channel_id in await self.guilds.modes(guild_id):
            await self.guilds.set_mode(guild_id, channel_id, None)
        done = Card(content=_("Everything in this server is back to default. Votes stay."))
        await edit_response(interaction, **done.edit_kwargs())

    def _app_command(self, command: SettingsCommand) -> app_commands.Command[Any, ..., None]:
        """Return the Discord command that changes the settings of ``command``."""

        async def change(interaction: discord.Interaction[Any], /, **given: Any) -> None:
            await self._change(interaction, command, given)

        default = None if command.nothing_given else inspect.Parameter.empty
        kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter("interaction", kinds[0])] + [
            inspect.Parameter(o.name, kinds[1], annotation=_annotation(o, default), default=default)
            for o in command.options
        ]
        if command.presets:
            parameters.append(
                inspect.Parameter("preset", kinds[1], annotation=str | None, default=None)
            )
        # discord.py makes the options of a command from its callback's parameters.
        change.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        app_commands.describe(**{o.name: o.help for o in command.options})(change)
        if command.presets:
            names = [Choice(name=name, value=name) for name in command.presets]
            app_commands.describe(preset=N_("What holds where you give no number"))(change)
            app_commands.choices(preset=names)(change)
        for option in command.options:
            if offered := option.offered:
                choices = [Choice(name=shown, value=v) for v, shown in offered.items()]
                app_commands.choices(**{option.name: choices})(change)
        made: app_commands.Command[Any, ..., None] = app_commands.Command(
            name=command.name, description=command.help, callback=change
        )
        made.add_check(only_managers)
        return made

    async def _change(
        self, interaction: discord.Interaction[Any], command: SettingsCommand, given: dict[str, Any]
    ) -> None:
        guild = await begin_privately(interaction)
        options = [o for o in command.options if given[o.name] is not None]
        named = command.presets.get(given.get("preset") or "", {})
        if not options and not named:
            raise ConfigError(_(command.nothing_given))
        emojis = [o for o in options if o.is_emoji and not _is_off(o, given[o.name])]
        signs = [given[o.name] for o in emojis]
        if len({emoji.key(sign) for sign in signs}) < len(signs):
            raise ConfigError(_(EMOJI_MUST_DIFFER))
        values = {o.setting: given[o.name] for o in options}
        changes = (
            dict(named)
            | values
            | {o.setting: _usable(values[o.setting], guild) for o in emojis}
            | {o.setting: OFF for o in options if _is_off(o, given[o.name])}
        )
        now = await self.guilds.update(guild.id, **changes)
        await _say(interaction, command.reply(now))

    def _notes(self, channel: Any) -> list[str]:
        """Return a line on the permissions that the bot lacks in a channel, if any.

        Of a category, a line for each of its channels.
        """
        if channel is None:
            return []
        if isinstance(channel, discord.CategoryChannel):
            return [note for each in channel.channels for note in self._notes(each)]
        may = permissions_in(channel, channel.guild)
        missing = [p for p in (missing_send_permission(channel, may),) if p]
        missing += [name for name in USEFUL if not getattr(may, name)]
        if not missing:
            return []
        names = ", ".join(setup_page.permission_name(name) for name in missing)
        said = _("In {channel} I lack these permissions: {permissions}.")
        return [said.format(channel=channel.mention, permissions=names)]


def _annotation(option: Option, default: object) -> Any:
    """Return the annotation from which discord.py knows the type and limits of an option."""
    type_ = str if option.choices else option.type
    low, high = option.limits
    made: Any = type_ if low is None and high is None else app_commands.Range[type_, low, high]
    return made | None if default is None else made


def _is_off(option: Option, given: Any) -> bool:
    return option.may_be_off and str(given).strip().casefold() == OFF


def _usable(given: str, guild: discord.Guild) -> str:
    """Return an emoji as Discord spells it. Raises ConfigError if the bot can't use it."""
    given = given.strip()
    custom = emoji.custom_id(given)
    if custom is None:
        if is_unicode_emoji(given):
            return given
        raise ConfigError(
            _(
                "“{typed}” is not an emoji that I know. Type one emoji, of Unicode or of this "
                "server."
            ).format(typed=discord.utils.escape_markdown(given))
        )
    own = guild.get_emoji(custom)
    if own is None or not own.is_usable():
        raise ConfigError(_("I can only use Unicode's emoji and those of this server."))
    return str(own)


async def _say(interaction: discord.Interaction[ThreadBot], said: str) -> None:
    await edit_response(interaction, content=said)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(SettingsCog(bot))
