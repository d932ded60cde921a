"""Replies to people about errors, and their lines in the log."""

from __future__ import annotations

import logging
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.errors import SearchError, StoreError, ThreadwiseError
from bot.i18n import gettext as _
from bot.incidents import log_incident, sorry
from bot.replies import tell
from bot.retry import FAILURES, described
from bot.ui import limits

log = logging.getLogger(__name__)


async def report_error(interaction: discord.Interaction[Any], error: Exception, where: str) -> None:
    """Answer an interaction that failed, with words a person understands."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, discord.NotFound) and error.code in limits.TOO_LATE:
        log.warning("%s: Discord had given up waiting for the reply", where)
        return
    if isinstance(error, _FROM_DISCORD):
        log.warning("%s: %s", where, described(error))
    said = _for_people(error)
    if said is None:
        log_incident(log, error, where)
        interaction.client.app.observer.incident()
        said = sorry(error)
    try:
        await tell(interaction, said)
    except FAILURES as failed:
        log.warning("%s: the error could not be told: %s", where, described(failed))


def _for_people(error: Exception) -> str | None:
    """Return what the person is told of an error; ``None`` if it is for the host."""
    if isinstance(error, ThreadwiseError) and not isinstance(error, StoreError | SearchError):
        return _(str(error))  # in case it was made in another task
    if isinstance(error, app_commands.MissingPermissions):
        return _("You need the *Manage Server* permission for this.")
    if isinstance(error, app_commands.NoPrivateMessage):
        return _("This works only in a server.")
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return _("This command has changed. Please reload Discord (Ctrl+R) and try again.")
    if isinstance(error, discord.Forbidden):
        return _("I'm not allowed to do that here. A moderator can give me the permission.")
    if isinstance(error, _FROM_DISCORD):
        return _("Discord did not take my reply just now. Please try again in a moment.")
    return None


_FROM_DISCORD = (discord.HTTPException, aiohttp.ClientError, ConnectionError, TimeoutError)
"""What requests to Discord raise; other errors of the system are for the host."""
