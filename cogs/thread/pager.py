"""A page of the private pager, in the response to a command or a press."""

from __future__ import annotations

import logging
from functools import partial

import discord

from bot.client import ThreadBot
from bot.models import StoredThread
from bot.replies import edit_response
from bot.ui import card_content, cards, items, limits
from bot.ui.emoji import for_buttons
from cogs.channel_context import room_of

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
    app = interaction.client.app
    emoji = for_buttons(await app.guilds.settings(room.scope))
    related = []
    if place.answer_id == items.QUESTION and thread.related:
        related = await app.answering.related(thread, guild_id=room.scope, limit=limits.RELATED)
    await card_content.prepare_pages(thread, place, embeds=room.embeds)
    page = partial(cards.page_card, thread, place, embeds=room.embeds, note=note, related=related)
    try:
        await edit_response(interaction, **page(emoji=emoji).over())
    except discord.HTTPException as error:
        if emoji is None or error.status != 400:
            raise
        # One emoji that Discord doesn't know (any more) has the whole page refused.
        log.warning("guild %d: no buttons with %s and %s: %s", room.scope, *emoji, error)
        await edit_response(interaction, **page().over())
