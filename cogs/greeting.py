"""The message that the bot writes once in a server that has invited it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.i18n import gettext as _
from bot.i18n import speaking
from bot.retry import FAILURES, described
from bot.ui import limits, text
from cogs.channel_context import missing_send_permission, permissions_in

RECENTLY = timedelta(days=7)
"""A server that the bot has been in for longer is greeted no more: people know it by then."""

log = logging.getLogger(__name__)


async def greet(bot: ThreadBot, guild: discord.Guild) -> None:
    """Say hello in a server that has invited the bot lately, unless that was done before.

    Where it can't write, or Discord fails, the next session tries again.
    """
    me = guild.get_member(bot.user.id) if bot.user is not None else None  # not in an outage
    joined_at = me.joined_at if me is not None else None
    if joined_at is None or datetime.now(UTC) - joined_at > RECENTLY:
        return
    channel = next(_writable(guild), None)
    if channel is None:
        return
    service, application_id = bot.app.guild_removal, bot.application_id or 0
    try:
        if not await service.claim_greeting(application_id, guild.id):
            return
        with speaking(await bot.languages.of_guild(guild)):
            words = _words(guild)
        try:
            await bot.post(channel, f"guild {guild.id}: the greeting", content=words)
        except FAILURES as error:
            log.warning("guild %d: not greeted: %s", guild.id, described(error))
            await service.drop_greeting(application_id, guild.id)
    except StoreError as error:
        log.warning("guild %d: whether it is greeted is not known: %s", guild.id, error)


def _words(guild: discord.Guild) -> str:
    said = _(
        "Hi, I'm {name}! I answer questions here from a collection of questions and answers. "
        "If you manage this server, `/setup` gets me started in two minutes."
    )
    return said.format(name=text.title(guild.me.display_name, limits.FACT))


def _writable(guild: discord.Guild) -> Iterator[discord.TextChannel]:
    """Yield the channels for a greeting: the one for system messages, then in their order."""
    channels = [channel for channel in guild.text_channels if not channel.is_news()]
    for channel in (guild.system_channel, *channels):
        if channel is None or channel == guild.rules_channel:
            continue
        if missing_send_permission(channel, permissions_in(channel, guild)) is None:
            yield channel
