"""Questions: messages by the channel's mode, mentions, direct messages, /ask, the menu."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import StoreError, ThreadwiseError
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.incidents import log_incident, sorry
from bot.replies import acknowledge, delete_response, edit_response, explained, tell
from bot.retry import FAILURES
from bot.services.question_parts import MOST_PARTS, worth_asking
from bot.services.queues import Busy
from bot.services.rate_limit import PRESS, QUESTION
from bot.ui import cards, items, limits, text
from bot.ui.answer_buttons import Share, is_card_vote
from bot.ui.cards import Card
from bot.ui.quiet_card import PickQuietly
from cogs.ask.message_filter import MessageFilter
from cogs.ask.question import Question
from cogs.ask.question_changes import QuestionChanges
from cogs.ask.recent_messages import RecentMessages
from cogs.ask.responder import Responder
from cogs.ask.sharing import Sharing
from cogs.ask.suggestion_handlers import SuggestionHandlers
from cogs.channel_context import interaction_context, joined_at, manages

HINT = N_("Ask me something, for example: *how do I vote on an answer?*")
NO_TEXT = N_("There is no text in that message that I could look up.")
SORRY = N_("Sorry, something went wrong on my side. Please try again in a moment.")

STATEMENT_COST = PRESS
"""What a message costs its author's limit that reads like no question: people chat."""

log = logging.getLogger(__name__)

_EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
_ANYONE = app_commands.AppInstallationType(guild=True, user=True)


