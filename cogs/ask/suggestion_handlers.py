"""Handlers of the buttons and the menu under a reply: a thread, none of these, not my question."""

from __future__ import annotations

import logging
from collections import deque
from functools import partial

import discord

from bot.client import Interaction, ThreadBot
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.models import SHARED, Posting, StoredAnswer, StoredThread
from bot.replies import acknowledge, delete_response, edit_pressed, edit_response, tell
from bot.retry import FAILURES, described, retried
from bot.ui import cards, items, limits
from bot.ui.cards import Card
from bot.ui.emoji import to_react
from bot.ui.quiet_card import PickQuietly
from cogs.ask.posting_anew import post_anew
from cogs.ask.question import Question
from cogs.ask.responder import Responder
from cogs.channel_context import (
    ChannelContext,
    helps_here,
    interaction_context,
    is_moderator,
    joined_at,
)
from cogs.keyed_locks import KeyedLocks
from cogs.source_messages import looked_through
from cogs.thread import THREAD_GONE, open_page
from cogs.voting.posted_card import emoji_of

TAKEN_BACK = N_("Taken back. Ask again in other words, or look through the threads with `/thread`.")
ALREADY_BACK = N_(
    "Somebody has taken this back already, or its thread is not in the library any more."
)
NOT_YOURS = N_("Only the person who asked, or a moderator, can take this back.")
UNANSWERED = N_("Nobody has answered that one yet.")

Choosing = items.PickThread | items.ThisOne | PickQuietly
"""What names the thread that was meant."""

log = logging.getLogger(__name__)


