"""A page of the private pager, in the response to a command or a press."""

from __future__ import annotations

import logging

import discord

from bot.client import ThreadBot
from bot.models import StoredThread
from bot.ui import cards, items
from bot.ui.emoji import for_buttons
from cogs._rooms import room_of

log = logging.getLogger(__name__)


async def show_page(
    interaction: discord.Interaction[ThreadBot],
    thread: StoredThread,
    place: items.Place,
    *,
    note: str = "",
) -> None:
    """Show a place of a thread in the response that was deferred."""
    room = room_of(interaction)
    settings = await interaction.client.house.guilds.settings(room.scope)
    emoji = for_buttons(settings)
    card = cards.page_card(thread, place, embeds=room.embeds, note=note, emoji=emoji)
    try:
        await interaction.edit_original_response(**card.over())
    except discord.HTTPException as error:
        if emoji is None or error.status != 400:
            raise
        # One emoji that Discord doesn't know (any more) has the whole page refused.
        log.warning("guild %d: no buttons with %s and %s: %s", room.scope, *emoji, error)
        card = cards.page_card(thread, place, embeds=room.embeds, note=note)
        await interaction.edit_original_response(**card.over())
