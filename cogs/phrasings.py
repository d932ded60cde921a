"""/phrasings: the phrasings learned in a server, for people with Manage Server, and helpers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import NotFound
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_response
from bot.ui import limits, moderator_cards, text
from bot.ui.cards import Card, noted
from bot.ui.moderator_cards import JudgePhrasing
from cogs.channel_context import (
    Choices,
    begin_privately,
    choice,
    completes_for,
    helps_here,
    only_judges_of_phrasings,
)

NO_PHRASINGS = N_(
    "I have learned nothing yet. When somebody votes for the answer to their question, or "
    "chooses what they meant, I remember their words."
)
NOTHING_OF_IT = N_("I have learned no phrasing of that thread.")
CHOOSE = N_("Choose one from the list that comes up while you type, or give me its number.")

KEPT = N_("Kept: {phrasing}")
FORGOTTEN = N_("Forgotten: {phrasing}")
TAKEN_BACK = N_("Taken back: {phrasing}")


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class PhrasingsCog(commands.GroupCog, name="Phrasings", group_name="phrasings"):
    """Lets moderators see and remove how members' questions became phrasings of threads."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.learning = bot.app.learning

    async def cog_load(self) -> None:
        """Register the buttons under the list."""
        self.bot.on_press(JudgePhrasing, self.judge)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Admit managers and helpers. Autocomplete and buttons check this themselves."""
        return await only_judges_of_phrasings(interaction)

    @app_commands.command(name="list", description=N_("Show which phrasings I have learned here"))
    @app_commands.describe(thread=N_("Only those of this thread"))
    async def show(self, interaction: Interaction, thread: str | None = None) -> None:
        """Show what was learned: first what no helper has kept, that taught last first."""
        guild = await begin_privately(interaction)
        card = await self._card(guild.id, thread)
        await edit_response(interaction, **card.send_kwargs())

    async def _card(self, guild_id: int, thread: str | None) -> Card:
        learned = await self.learning.phrasings(guild_id)
        only_kept = (await self.bot.app.guilds.settings(guild_id)).confirm_phrasings
        if not learned:
            return Card(content=_(NO_PHRASINGS))
        if thread is None:
            return moderator_cards.phrasings_card(learned, only_kept=only_kept)
        mine = [p for p in learned if thread in (f"#{p.thread_id}", p.key, p.title)]
        if not mine:
            return Card(content=_(NOTHING_OF_IT))
        return moderator_cards.phrasings_card(mine, mine[0].title, only_kept=only_kept)

    @app_commands.command(name="keep", description=N_("Let a phrasing count for the whole server"))
    @app_commands.describe(phrasing=N_("Words of it, or its number"))
    async def keep(self, interaction: Interaction, phrasing: str) -> None:
        """Keep a phrasing."""
        guild = await begin_privately(interaction)
        kept = await self.learning.keep(guild.id, _number(phrasing))
        await edit_response(interaction, content=_said(KEPT, kept))

    @app_commands.command(name="remove", description=N_("Forget a phrasing that I have learned"))
    @app_commands.describe(phrasing=N_("Words of it, or its number"))
    async def remove(self, interaction: Interaction, phrasing: str) -> None:
        """Forget a phrasing."""
        guild = await begin_privately(interaction)
        gone = await self.learning.remove(guild.id, _number(phrasing))
        await edit_response(interaction, content=_said(FORGOTTEN, gone))

    async def judge(self, item: JudgePhrasing, interaction: Interaction) -> None:
        """Keep a phrasing or take it back, and show what is left to judge."""
        await only_judges_of_phrasings(interaction)
        await acknowledge(interaction)
        guild_id = interaction.guild_id or 0
        if item.keeps:
            said = _said(KEPT, await self.learning.keep(guild_id, item.phrasing_id))
        else:
            said = _said(TAKEN_BACK, await self.learning.remove(guild_id, item.phrasing_id))
        card = await self._card(guild_id, f"#{item.thread_id}" if item.thread_id else None)
        said = noted(said, card.content or "").rstrip()
        await edit_response(interaction, **replace(card, content=said).edit_kwargs())

    @show.autocomplete("thread")
    @completes_for(helps_here)
    async def threads(self, interaction: Interaction, current: str) -> Choices:
        """Complete the titles of threads of which something was learned."""
        learned = await self.learning.find(interaction.guild_id or 0, "")
        typed = current.casefold().strip()
        titles = {p.thread_id: p.title for p in learned if typed in p.title.casefold()}
        return [choice(title, f"#{n}") for n, title in titles.items()][: limits.CHOICES]

    @keep.autocomplete("phrasing")
    @remove.autocomplete("phrasing")
    @completes_for(helps_here)
    async def texts(self, interaction: Interaction, current: str) -> Choices:
        """Complete phrasings that fit what is being typed."""
        learned = await self.learning.find(interaction.guild_id or 0, current)
        return [choice(p.text, str(p.id)) for p in learned[: limits.CHOICES]]


_DIGITS = 18
"""Of a phrasing's number; the database takes no more."""


def _number(typed: str) -> int:
    """Return the number of a phrasing that was typed or chosen. Raises NotFound."""
    number = typed.strip()
    if not (number.isascii() and number.isdecimal() and len(number) <= _DIGITS):
        raise NotFound(_(CHOOSE))
    return int(number)


def _said(what: str, phrasing: str) -> str:
    return _(what).format(phrasing=text.title(phrasing, limits.PHRASING))


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(PhrasingsCog(bot))
