"""The check that a member may curate, and the threads that commands name."""

from __future__ import annotations

from discord import app_commands

from bot.client import Interaction
from bot.errors import NotAccepted, NotFound
from bot.guild_settings import role_mentions
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import SHARED
from cogs.channel_context import helps_here, scope_of
from cogs.helper_roles import present_roles

ASK_HELPERS = N_(
    "Only helpers of this server can do that. Ask {roles}, or whoever manages this server."
)
ASK_MANAGERS = N_("Only helpers of this server can do that. Ask whoever manages this server.")
CHOOSE = N_("Choose a thread from the list that comes up while you type.")


async def only_helpers(interaction: Interaction) -> bool:
    """Check that the member is a helper here. Raises what the person is told by."""
    if scope_of(interaction) == SHARED:
        raise app_commands.NoPrivateMessage
    if not await helps_here(interaction):
        raise NotAccepted(await _whom_to_ask(interaction))
    return True


async def _whom_to_ask(interaction: Interaction) -> str:
    """Return what a member is told who is no helper: who could do it."""
    settings = await interaction.client.app.guilds.settings(scope_of(interaction))
    roles = role_mentions(present_roles(settings, interaction.guild))
    return _(ASK_HELPERS).format(roles=roles) if roles else _(ASK_MANAGERS)


async def thread_named(interaction: Interaction, typed: str) -> int:
    """Return the id of the thread that a helper chose, or named. Raises NotFound."""
    typed = typed.strip()
    number = typed.removeprefix("#")
    if typed.startswith("#") and number.isascii() and number.isdecimal() and len(number) <= 18:
        return int(number)
    scope = scope_of(interaction)
    thread = await interaction.client.app.answering.find(typed, guild_id=scope)
    if thread is None:
        raise NotFound(_(CHOOSE))
    return thread.id
