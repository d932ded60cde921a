"""The means of voting on a posted answer: the two reactions, else buttons on its card."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import discord

from bot.client import ThreadBot
from bot.models import VoteEmoji
from bot.retry import FAILURES, described, retried
from bot.ui import limits
from bot.ui.cards import Card
from bot.ui.emoji import to_react
from cogs.channel_context import ChannelContext, has_permissions

log = logging.getLogger(__name__)


class PostedAnswer(NamedTuple):
    """A posted answer: its message, the emoji that count on it, and what makes its card."""

    message: discord.Message
    emoji: VoteEmoji
    card: Callable[..., Card]
    has_buttons: bool


def may_react(bot: ThreadBot, context: ChannelContext) -> bool:
    """Return whether the bot may put reactions under its messages in a channel."""
    return has_permissions(bot, context, "add_reactions", "read_message_history")


async def add_reactions(posted: PostedAnswer, context: ChannelContext) -> None:
    """Put the voting reactions under an answer that has no vote buttons.

    If one fails, the other is tried; then what failed once more; then the card gets buttons.
    """
    missing = [] if posted.has_buttons else [posted.emoji.up, posted.emoji.down]
    try:
        for _try in range(2):
            tried, missing = missing, []
            for emoji in tried:
                if not await _react(posted.message, emoji, context):
                    missing.append(emoji)
        if missing:
            view = posted.card(votes=True).view
            await retried(partial(posted.message.edit, view=view), "vote buttons")
    except FAILURES as error:
        if not (isinstance(error, discord.NotFound) and error.code in limits.GONE_CODES):
            said = "channel %d: no vote buttons: %s"
            log.warning(said, context.channel_id, described(error))


async def _react(message: discord.Message, emoji: str, context: ChannelContext) -> bool:
    """Add a reaction; False if that failed. Raises NotFound if the message is gone."""
    try:
        await retried(partial(message.add_reaction, to_react(emoji)), "a reaction")
    except FAILURES as error:
        if isinstance(error, discord.NotFound) and error.code in limits.GONE_CODES:
            raise
        said = "channel %d: can't react with %s: %s"
        log.warning(said, context.channel_id, emoji, described(error))
        return False
    return True
