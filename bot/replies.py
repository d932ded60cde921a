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
from discord import app_commands

from bot import retry
from bot.i18n import gettext as _
from bot.i18n import ngettext
from bot.retry import FAILURES, described, is_transient, retried
from bot.services.rate_limit import KEYSTROKE, PRESS, QUESTION, LimitOwner, QuestionLimits, Refusal
from bot.ui import limits
from bot.ui.items import Pressable

log = logging.getLogger(__name__)

AnyInteraction = discord.Interaction[Any]
Parts = dict[str, Any]


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


NOT_A_QUESTION = {"is_question": False}
"""The ``extras`` of a command that looks nothing up, and so counts towards no limit."""


class Throttle:
    """Holds members and servers to their limits, whichever way they ask."""

    def __init__(self, limits: QuestionLimits):
        self._limits = limits

    async def admits_command(self, interaction: discord.Interaction[Any]) -> bool:
        """Return whether a command, or the completion of one, is taken; tell the person if not.

        Every command counts as a question, but for those marked with ``NOT_A_QUESTION`` and
        those that only managers may use.
        """
        command = interaction.command
        if command is None or command.extras == NOT_A_QUESTION or _is_for_managers(command):
            return True
        typing = interaction.type is discord.InteractionType.autocomplete
        refusal = self._refusal(interaction, KEYSTROKE if typing else QUESTION)
        if refusal is None:
            return True
        if typing:
            await interaction.response.autocomplete([])
        else:  # Discord wants a reply to each
            await tell(interaction, explained(refusal))
        return False

    async def admits_press(self, item: Pressable, interaction: discord.Interaction[Any]) -> bool:
        """Return whether a press of a button or menu is taken; tell the person if not."""
        if not item.counts:
            return True
        refusal = self._refusal(interaction, PRESS)
        if refusal is None:
            return True
        if item.saves or self._limits.may_say(interaction.user.id):
            await tell(interaction, explained(refusal))
        else:
            await acknowledge(interaction)
        return False

    def refusal_of(self, message: discord.Message, cost: float = QUESTION) -> Refusal | None:
        """Return why a question in a message is not taken; ``None`` if it is."""
        author, guild = message.author, message.guild
        manages = isinstance(author, discord.Member) and author.guild_permissions.manage_guild
        return self._limits.take(author.id, guild.id if guild else None, cost, manages=manages)

    def may_say(self, channel_id: int) -> bool:
        """Return whether a channel may be told that a question is not taken: once a minute."""
        return self._limits.may_say(channel_id)

    def _refusal(self, interaction: discord.Interaction[Any], cost: float) -> Refusal | None:
        manages = interaction.guild_id is not None and interaction.permissions.manage_guild
        user_id = interaction.user.id
        return self._limits.take(user_id, interaction.guild_id, cost, manages=manages)


def explained(refusal: Refusal) -> str:
    """Return what the person who asked is told of a refusal."""
    seconds = max(1, round(refusal.wait + 0.5))
    when = ngettext("in a second", "in {count} seconds", seconds).format(count=seconds)
    if refusal.owner is LimitOwner.SERVER:
        said = _("Your server is asking me a lot just now. Please try again {when}.")
    else:
        said = _("That was a lot at once. Please try again {when}.")
    return said.format(when=when)


def _is_for_managers(
    command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
) -> bool:
    root = command if isinstance(command, app_commands.ContextMenu) else command.root_parent
    needed = (root or command).default_permissions
    return needed is not None and needed.manage_guild
