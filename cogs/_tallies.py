"""The tally on a card that was voted on, drawn anew."""

from __future__ import annotations

import contextlib

import discord
from discord.ext import tasks

from bot.client import ThreadBot
from bot.errors import ThreadwiseError
from bot.ui import cards

PAUSE = 5.0
"""Seconds between two edits of one message, however many vote meanwhile."""


class Tallies:
    """Edits cards so that they show what was voted: at once, then in rounds with pauses.

    A card that can't be read or edited, or is plain text, keeps its tally; the next
    card shows the new one.
    """

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.house = bot.house
        self._due: set[int] = set()

    def changed(self, message_id: int) -> None:
        """The votes on a message have changed, or may have."""
        self._due.add(message_id)
        if not self._rounds.is_running():
            self._rounds.start()

    def stop(self) -> None:
        """Draw nothing more."""
        self._rounds.cancel()

    # discord.py's own loop, because its pauses are known to the simulated Discord's clock.
    @tasks.loop(seconds=PAUSE)
    async def _rounds(self) -> None:
        if not self._due:
            self._rounds.stop()
            return
        due, self._due = self._due, set()
        for message_id in due:
            with contextlib.suppress(discord.HTTPException, ThreadwiseError):
                await self._draw(message_id)

    async def _draw(self, message_id: int) -> None:
        posting = await self.house.postings.get(message_id)
        if posting is None:
            return
        tally = await self.house.voting.tally(posting.answer_id, posting.guild_id)
        channel = self.bot.get_partial_messageable(posting.channel_id)
        message = await channel.fetch_message(message_id)
        if tally is None or not message.embeds:
            return
        embed = cards.with_tally(message.embeds[0], tally)
        # Somebody may have taken the card back while Discord was asked for it.
        if embed is not None and await self.house.postings.get(message_id) == posting:
            await message.edit(embed=embed, allowed_mentions=discord.AllowedMentions.none())
