"""/settings: how the bot behaves in a server, for people with Manage Server."""

from __future__ import annotations

import inspect
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.client import ThreadBot
from bot.errors import ConfigError
from bot.guild_settings import (
    COMMANDS,
    EMOJI_MUST_DIFFER,
    GuildSettings,
    Option,
    SettingsCommand,
)
from bot.models import Mode
from bot.replies import edit_response
from bot.ui import emoji, moderator_cards
from cogs.channel_context import (
    begin_privately,
    missing_send_permission,
    only_managers,
    permissions_in,
)

MODES = {
    "off": "off: I stay silent there",
    "mention": "mention: I answer when I'm mentioned",
    "questions": "questions: I answer questions that I'm sure about",
    "all": "all: I answer or suggest whenever I can",
    "default": "default: as if it had never been set",
}
USEFUL = ("embed_links", "add_reactions", "read_message_history")

Channel = discord.TextChannel | discord.VoiceChannel | discord.ForumChannel | discord.Thread


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class SettingsCog(commands.GroupCog, name="Settings", group_name="settings"):
    """Lets moderators say when I speak, how sure I must be, and how people vote."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.guilds = bot.app.guilds
        assert self.app_command is not None  # as it is a group
        for command in COMMANDS:
            self.app_command.add_command(self._app_command(command))

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Admit people with Manage Server only."""
        return only_managers(interaction)

    @app_commands.command(name="show", description="Show how I behave in this server")
    async def show(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Show the settings in force."""
        guild = await begin_privately(interaction)
        modes, named = await self.guilds.modes(guild.id), await self._named(guild)
        shown = [(channel_id, mode.value) for channel_id, mode in modes.items()]
        shown += [(channel_id, f"{mode.value}, by its name") for channel_id, mode in named.items()]
        notes = []
        for channel_id, mode in (modes | named).items():
            if mode is not Mode.OFF:
                notes += self._notes(guild.get_channel_or_thread(channel_id))
        if not self.bot.intents.message_content and _listens((modes | named).values()):
            notes.append(_DEAF)
        settings = await self.guilds.settings(guild.id)
        backgrounds = self.bot.app.answering.backgrounds
        answered = await backgrounds.answered(guild.id, settings.answer_threshold)
        card = moderator_cards.settings_card(settings, shown, notes, answered)
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(name="channel", description="Say when I speak in a channel")
    @app_commands.describe(channel="The channel", mode="When I speak there")
    @app_commands.choices(mode=[Choice(name=shown, value=mode) for mode, shown in MODES.items()])
    async def channel(
        self, interaction: discord.Interaction[ThreadBot], channel: Channel, mode: str
    ) -> None:
        """Set a channel's mode."""
        chosen = None if mode == "default" else Mode(mode)
        guild = await begin_privately(interaction)
        await self.guilds.set_mode(guild.id, channel.id, chosen)
        lines = [f"{channel.mention} is now set to **{mode}**."]
        if chosen is not Mode.OFF:
            lines += self._notes(channel)
        if chosen is not None and not self.bot.intents.message_content and _listens([chosen]):
            lines.append(_DEAF)
        await _say(interaction, "\n".join(lines))

    @app_commands.command(name="reset", description="Forget all that was set for this server")
    async def reset(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Go back to what the host has set."""
        guild_id = (await begin_privately(interaction)).id
        await self.guilds.update(guild_id, **dict.fromkeys(GuildSettings.model_fields))
        for channel_id in await self.guilds.modes(guild_id):
            await self.guilds.set_mode(guild_id, channel_id, None)
        await _say(interaction, "Everything in this server is back to default. Votes stay.")

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
            app_commands.describe(preset="What holds where you give no number")(change)
            app_commands.choices(preset=names)(change)
        for option in command.options:
            if option.choices:
                choices = [Choice(name=shown, value=v) for v, shown in option.choices.items()]
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
            raise ConfigError(command.nothing_given)
        signs = [given[o.name] for o in options if o.is_emoji]
        if len({emoji.key(sign) for sign in signs}) < len(signs):
            raise ConfigError(EMOJI_MUST_DIFFER)
        values = {o.setting: given[o.name] for o in options}
        changes = (
            dict(named)
            | values
            | {o.setting: _usable(values[o.setting], guild) for o in options if o.is_emoji}
        )
        now = await self.guilds.update(guild.id, **changes)
        await _say(interaction, command.reply(now))

    async def _named(self, guild: discord.Guild) -> dict[int, Mode]:
        """Return the modes that channels have by their names, where nobody set one."""
        explicit = await self.guilds.modes(guild.id)
        modes: dict[int, Mode] = {}
        for channel in guild.channels:
            if channel.id not in explicit and not isinstance(channel, discord.CategoryChannel):
                mode = await self.guilds.mode(guild.id, channel.id, channel.name)
                if mode is not Mode.MENTION:
                    modes[channel.id] = mode
        return modes

    def _notes(self, channel: Any) -> list[str]:
        """Return a line on the permissions that the bot lacks in a channel, if any."""
        if channel is None:
            return []
        may = permissions_in(channel, channel.guild)
        missing = [p for p in (missing_send_permission(channel, may),) if p]
        missing += [name for name in USEFUL if not getattr(may, name)]
        if not missing:
            return []
        names = ", ".join(name.replace("_", " ") for name in missing)
        return [f"In {channel.mention} I lack these permissions: {names}."]


_DEAF = (
    "Without the message content intent I can't read messages that don't mention me. Whoever "
    "hosts me can switch it on in Discord's developer portal."
)


def _annotation(option: Option, default: object) -> Any:
    """Return the annotation from which discord.py knows the type and limits of an option."""
    type_ = str if option.choices else option.type
    low, high = option.limits
    made: Any = type_ if low is None and high is None else app_commands.Range[type_, low, high]
    return made | None if default is None else made


def _listens(modes: Any) -> bool:
    return any(mode in (Mode.QUESTIONS, Mode.ALL) for mode in modes)


def _usable(given: str, guild: discord.Guild) -> str:
    """Return an emoji as Discord spells it. Raises ConfigError if the bot can't use it."""
    given = given.strip()
    custom = emoji.custom_id(given)
    if custom is None:
        if emoji.is_unicode_emoji(given):
            return given
        raise ConfigError(
            f"“{discord.utils.escape_markdown(given)}” is not an emoji that I know. Type one "
            "emoji, of Unicode or of this server."
        )
    own = guild.get_emoji(custom)
    if own is None or not own.is_usable():
        raise ConfigError("I can only use Unicode's emoji and those of this server.")
    return str(own)


async def _say(interaction: discord.Interaction[ThreadBot], said: str) -> None:
    await edit_response(interaction, content=said)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(SettingsCog(bot))
