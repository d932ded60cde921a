"""/forget-me: what is kept about a member is deleted, and what they wrote is as they want it."""

from __future__ import annotations

import logging
from functools import partial

from bot.client import Interaction, ThreadBot
from bot.curation import AuthorChoice
from bot.replies import acknowledge, edit_response
from bot.retry import FAILURES, described, retried
from bot.ui import card_updates
from bot.ui.cards import Card
from bot.ui.confirmations import (
    ChooseAuthor,
    ConfirmForget,
    chosen_line,
    forget_card,
    forgotten_line,
)
from cogs.confirming import begin_confirmed
from cogs.voting.vote_queue import VoteQueue

log = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0
"""How long /forget-me waits for votes that are being written."""


class Forgetting:
    """Asks what a member wants, and does it."""

    def __init__(self, bot: ThreadBot, queue: VoteQueue):
        self.bot, self.app, self._queue = bot, bot.app, queue

    async def ask(self, interaction: Interaction) -> None:
        """Ask what is to be deleted, and what is to be done with what the member wrote."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        user_id = interaction.user.id
        choice = await self.app.authors.choice(user_id)
        written = await self.app.authors.count(user_id)
        card = forget_card(user_id, choice, written)
        await edit_response(interaction, **card.send_kwargs())

    async def forget(self, item: ConfirmForget, interaction: Interaction) -> None:
        """Delete all that is kept about the person who confirmed it."""
        if not await begin_confirmed(item, interaction):
            return
        # What they did before is to be forgotten as well.
        await self._queue.forget(interaction.user.id, FLUSH_SECONDS)
        count = await self.app.voting.forget_user(interaction.user.id)
        forgotten = await self.app.learning.forget_user(interaction.user.id)
        await self.app.unanswered.forget_user(interaction.user.id)
        await self.app.authors.forget_user(interaction.user.id)
        self.bot.languages.forget(interaction.user.id)
        said = forgotten_line(count, forgotten)
        await edit_response(interaction, **Card(content=said).edit_kwargs())

    async def choose(self, item: ChooseAuthor, interaction: Interaction) -> None:
        """Do what a member wants with what they wrote, and keep it for what comes."""
        if not await begin_confirmed(item, interaction):
            return
        cards = await self.app.authors.cards(interaction.user.id)
        changed = await self.app.authors.choose(interaction.user.id, item.choice)
        if item.choice is AuthorChoice.LEAVE_OUT:
            self.bot.spawn(self._take_down(cards), "take cards down")
        elif changed:
            self.bot.redraw_cards([message_id for _, message_id in cards])
        said = chosen_line(item.choice, changed)
        await edit_response(interaction, **Card(content=said).edit_kwargs())

    async def _take_down(self, cards: list[tuple[int, int]]) -> None:
        """Take what a member wrote out of the messages that show it, one after the other."""
        for channel_id, message_id in cards:
            message = self.bot.get_partial_messageable(channel_id).get_partial_message(message_id)
            try:
                shown = await retried(message.fetch, "looking at a card")
                embed = card_updates.gone(shown.embeds[0]) if shown.embeds else None
                content = shown.content if embed else card_updates.gone_text()
                edit = partial(message.edit, content=content, embed=embed, view=None)
                await retried(edit, "taking a card down")
            except FAILURES as error:
                log.info("message %d stays as it is: %s", message_id, described(error))
