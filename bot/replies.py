"""Replies to interactions, each of which comes once, though the network may fail.

They have no nonce. A first reply that is sent twice is refused with 40060, which says
that it has arrived before; editing the reply twice gives the same message.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import discord
from discord import InteractionResponseType as Kind

from bot import retry
from bot.retry import FAILURES, described, is_transient, retried
from bot.ui import limits

AnyInteraction = discord.Interaction[Any]
Parts = dict[str, Any]

log = logging.getLogger(__name__)


async def acknowledge(
    interaction: AnyInteraction, *, ephemeral: bool = False, thinking: bool = False
) -> None:
    """Tell Discord that the reply comes later, as ``interaction.response.defer`` does."""
    command = interaction.type is discord.InteractionType.application_command
    kind = Kind.deferred_channel_message if command or thinking else Kind.deferred_message_update
    response = interaction.response
    await _respond(
        interaction, kind, lambda: response.defer(ephemeral=ephemeral, thinking=thinking)
    )


async def tell(interaction: AnyInteraction, said: str) -> None:
    """Tell the person something privately, in the first reply or after it.

    After the first reply a line may come twice if Discord's answer is lost: better than
    nothing under a button that was pressed.
    """
    response = interaction.response
    if response.is_done():
        await retried(lambda: interaction.followup.send(said, ephemeral=True), "a private reply")
        return
    await _respond(
        interaction, Kind.channel_message, lambda: response.send_message(said, ephemeral=True)
    )


async def edit_pressed(interaction: AnyInteraction, **parts: Any) -> None:
    """Reply to a press by editing the message that the button is under."""
    response = interaction.response
    await _respond(interaction, Kind.message_update, lambda: response.edit_message(**parts))


async def edit_response(
    interaction: AnyInteraction, make: Callable[[], Parts] | None = None, **parts: Any
) -> discord.InteractionMessage:
    """Show something in the reply that was acknowledged, and return the message.

    ``make`` returns the parts for each try, if they can be used but once, as files are.
    """

    async def edit() -> discord.InteractionMessage:
        return await interaction.edit_original_response(**(make() if make else parts))

    try:
        return await retried(edit, "a reply")
    except FAILURES as error:
        if not is_transient(error):
            raise
        shown = await _shown(interaction, make() if make else parts)
        if shown is None:
            raise
        log.info("a reply was shown, though Discord never said so (%s)", described(error))
        return shown


async def delete_response(interaction: AnyInteraction) -> None:
    """Delete the message that the reply is in, if it is there.

    That it is gone already tells nothing: it may have been deleted by a request whose
    answer was lost, and aiohttp repeats those by itself.
    """
    with suppress(discord.NotFound):
        await retried(interaction.delete_original_response, "deleting a reply")


async def _respond(
    interaction: AnyInteraction, kind: Kind, request: Callable[[], Awaitable[Any]]
) -> None:
    """Send the first reply; one that Discord has already is as good."""
    try:
        await retried(request, "a first reply", retry.QUICK)
    except discord.InteractionResponded:
        pass  # the reply came, and what it says could not be read
    except discord.HTTPException as error:
        if error.code != limits.ALREADY_ACKNOWLEDGED:
            raise
        # What comes next depends on it, and discord.py notes it on success alone.
        interaction.response._response_type = kind


async def _shown(interaction: AnyInteraction, parts: Parts) -> discord.InteractionMessage | None:
    """Return the reply, if it shows these parts already; ``None`` if not, or if unknown."""
    try:
        message = await retried(interaction.original_response, "looking at a reply", retry.QUICK)
    except (*FAILURES, discord.ClientException):
        return None
    view = parts.get("view")
    wanted = {getattr(item, "custom_id", None) for item in view.children} if view else set()
    shown = {
        getattr(each, "custom_id", None)
        for row in message.components
        for each in getattr(row, "children", [])
    }
    same = (message.content or "").strip() == (parts.get("content") or "").strip()
    return message if same and wanted == shown and not message.flags.loading else None
