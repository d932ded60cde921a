"""The reply to a question that the bot has nothing on: whom else to ask."""

from __future__ import annotations

import time

from bot.client import ThreadBot
from bot.guild_settings import role_mentions
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.ui import cards
from bot.ui.cards import Card
from cogs.ask.question import Question
from cogs.helper_roles import present_roles

NOTHING_YET = N_(
    "I have nothing on that yet. Try other words, or look through the threads with `/thread`."
)

PING_SECONDS = 300.0
"""Seconds for which the helpers of a server are named without a notification after one."""


class NothingKnown:
    """Names the helpers of a server, and notifies them where moderators want it."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self._pinged_at: dict[int, float] = {}

    async def card(self, question: Question) -> Card:
        """Return the reply to a question that the bot was asked and has nothing on."""
        scope = question.context.scope
        settings = await self.bot.app.guilds.settings(scope)
        roles = present_roles(settings, self.bot.get_guild(scope))
        said = _(NOTHING_YET)
        if roles:
            also = _("You can also ask {helpers}.")
            said += "\n" + also.format(helpers=role_mentions(roles))
        pings = roles if roles and settings.ping_helpers and self._may_ping(question) else []
        return Card(content=cards.noted(question.note, said), pings=tuple(pings))

    def _may_ping(self, question: Question) -> bool:
        """Return whether the helpers are notified now: of a message, and not again and again."""
        now, scope = time.monotonic(), question.context.scope
        often = now - self._pinged_at.get(scope, -PING_SECONDS) < PING_SECONDS
        if often or question.another is None:  # a reply to a command notifies nobody
            return False
        self._pinged_at[scope] = now
        return True
