"""Helpers and askers say what solved a post, and that something did not."""

from __future__ import annotations

import logging

import discord

from bot.client import Interaction, ThreadBot
from bot.errors import ConfigError, NotFound
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_response, tell
from bot.services.post_looks import Wish
from bot.ui.cards import Card
from bot.ui.following_cards import NotTheSolution, Reopen, marked_card
from cogs.discord_messages import message_of
from cogs.following.post_watch import GONE, PostWatch, WatchedPost

NOT_FOLLOWED = N_(
    "This works in the posts of channels that I follow. Who manages this server chooses them "
    "with `/library follow`."
)
NOT_YOURS = N_("Only who asked this, or a helper of this server, can say what solved it.")
QUESTION_ITSELF = N_("That is the question itself. Choose the message that solved it.")
NOTHING_THERE = N_("There is nothing in that message that I could keep.")
KEPT_OUT = N_("Who wrote that wants their messages kept out of the library, so it is not saved.")
TOO_FAR = N_("I look at the first 500 messages of a post, and that one comes later.")
REOPENED = N_("Reopened: it is out of the library until something solves it.")
NOT_SOLVED = N_("It is not in the library as solved.")
ANOTHER = N_("Thank you. Another message counts as the solution now.")

log = logging.getLogger(__name__)


class Marking:
    """Handles what is pressed to say what solved a post; who may, is checked each time."""

    def __init__(self, bot: ThreadBot, watch: PostWatch):
        self.bot, self._watch = bot, watch

    async def mark(self, interaction: Interaction, message: discord.Message) -> None:
        """Make a message the solution of the post that it stands in."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        place = await self._place(interaction)
        _check(message, self.bot)
        wish = Wish(user_id=interaction.user.id, marked=message.id)
        seen, notes = await self._watch.look(place, wish)
        if seen.now is None or seen.now.solution_id != message.id:
            why = KEPT_OUT if seen.left_out else TOO_FAR if seen.is_cut else GONE
            raise NotFound(_(why))
        card = marked_card(seen.now.title, notes, is_new=seen.is_changed)
        await edit_response(interaction, **card.send_kwargs())

    async def reject(self, item: NotTheSolution, interaction: Interaction) -> None:
        """Take the solution of a post back; what other marks say counts then."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        await self._take_back(interaction, Wish(user_id=interaction.user.id, rejects=True))

    async def reopen(self, item: Reopen, interaction: Interaction) -> None:
        """Take the solution of a post back, whatever other marks say."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        wish = Wish(user_id=interaction.user.id, rejects=True, reopens=True)
        await self._take_back(interaction, wish)

    async def _take_back(self, interaction: Interaction, wish: Wish) -> None:
        place = await self._place(interaction)
        known = await self._watch.posts.known(place.parent.guild.id, place.thread.id)
        if known is None or known.solution_id is None:
            await tell(interaction, _(NOT_SOLVED))
            return
        seen, notes = await self._watch.look(place, wish)
        said = _(ANOTHER) if seen.is_solved else _(REOPENED)
        await edit_response(interaction, **Card(content="\n".join([said, *notes])).send_kwargs())

    async def _place(self, interaction: Interaction) -> WatchedPost:
        """Return the post of an interaction, whose member may judge it. Raises ConfigError."""
        place = await self._watch.place(interaction.channel)
        if place is None:
            raise ConfigError(_(NOT_FOLLOWED))
        if not await self._watch.may_judge(place, interaction.user):
            raise ConfigError(_(NOT_YOURS))
        return place


def _check(message: discord.Message, bot: ThreadBot) -> None:
    """Raise ConfigError for a message that can't be a solution."""
    seen = message_of(message)
    is_mine = bot.user is not None and message.author.id == bot.user.id
    if message.id == message.channel.id:
        raise ConfigError(_(QUESTION_ITSELF))
    if is_mine or seen.is_system or seen.is_empty:
        raise ConfigError(_(NOTHING_THERE))