class SuggestionHandlers:
    """Handles presses of the buttons and the menu under suggestions and answers."""

    def __init__(self, bot: ThreadBot, responder: Responder):
        self.bot = bot
        self.app = bot.app
        self._responder = responder
        self._locks = KeyedLocks()
        self._replaced: deque[int] = deque(maxlen=1000)  # deleted for a new message

    async def not_mine(self, item: items.NotMine, interaction: Interaction) -> None:
        """Take a card back and offer the next best threads instead."""
        message = interaction.message
        await acknowledge(interaction)
        if message is None:
            return
        async with self._locks.at(message.id):
            posting = await self.app.postings.get(message.id)
            if posting is None:
                await tell(interaction, _(ALREADY_BACK))
                return
            if interaction.user.id != posting.asker_id and not is_moderator(interaction):
                await tell(interaction, _(NOT_YOURS))
                return
            await self._take_back(posting, message, interaction)
        if not posting.is_private:
            await self._remove_reactions(message, interaction_context(interaction), posting)

    async def _take_back(
        self, posting: Posting, message: discord.Message, interaction: Interaction
    ) -> None:
        """Show the next best threads in the place of an answer; if that fails, it stays.

        Votes that come meanwhile wait for which of the two it is.
        """
        with self.app.postings.posting_in(posting.channel_id):
            await self.app.postings.forget([message.id])
            await self.app.learning.refused(posting)
            log.info("answer %d is taken back, message %d", posting.answer_id, message.id)
            options = await self._options(posting.alternatives, posting.guild_id)
            note = cards.note_of(message.content)
            with speaking(await self.bot.languages.of_pressed(interaction)):
                card = Card(content=cards.noted(note, _(TAKEN_BACK)))
                if options:
                    note = cards.noted(note, _("Taken back."))
                    card = cards.suggestion_card(
                        options, posting.asker_id, replaces_answer=True, note=note
                    )
            try:
                await edit_response(interaction, **card.edit_kwargs())
            except FAILURES as error:
                if not isinstance(error, discord.NotFound):
                    await self.app.postings.record(posting)  # it is still shown
                raise

    async def pick(self, item: Choosing, interaction: Interaction) -> None:
        """Show the thread that was chosen: to all for the asker, to others privately."""
        message = interaction.message
        if message is None or item.chosen is None:
            await acknowledge(interaction)
            return
        if interaction.user.id != item.asker_id:
            await acknowledge(interaction, ephemeral=True, thinking=True)
            await open_page(interaction, item.chosen, _first_answer)
            return
        await acknowledge(interaction)
        async with self._locks.at(message.id):
            shown = message.id in self._replaced or await self.app.postings.get(message.id)
            if shown:
                return  # pressed twice: the first press has shown it
            await self._show_chosen(item, message, interaction)

    async def pick_quietly(self, item: PickQuietly, interaction: Interaction) -> None:
        """Show the thread that was chosen from quiet suggestions, which stay then."""
        if interaction.message is not None and interaction.user.id == item.asker_id:
            await self._responder.quiet.forget(interaction.message.id)
            item.among(interaction.message)
        await self.pick(item, interaction)

    async def none_of_these(self, item: items.NoneOfThese, interaction: Interaction) -> None:
        """Take suggestions back."""
        if interaction.user.id != item.asker_id and not is_moderator(interaction):
            await tell(interaction, _(NOT_YOURS))
            return
        note = ""
        if interaction.message is not None:
            note = cards.note_of(interaction.message.content)
            self.app.learning.drop([interaction.message.id])
        with speaking(await self.bot.languages.of_pressed(interaction)):
            card = Card(content=cards.noted(note, _(TAKEN_BACK)))
        await edit_pressed(interaction, **card.edit_kwargs())

    async def _options(self, thread_ids: tuple[int, ...], scope: int) -> list[items.ThreadOption]:
        options = []
        for thread_id in thread_ids[: limits.SUGGESTIONS]:
            thread = await self.app.answering.serve(thread_id, guild_id=scope)
            if thread is not None:
                options.append(items.ThreadOption(thread.id, thread.title))
        return options

    async def _show_chosen(
        self,
        item: Choosing,
        message: discord.Message,
        interaction: Interaction,
    ) -> None:
        context = interaction_context(interaction)
        thread = await self.app.answering.serve(item.chosen or 0, guild_id=context.scope)
        if thread is not None:
            thread = await looked_through(self.bot, thread, context.scope, _best)
        if thread is None or not thread.answers:
            said = _(THREAD_GONE) if thread is None else _(UNANSWERED)
            await tell(interaction, said)
            return

        private = message.flags.ephemeral
        # The line of quiet suggestions is small as well, and goes with them.
        note = "" if isinstance(item, PickQuietly) else cards.note_of(message.content)

        async def send(card: Card) -> discord.Message | None:
            if private or not item.replaces_answer:
                return await edit_response(interaction, **card.edit_kwargs())
            # Reactions on this message may be meant for the answer it showed before.
            self._replaced.append(message.id)
            await delete_response(interaction)
            return await post_anew(message, interaction, card)

        question = Question(
            text=self.app.learning.question(message.id),
            context=context,
            asker_id=item.asker_id,
            addressed=True,
            suggests=True,
            send=send,
            note=note,
            joined_at=joined_at(interaction.user),
            private=private,
        )
        with speaking(await self.bot.languages.of_pressed(interaction)):
            shown = await self._responder.post(thread, thread.answers[0], question, item.others)
        if shown is not None:
            await self.app.learning.chose(shown.id, helps=await helps_here(interaction))

    async def _remove_reactions(
        self, message: discord.Message, context: ChannelContext, posting: Posting
    ) -> None:
        """Remove a card's reactions; without the permission to, only the bot's own."""
        try:
            if context.may.manage_messages and context.scope != SHARED:
                await retried(message.clear_reactions, "reactions")
            elif self.bot.user is not None:
                used = await emoji_of(self.bot, posting, message)
                for emoji in (used.up, used.down):
                    remove = partial(message.remove_reaction, to_react(emoji), self.bot.user)
                    await retried(remove, "reactions")
        except FAILURES as error:
            log.info("message %d: its reactions stay: %s", message.id, described(error))


def _best(thread: StoredThread) -> StoredAnswer | None:
    return next(iter(thread.answers), None)


def _first_answer(thread: StoredThread) -> items.Place:
    first = thread.answers[0].id if thread.answers else items.QUESTION
    return items.Place(thread.id, first, with_question=True)
