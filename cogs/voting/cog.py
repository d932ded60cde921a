"""Votes: reactions as they come, those that came while the bot was away, and buttons.

A reaction goes from the listener here into ``vote_queue``, which puts it in order, and by
``vote_writer`` to ``bot.services.voting``; back here, ``_written`` has the card redrawn.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import StoreError, ThreadwiseError
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import SHARED, Posting
from bot.replies import NOT_A_QUESTION, edit_response, tell
from bot.services.queues import EventQueues
from bot.services.voting import Pressed, VoteOutcome
from bot.ui import cards, items
from bot.ui.answer_buttons import Accept, CardVote
from bot.ui.cards import Card
from bot.ui.confirmations import ChooseAuthor, ConfirmForget, LeaveIt
from cogs.channel_context import acknowledge_page, joined_at, scope_of
from cogs.confirming import leave_it
from cogs.thread import show_page
from cogs.voting.acceptance import Acceptance
from cogs.voting.events import (
    ButtonPress,
    EventType,
    MessageEvent,
    cleared_event,
    message_event,
    reaction_event,
)
from cogs.voting.forgetting import Forgetting
from cogs.voting.private_card import show_on_private_card
from cogs.voting.reconciler import Reconciler
from cogs.voting.tally_updater import TallyUpdater
from cogs.voting.vote_queue import VoteQueue

NOT_SAVED = N_("Your vote is not saved: I could not write it down just now. Please try again.")

log = logging.getLogger(__name__)

REPEAT_SECONDS = 60.0
"""How soon the next press must come to be taken for the same as one that was not told."""

REPEATS = 1000
"""Presses that are remembered at most, because nobody was told of them."""

LearningJob = Callable[[], Awaitable[None] | None]


class VotingCog(commands.Cog, name="Voting"):
    """Counts each member's vote once, wherever they gave it."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._tallies = TallyUpdater(bot)
        self._queue = VoteQueue(bot, written=self._written, unwritten=self._unwritten)
        self._forgetting = Forgetting(bot, self._queue)
        self._reconciler = Reconciler(bot, self._queue, self._reconciled)
        self._unacknowledged = _UnacknowledgedPresses()
        self._learning = EventQueues[LearningJob](self._learn, bot.spawn, name="learning")

    async def cog_load(self) -> None:
        """Register the vote buttons, those that confirm /forget-me, and what waits."""
        self.bot.queues |= {"votes": self._queue, "reconciliation": self._reconciler}
        self.bot.queues |= {"tallies": self._tallies, "learning": self._learning}
        self.bot.redraw_cards = self._tallies.edited
        self.bot.on_press(items.CastVote, self.press)
        self.bot.on_press(CardVote, self.press)
        self.bot.on_press(Accept, Acceptance(self.bot, self._tallies).press)
        self.bot.on_press(ConfirmForget, self._forgetting.forget)
        self.bot.on_press(ChooseAuthor, self._forgetting.choose)
        self.bot.on_press(LeaveIt, leave_it)

    async def cog_unload(self) -> None:
        """Stop writing; messages with unwritten events are marked as due."""
        unwritten = self._queue.stop()
        self._learning.stop()
        self._tallies.stop()
        await self._reconciler.stop(unwritten)

    # Events are queued before anything is awaited: discord.py begins a task for each event, in
    # the order of the events, but they end in any.

    @commands.Cog.listener("on_raw_reaction_add")
    @commands.Cog.listener("on_raw_reaction_remove")
    async def on_reaction(self, event: discord.RawReactionActionEvent) -> None:
        """Queue a vote, or that a member takes one back; bots don't vote."""
        user = event.member or self.bot.get_user(event.user_id)
        is_me = self.bot.user is not None and event.user_id == self.bot.user.id
        if not is_me and not (user is not None and user.bot):
            self._queue.put(reaction_event(event, user))

    @commands.Cog.listener("on_raw_reaction_clear")
    @commands.Cog.listener("on_raw_reaction_clear_emoji")
    async def on_reactions_cleared(
        self, event: discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent
    ) -> None:
        """Queue that a moderator takes all reactions away, or those of one emoji."""
        self._queue.put(cleared_event(event))

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Queue that a posting is gone; what was voted on it stays."""
        self._queue.put(message_event(EventType.DELETED, event, event.message_id))

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Queue that many messages are gone at once."""
        for message_id in sorted(event.message_ids):
            self._queue.put(message_event(EventType.DELETED, event, message_id))

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Queue that a Discord thread is gone, with all messages in it."""
        self._queue.channel_deleted(event.guild_id, event.thread_id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Queue that a channel is gone, with all messages in it."""
        self._queue.channel_deleted(channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Count what was voted before a start or a new session."""
        self.bot.spawn(self._reconciler.begin(shard_id, everything=True), f"shard {shard_id}")

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int) -> None:
        """Count what could not be written; events of the pause are sent again."""
        self.bot.spawn(self._reconciler.begin(shard_id, everything=False), f"shard {shard_id}")

    @app_commands.command(
        name="forget-me",
        description=N_("Delete your votes and whatever else I keep about you"),
        extras=NOT_A_QUESTION,
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def forget_me(self, interaction: Interaction) -> None:
        """Ask what is to be deleted of what is kept about the person."""
        await self._forgetting.ask(interaction)

    async def press(self, item: items.CastVote | CardVote, interaction: Interaction) -> None:
        """Count a press of a vote button, and say so."""
        press = self._queue.press(
            Pressed(
                answer_id=item.place.answer_id,
                guild_id=scope_of(interaction),
                user_id=interaction.user.id,
                value=item.value,
            )
        )
        press.former = self._unacknowledged.take(press)
        acknowledged = False
        try:
            acknowledged = await self._acknowledge(item, interaction, press)
        finally:
            if not acknowledged:
                self._unacknowledged.add(press)

    async def _acknowledge(
        self, item: items.CastVote | CardVote, interaction: Interaction, press: ButtonPress
    ) -> bool:
        """Show the new tally: where it is private, else privately; False if nothing was saved."""
        private = await acknowledge_page(interaction)
        try:
            vote = await self._queue.vote_after(press)
        except StoreError as error:
            log.warning("a press of a vote button is not saved: %s", error)
            await tell(interaction, _(NOT_SAVED))
            return False
        scope = press.pressed.guild_id
        thread = await self.app.answering.serve(item.place.thread_id, guild_id=scope)
        answer = thread.answer(item.place.answer_id) if thread else None
        said = cards.vote_line(vote, answer.tally if answer else None)
        if not private or thread is None:
            await edit_response(interaction, **Card(content=said).send_kwargs())
        elif isinstance(item, CardVote):
            await show_on_private_card(interaction, thread, answer, said)
        else:
            await show_page(interaction, thread, item.place, note=said)
        if isinstance(item, CardVote) and not private:
            self._voted_on_card(interaction)
        return True

    def _voted_on_card(self, interaction: Interaction) -> None:
        """Draw the tally of a card that others see, and learn as from a reaction on it."""
        if interaction.message is None or (scope := scope_of(interaction)) == SHARED:
            return
        message_id, user = interaction.message.id, interaction.user
        self._tallies.changed(message_id)
        voted = partial(self.app.learning.voted, message_id, user.id, joined_at(user))
        self._learning.put(scope, voted)

    def _written(self, event: MessageEvent | Pressed, outcome: VoteOutcome) -> None:
        """Draw the tally where an event counted that is on disk now, and learn from it."""
        learning = self.app.learning
        if isinstance(event, Pressed):
            if isinstance(outcome, ThreadwiseError) or event.guild_id == SHARED:
                return
            learn: LearningJob = partial(
                learning.pressed,
                answer_id=event.answer_id,
                guild_id=event.guild_id,
                user_id=event.user_id,
            )
        elif outcome is not True:
            return
        elif event.type is EventType.DELETED:
            learn = partial(learning.drop, [event.message_id])
        else:
            self._tallies.changed(event.message_id)
            learn = partial(learning.cleared, event.message_id)
            if event.user_id:
                learn = partial(learning.voted, event.message_id, event.user_id, event.joined_at)
        self._learning.put(event.guild_id, learn)

    def _unwritten(self, message_ids: Collection[int]) -> None:
        self._reconciler.unwritten(message_ids)

    def _reconciled(self, posting: Posting) -> None:
        self._tallies.changed(posting.message_id)
        learn = partial(self.app.learning.reconciled, posting.message_id)
        self._learning.put(posting.guild_id, learn)

    async def _learn(self, _guild_id: int, jobs: list[LearningJob]) -> None:
        """Learn from votes that have changed; each look is at what is in force by then."""
        for job in jobs:
            try:
                if (learning := job()) is not None:
                    await learning
            except StoreError as error:
                log.warning("a vote teaches nothing: %s", error)


class _UnacknowledgedPresses:
    """The latest presses, one a member and answer in a guild, that nobody was told of.

    They count, but the members will press again.
    """

    def __init__(self) -> None:
        self._presses: OrderedDict[tuple[int, int, int], tuple[float, ButtonPress]] = OrderedDict()

    def add(self, press: ButtonPress) -> None:
        """Withdraw a press of which nobody was told; remember it if it counts all the same."""
        press.withdraw()
        kept = press.former if press.is_lost else press
        press.former = None  # no chain of them
        if kept is not None:
            self._presses[self._key(kept)] = time.monotonic(), kept
            self._presses.move_to_end(self._key(kept))
        while len(self._presses) > REPEATS:
            self._presses.popitem(last=False)

    def take(self, press: ButtonPress) -> ButtonPress | None:
        """Return the remembered press that this one repeats; forget any that it doesn't."""
        at, former = self._presses.pop(self._key(press), (0.0, None))
        if former is None or time.monotonic() - at > REPEAT_SECONDS:
            return None
        return former if former.pressed.value is press.pressed.value else None

    @staticmethod
    def _key(press: ButtonPress) -> tuple[int, int, int]:
        return press.pressed.guild_id, press.pressed.user_id, press.pressed.answer_id


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(VotingCog(bot))
