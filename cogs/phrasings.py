"""/phrasings: the phrasings learned in a server, for people with Manage Server."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import NotFound
from bot.replies import edit_response
from bot.ui import limits, moderator_cards, text
from bot.ui.cards import Card
from cogs.channel_context import (
    Choices,
    begin_privately,
    choice,
    completes_for_managers,
    only_managers,
)

NO_PHRASINGS = (
    "I have learned nothing yet. When somebody votes for the answer to their question, or "
    "chooses what they meant, I remember their words."
)
NOTHING_OF_IT = "I have learned no phrasing of that thread."
CHOOSE = "Choose one from the list that comes up while you type, or give me its number."


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class PhrasingsCog(commands.GroupCog, name="Phrasings", group_name="phrasings"):
    """Lets moderators see and remove how members' questions became phrasings of threads."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.learning = bot.app.learning

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Admit people with Manage Server only. Autocomplete checks this itself."""
        return only_managers(interaction)

    @app_commands.command(name="list", description="Show which phrasings I have learned here")
    @app_commands.describe(thread="Only those of this thread")
    async def show(self, interaction: Interaction, thread: str | None = None) -> None:
        """Show what was learned, newest first."""
        guild = await begin_privately(interaction)
        learned = await self.learning.phrasings(guild.id)
        card = moderator_cards.phrasings_card(learned) if learned else Card(content=NO_PHRASINGS)
        if learned and thread is not None:
            mine = [p for p in learned if thread in (f"#{p.thread_id}", p.key, p.title)]
            card = Card(content=NOTHING_OF_IT)
            if mine:
                card = moderator_cards.phrasings_card(mine, mine[0].title)
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(name="remove", description="Forget a phrasing that I have learned")
    @app_commands.describe(phrasing="Words of it, or its number")
    async def remove(self, interaction: Interaction, phrasing: str) -> None:
        """Forget a phrasing."""
        guild = await begin_privately(interaction)
        number = phrasing.strip()
        if not (number.isascii() and number.isdecimal() and len(number) <= _DIGITS):
            raise NotFound(CHOOSE)
        gone = await self.learning.remove(guild.id, int(number))
        said = f"Forgotten: {text.title(gone, limits.PHRASING)}"
        await edit_response(interaction, content=said)

    @show.autocomplete("thread")
    @completes_for_managers
    async def threads(self, interaction: Interaction, current: str) -> Choices:
        """Complete the titles of threads of which something was learned."""
        learned = await self.learning.find(interaction.guild_id or 0, "")
        typed = current.casefold().strip()
        titles = {p.thread_id: p.title for p in learned if typed in p.title.casefold()}
        return [choice(title, f"#{n}") for n, title in titles.items()][: limits.CHOICES]

    @remove.autocomplete("phrasing")
    @completes_for_managers
    async def texts(self, interaction: Interaction, current: str) -> Choices:
        """Complete phrasings that fit what is being typed."""
        learned = await self.learning.find(interaction.guild_id or 0, current)
        return [choice(p.text, str(p.id)) for p in learned[: limits.CHOICES]]


_DIGITS = 18
"""Of a phrasing's number; the database takes no more."""


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(PhrasingsCog(bot))
