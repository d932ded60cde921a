"""The message that shows how far a backfill is, edited now and then until it ends."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import discord

from bot.client import ThreadBot
from bot.following import BackfillState, FollowedChannel
from bot.i18n import gettext as _
from bot.i18n import speaking
from bot.retry import FAILURES, described, retried
from bot.services.backfill import NOT_FOLLOWED
from bot.ui.backfill_cards import backfill_card

EVERY = 5.0
"""Seconds between two edits, at least."""

log = logging.getLogger(__name__)


class BackfillProgress:
    """Shows a channel's backfill in the message that its row names, which may be another later."""

    def __init__(self, bot: ThreadBot, guild: discord.Guild):
        self._bot, self._guild = bot, guild
        self._shown_at = 0.0
        self._edit: asyncio.Task[None] | None = None
        self._latest: FollowedChannel | None = None
        self._problem: str | None = None

    def show(self, channel: FollowedChannel, problem: str | None) -> None:
        """Show how far a backfill is, unless that was shown a moment ago."""
        self._latest, self._problem = channel, problem
        editing = self._edit is not None and not self._edit.done()
        if editing or time.monotonic() - self._shown_at < EVERY:
            return
        self._shown_at = time.monotonic()
        self._edit = asyncio.create_task(self._show(channel, problem))

    async def finish(self, channel: FollowedChannel | None) -> None:
        """Show how a backfill ended; ``None``: its channel is not followed any more."""
        if self._edit is not None:
            await self._edit
        if channel is not None:
            await self._show(channel, self._problem)
        elif self._latest is not None and self._latest.backfill is not None:
            stopped = replace(self._latest.backfill, state=BackfillState.STOPPED)
            said = _(NOT_FOLLOWED).format(channel=f"<#{self._latest.channel_id}>")
            await self._show(replace(self._latest, backfill=stopped), said)

    def cancel(self) -> None:
        """Leave an edit that is under way."""
        if self._edit is not None:
            self._edit.cancel()

    async def _show(self, channel: FollowedChannel, problem: str | None) -> None:
        backfill = channel.backfill
        if backfill is None or backfill.shown_in is None or backfill.shown_id is None:
            return
        place = self._bot.get_partial_messageable(backfill.shown_in, guild_id=self._guild.id)
        message = place.get_partial_message(backfill.shown_id)
        with speaking(await self._bot.languages.of_guild(self._guild)):
            card = backfill_card(channel, problem)
        try:
            await retried(lambda: message.edit(**card.edit_kwargs()), "how far a backfill is")
        except FAILURES as error:
            log.info("how far a backfill is can't be shown: %s", described(error))
