"""/help: what a member can do, what a helper can, and what a moderator can."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.replies import NOT_A_QUESTION, acknowledge, edit_response
from bot.ui.cards import ANSWER
from cogs.channel_context import helps_here, is_moderator, manages

_MEMBERS = (
    N_("**Ask** in a channel made for it, by mentioning me, in a direct message, or with `/ask`."),
    N_("**Look a message up**: its menu → *Apps* → *Find an answer*."),
    N_("**Vote** on an answer with the reactions under it; votes change which answer I give."),
    N_("**Read more**: *Other answers* under a card, or `/thread` and a few letters of a title."),
    N_("**Wrong answer?** *Not my question* under the card takes it back."),
    N_("**Your data**: `/forget-me` deletes what I keep about you."),
)

_IN_POSTS = N_(
    "**Solved?** *Mark as solution*, in the menu of what helped, keeps it for who asks next."
)

_HELPERS = (
    N_("*Save as answer*, in a message's menu under *Apps*: the next who asks is told it."),
    N_("*Mark as solution*, in the same menu: what solved a post of a forum that I follow."),
    N_("`/answer add`, `edit` and `merge`: write and mend answers; `undo` and `history` go back."),
    N_("*Accept*, in *Other answers*: choose this server's accepted answer."),
    N_("`/library review` and `/phrasings list`, where you see them: judge what waits for you."),
)

_MANAGERS = (
    N_("`/setup`: what I need to get going here, on one page. Begin with it."),
    N_("`/settings show` and its neighbours: where I speak, how sure I must be, how people vote."),
    N_("`/settings helpers`: who helps here."),
    N_("`/library follow`: what is solved in a forum is known here; `backfill` reads old posts."),
    N_("`/library import`, `export`, `remove` and `restore`: your server's threads as files."),
    N_("`/phrasings list`: what members' votes taught me; keep it or take it back."),
)

_MODERATORS = (N_("With *Manage Messages*, you can press *Not my question* for others."),)


class HelpCog(commands.Cog, name="Help"):
    """Explains the bot to the person who asks."""

    @app_commands.command(
        name="help", description=N_("Show what I can do for you"), extras=NOT_A_QUESTION
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def help(self, interaction: Interaction) -> None:
        """Show what the person can do here; nobody else sees it."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        guild_id = interaction.guild_id
        followed = guild_id and await interaction.client.app.following.channels(guild_id)
        own = _lines((*_MEMBERS, _IN_POSTS) if followed else _MEMBERS)
        embed = discord.Embed(title=_("What I can do"), description=own, colour=ANSWER)
        if await helps_here(interaction):
            embed.add_field(name=_("As a helper"), value=_lines(_HELPERS), inline=False)
        if manages(interaction):
            embed.add_field(name=_("With Manage Server"), value=_lines(_MANAGERS), inline=False)
        elif is_moderator(interaction):
            embed.add_field(name=_("As a moderator"), value=_lines(_MODERATORS), inline=False)
        await edit_response(interaction, embed=embed)


def _lines(messages: tuple[str, ...]) -> str:
    return "\n".join(f"- {_(message)}" for message in messages)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(HelpCog())
