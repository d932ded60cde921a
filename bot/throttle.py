"""The throttle: questions over the limits are not taken, which is said once and privately."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import app_commands

from bot.plurals import counted
from bot.replies import acknowledge, tell
from bot.services.rate_limit import KEYSTROKE, PRESS, QUESTION, LimitOwner, QuestionLimits, Refusal
from bot.ui.items import Pressable

NOT_A_QUESTION = {"is_question": False}
"""The ``extras`` of a command that looks nothing up, and so counts towards no limit."""

log = logging.getLogger(__name__)


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

    def refusal_of(self, message: discord.Message) -> Refusal | None:
        """Return why a question in a message is not taken; ``None`` if it is."""
        author, guild = message.author, message.guild
        manages = isinstance(author, discord.Member) and author.guild_permissions.manage_guild
        return self._limits.take(author.id, guild.id if guild else None, manages=manages)

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
    when = "in a second" if seconds == 1 else f"in {counted(seconds, 'seconds')}"
    if refusal.owner is LimitOwner.SERVER:
        return f"Your server is asking me a lot just now. Please try again {when}."
    return f"That was a lot at once. Please try again {when}."


def _is_for_managers(
    command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
) -> bool:
    root = command if isinstance(command, app_commands.ContextMenu) else command.root_parent
    needed = (root or command).default_permissions
    return needed is not None and needed.manage_guild
