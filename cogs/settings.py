"""/settings: how the bot behaves in a server, for people with Manage Server."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ThreadBot
from bot.errors import ConfigError
from bot.models import Mode, Policy
from bot.replies import edit_response
from bot.ui import cards, emoji, settings_cards
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
POLICIES = {
    Policy.ACCEPTED: "accepted: the accepted answer first",
    Policy.SCORE: "score: the answer with most votes first",
}
USEFUL = ("embed_links", "add_reactions", "read_message_history")

Channel = discord.TextChannel | discord.VoiceChannel | discord.ForumChannel | discord.Thread


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Settings(commands.GroupCog, group_name="settings"):
    """Lets moderators say when I speak, how sure I must be, and how people vote."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.guilds = bot.app.guilds

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
        card = settings_cards.settings_card(settings, shown, notes)
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(name="channel", description="Say when I speak in a channel")
    @app_commands.describe(channel="The channel", mode="When I speak there")
    @app_commands.choices(
        mode=[app_commands.Choice(name=shown, value=mode) for mode, shown in MODES.items()]
    )
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

    @app_commands.command(name="thresholds", description="Say how sure I must be to speak")
    @app_commands.describe(
        answer="From this confidence on I answer (0 to 1)",
        suggest="From this confidence on I ask what was meant (0 to 1)",
    )
    async def thresholds(
        self,
        interaction: discord.Interaction[ThreadBot],
        answer: app_commands.Range[float, 0.0, 1.0] | None = None,
        suggest: app_commands.Range[float, 0.0, 1.0] | None = None,
    ) -> None:
        """Change one threshold or both."""
        guild = await begin_privately(interaction)
        given = {"answer_threshold": answer, "suggest_threshold": suggest}
        changes = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise ConfigError("Give me a number for `answer`, for `suggest`, or for both.")
        now = await self.guilds.update(guild.id, **changes)
        await _say(
            interaction,
            f"I answer from {cards.percent(now.answer_threshold)} confidence on and suggest "
            f"from {cards.percent(now.suggest_threshold)} on.",
        )

    @app_commands.command(name="policy", description="Say which of a thread's answers comes first")
    @app_commands.describe(policy="Which answer comes first")
    @app_commands.choices(
        policy=[app_commands.Choice(name=shown, value=p.value) for p, shown in POLICIES.items()]
    )
    async def policy(self, interaction: discord.Interaction[ThreadBot], policy: str) -> None:
        """Change the answer policy."""
        guild = await begin_privately(interaction)
        now = await self.guilds.update(guild.id, policy=Policy(policy))
        await _say(interaction, f"Answer policy is now {POLICIES[now.policy]}.")

    @app_commands.command(name="emoji", description="Say with which emoji people vote")
    @app_commands.describe(up="For a good answer", down="For a bad answer")
    async def emoji(
        self,
        interaction: discord.Interaction[ThreadBot],
        up: app_commands.Range[str, 1, 64],
        down: app_commands.Range[str, 1, 64],
    ) -> None:
        """Change the voting emoji."""
        guild = await begin_privately(interaction)
        if emoji.key(up) == emoji.key(down):
            raise ConfigError("The two voting emoji must differ.")
        now = await self.guilds.update(
            guild.id, up_emoji=_usable(up, guild), down_emoji=_usable(down, guild)
        )
        await _say(
            interaction,
            f"From now on people vote with {now.up_emoji} and {now.down_emoji} on what I post. "
            "On earlier messages, the emoji under them count as before.",
        )

    @app_commands.command(name="learning", description="Say whether I learn how people ask here")
    @app_commands.describe(learn="Whether I learn from the votes and choices of those who ask")
    @app_commands.choices(learn=[app_commands.Choice(name=n, value=n) for n in ("on", "off")])
    async def learning(self, interaction: discord.Interaction[ThreadBot], learn: str) -> None:
        """Switch learned phrasings on or off."""
        guild = await begin_privately(interaction)
        now = await self.guilds.update(guild.id, learn_phrasings=learn == "on")
        await _say(interaction, _LEARNING if now.learn_phrasings else _NOT_LEARNING)

    @app_commands.command(name="reset", description="Forget all that was set for this server")
    async def reset(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Go back to what the host has set."""
        guild_id = (await begin_privately(interaction)).id
        await self.guilds.update(
            guild_id,
            answer_threshold=None,
            suggest_threshold=None,
            policy=None,
            up_emoji=None,
            down_emoji=None,
            learn_phrasings=None,
        )
        for channel_id in await self.guilds.modes(guild_id):
            await self.guilds.set_mode(guild_id, channel_id, None)
        await _say(interaction, "Everything in this server is back to default. Votes stay.")

    async def _named(self, guild: discord.Guild) -> dict[int, Mode]:
        """The modes of channels where nobody set one and the name makes a difference."""
        explicit = await self.guilds.modes(guild.id)
        found: dict[int, Mode] = {}
        for channel in guild.channels:
            if channel.id not in explicit and not isinstance(channel, discord.CategoryChannel):
                mode = await self.guilds.mode(guild.id, channel.id, channel.name)
                if mode is not Mode.MENTION:
                    found[channel.id] = mode
        return found

    def _notes(self, channel: Any) -> list[str]:
        """What the bot can't do in a channel, for the moderators to mend."""
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


_LEARNING = (
    "From now on I learn how people ask here: when somebody votes for the answer to their "
    "question, or chooses what they meant, I remember their words. `/phrasings list` shows them."
)
_NOT_LEARNING = (
    "From now on I learn nothing here, and what I had learned is not used. It is still there: "
    "`/phrasings list` shows it, `/phrasings remove` deletes it."
)


def _listens(modes: Any) -> bool:
    return any(mode in (Mode.QUESTIONS, Mode.ALL) for mode in modes)


def _usable(given: str, guild: discord.Guild) -> str:
    """The emoji in the spelling Discord takes; raises ConfigError if it can't be used."""
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
    await bot.add_cog(Settings(bot))