class AskCog(commands.Cog, name="Ask"):
    """Answers questions, and handles the buttons under suggestions and answers."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._responder = Responder(bot)
        self._recent = RecentMessages()
        self._filter = MessageFilter(bot, self._recent)
        self._handlers = SuggestionHandlers(bot, self._responder)
        self._sharing = Sharing(bot, self._responder)
        self._changes = QuestionChanges(
            bot, self._recent, self._filter, self._responder, self._take
        )
        self._menu = app_commands.ContextMenu(
            name=N_("Find an answer"),
            callback=self.find_an_answer,
            allowed_contexts=_EVERYWHERE,
            allowed_installs=_ANYONE,
        )

    async def cog_load(self) -> None:
        """Add the context menu and register the buttons."""
        self.bot.tree.add_command(self._menu)
        self.bot.on_press(items.NotMine, self._handlers.not_mine)
        self.bot.on_press(items.PickThread, self._handlers.pick)
        self.bot.on_press(items.ThisOne, self._handlers.pick)
        self.bot.on_press(Share, self._sharing.share)
        self.bot.on_press(items.NoneOfThese, self._handlers.none_of_these)
        self.bot.on_press(PickQuietly, self._handlers.pick_quietly)

    async def cog_unload(self) -> None:
        """Remove the context menu."""
        self.bot.tree.remove_command(self._menu.name, type=self._menu.type)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message if it is a question for the bot."""
        # Noted before anything is awaited: an edit or the end of the message may be next.
        proxied = self._changes.note(message)
        async with self._changes.turn(message.id):
            self._responder.marks.heard(message)
            try:
                question = await self._filter.question_in(message, proxied=proxied)
            except StoreError as error:
                log.error("message %d is not looked at: %s", message.id, error)
                return
            await self._take(message, question)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Look at an edited question again."""
        await self._changes.edited(event.message)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Note that a reply was pressed."""
        if interaction.message is not None:
            pressed: dict[str, Any] = {**(interaction.data or {})}
            custom_id = str(pressed.get("custom_id"))
            self._recent.touch(interaction.message.id, voted=is_card_vote(custom_id))

    async def _take(self, message: discord.Message, question: Question | None) -> None:
        """Reply to the question in a message, if there is one."""
        if question is None:
            return
        await self.bot.languages.speak_under(message)
        if (refusal := self.bot.throttle.refusal_of(message, _cost(question))) is not None:
            await self._put_off(question, explained(refusal))
            return
        try:
            if text.is_blank(question.text):
                await self._responder.invite(question)
            else:
                await self._responder.respond(question)
        except Busy as busy:
            await self._put_off(question, str(busy))
        except Exception as error:
            if question.addressed and not question.replied:
                self.app.observer.incident()
                await question.say(sorry(error))
            if not isinstance(error, ThreadwiseError):
                raise  # to where the errors of all listeners are logged
            log_incident(log, error, f"message {message.id}", traceback=False)

    async def _put_off(self, question: Question, why: str) -> None:
        """Say why a question is not taken, once a minute in a channel, if the bot was asked."""
        if question.addressed and self.bot.throttle.may_say(question.context.channel_id):
            await question.say(why)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Go on with what an earlier run of the bot has begun."""
        try:
            await self._responder.marks.begin()
            await self._responder.quiet.begin()
        except StoreError as error:  # the next session tries again
            log.warning("earlier marks and suggestions stay for now: %s", error)

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Take the mark of a question away when its asker reacts with it."""
        await self._responder.marks.reacted(event)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Forget a question that is deleted, and take the reply to it along."""
        await self._changes.deleted(event.channel_id, event.message_id)
        await self._responder.marks.deleted(event.channel_id, {event.message_id})

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget the questions among messages that are deleted at once."""
        for message_id in sorted(event.message_ids):
            await self._changes.deleted(event.channel_id, message_id)
        await self._responder.marks.deleted(event.channel_id, event.message_ids)

    @app_commands.command(name="ask", description=N_("Ask a question in your own words"))
    @app_commands.describe(
        question=N_("What you want to know"), share=N_("Show it to everybody here")
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def ask(
        self,
        interaction: Interaction,
        question: app_commands.Range[str, 1, limits.STRING_OPTION],
        share: bool = False,
    ) -> None:
        """Answer a question asked by command: privately, unless it is to be shared."""
        if text.is_blank(question):
            await tell(interaction, _(HINT))
        else:
            private = not (share or _is_direct(interaction))
            note = partial(cards.asked_note, question)
            await self._look_up(interaction, question, note, own_words=True, private=private)

    async def find_an_answer(self, interaction: Interaction, message: discord.Message) -> None:
        """Look an existing message up, as its context menu asks."""
        question = await self._filter.reader.with_file(message)
        if text.is_blank(question):
            await tell(interaction, _(NO_TEXT))
            return
        link = message.jump_url if interaction.guild_id else ""
        own_words = message.author == interaction.user and not message.message_snapshots
        await self._look_up(interaction, question, partial(_for, link), own_words=own_words)

    async def _look_up(
        self,
        interaction: Interaction,
        question: str,
        note: Callable[[], str],
        *,
        own_words: bool,
        private: bool = False,
    ) -> None:
        """Answer a question that came as a command; who manages the server sees how sure it is.

        ``note`` makes the note, in the language of the reply.
        """
        if self.app.answering.is_busy:
            raise Busy
        await acknowledge(interaction, ephemeral=private, thinking=True)

        async def send(card: Card) -> discord.Message | None:
            return await edit_response(interaction, **card.send_kwargs())

        with speaking(await self.bot.languages.of_reply(interaction, private=private)):
            asked = Question(
                text=question,
                context=interaction_context(interaction),
                asker_id=interaction.user.id,
                addressed=True,
                suggests=True,
                send=send,
                note=note(),
                own_words=own_words,
                joined_at=joined_at(interaction.user),
                managed=private and manages(interaction),
                private=private,
            )
            await self._respond(interaction, asked)

    async def _respond(self, interaction: Interaction, asked: Question) -> None:
        """Reply to a command, in the response that was deferred; that ends, whatever goes wrong."""
        try:
            await self._responder.respond(asked)
        except Busy:
            with contextlib.suppress(*FAILURES):
                await delete_response(interaction)
            raise
        except Exception as error:
            if asked.replied:
                # It is answered: nobody is told that something went wrong after that.
                why = None if isinstance(error, ThreadwiseError) else error
                log.error("after the reply to a command: %s", error, exc_info=why)
                return
            # The public reply that is still waiting must end, or the next follow-up, which
            # says privately what went wrong, would take its place.
            with contextlib.suppress(*FAILURES):
                await asked.say(_(SORRY))
            raise


def _for(link: str) -> str:
    """Return a small line that links the message that is answered; empty without a link."""
    return "-# " + _("for {link}").format(link=link) if link else ""


def _is_direct(interaction: Interaction) -> bool:
    """Return whether nobody but the member and the bot is there."""
    return interaction.guild_id is None and interaction.context.dm_channel


def _cost(question: Question) -> float:
    """Return what a message costs its author's limit: as many questions as are looked up."""
    if question.form_evidence < 0:
        return STATEMENT_COST
    return QUESTION * max(1, min(MOST_PARTS, len(worth_asking(question.text))))


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(AskCog(bot))
