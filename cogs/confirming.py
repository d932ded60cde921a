"""Actions that a press confirms, refused to anybody but the member who asked for them."""

from __future__ import annotations

from bot.client import Interaction
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_pressed, tell
from bot.ui.cards import Card
from bot.ui.confirmations import ChooseAuthor, ConfirmForget, ConfirmReset, LeaveIt

NOT_YOURS = N_("Only the person who asked for this can decide it.")
LEFT = N_("All stays as it is.")

Confirmation = ChooseAuthor | ConfirmForget | ConfirmReset | LeaveIt


async def is_asker(item: Confirmation, interaction: Interaction) -> bool:
    """Return whether the question was put to whoever pressed; tell others that it was not.

    It is put privately. A press under what all see is made up, and would take its place.
    """
    message = interaction.message
    private = message is not None and message.flags.ephemeral
    if private and interaction.user.id == item.user_id:
        return True
    await tell(interaction, _(NOT_YOURS))
    return False


async def begin_confirmed(item: Confirmation, interaction: Interaction) -> bool:
    """Acknowledge a press that confirms something; False if it was not theirs to confirm."""
    if not await is_asker(item, interaction):
        return False
    await acknowledge(interaction)
    return True


async def leave_it(item: LeaveIt, interaction: Interaction) -> None:
    """Say that nothing was changed."""
    if await is_asker(item, interaction):
        await edit_pressed(interaction, **Card(content=_(LEFT)).edit_kwargs())
