"""Votes: reactions as they come, those that came while the bot was away, and buttons."""

from __future__ import annotations

import logging
from collections.abc import Collection

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ThreadBot
from bot.errors import StoreError, ThreadwiseError
from bot.models import SHARED, Posting
from bot.plurals import counted
from bot.replies import acknowledge, edit_response, tell
from bot.services.event_queue import EventQueues
from bot.services.voting import Outcome, Pressed
from bot.ui import cards, items
from bot.ui.cards import Card
from cogs.channel_context import scope_of
from cogs.thread.pager import show_page
from cogs.voting.reconciler import Reconciler
from cogs.voting.tally_updater import Tallies
from cogs.voting.untold_presses import UntoldPresses
from cogs.voting.vote_events import MessageEvent, Press, What, cleared, deleted, reacted
from cogs.voting.vote_queue import VoteQueue

NOT_SAVED = "Your vote is not saved: I could not write it down just now. Please try again."

FLUSH_SECONDS = 10.0
"""How long /forget-me waits for votes that are being written."""

log = logging.getLogger(__name__)

Lesson = MessageEvent | Pressed | Posting
"""What may teach a phrasing, or take one back."""


class Voting(commands.Cog):
    """Counts each member's vote once, wherever they gave it."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._tallies = Tallies(bot)
        self._queue = VoteQueue(bot, written=self._written, unwritten=self._unwritten)
        self._reconciler = Reconciler(bot, self._queue, self._reconciled)
        self._untold = UntoldPresses()
        self._lessons = EventQueues[Lesson](self._learn, bot.spawn, name="lessons")

    async def cog_load(self) -> None:
        """Hear the pager's vote buttons."""
        self.bot.on_press(items.CastVote, self.press)

    async def cog_unload(self) -> None:
        """Leave the cards as they are."""
        unwritten = self._queue.stop()
        self._lessons.stop()
        self._tallies.stop()
        await self._reconciler.stop(unwritten)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written, compared or learned from."""
        return self._queue.idle and self._lessons.idle and self._reconciler.idle

    # What is heard is queued before anything is awaited: discord.py begins a task for each
    # event, in the order of the events, but they end in any.

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """A member votes."""
        user = event.member or self.bot.get_user(event.user_id)
        if not self._is_bot(event.user_id, user):
            self._queue.put(reacted(event, user))

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """A member takes a vote back."""
        user = self.bot.get_user(event.user_id)
        if not self._is_bot(event.user_id, user):
            self._queue.put(reacted(event, user))

    @commands.Cog.listener()
    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """A moderator takes all reactions away, and the votes with them."""
        self._queue.put(cleared(event))

    @commands.Cog.listener()
    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """A moderator takes all reactions of one emoji away."""
        self._queue.put(cleared(event))

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A posting is gone; what was voted on it stays."""
        for each in deleted(event):
            self._queue.put(each)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many messages are gone at once."""
        for each in deleted(event):
            self._queue.put(each)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """A Discord thread is gone, with all messages in it."""
        self._queue.channel_deleted(event.guild_id, event.thread_id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is gone, with all messages in it."""
        self._queue.channel_deleted(channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """After a start or a new session: see what was voted meanwhile."""
        self.bot.spawn(self._reconciler.look(shard_id, everything=True), f"shard {shard_id}")

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int) -> None:
        """After a pause whose events Discord sends again: see what could not be written."""
        self.bot.spawn(self._reconciler.look(shard_id, everything=False), f"shard {shard_id}")

    @app_commands.command(
        name="forget-me", description="Delete your votes and whatever else I keep about you"
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def forget_me(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Delete all that is kept about the person who asks for it."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        # What they did before is to be forgotten as well.
        await self._queue.forget(interaction.user.id, FLUSH_SECONDS)
        count = await self.app.voting.forget_user(interaction.user.id)
        taught = await self.app.learning.forget_user(interaction.user.id)
        votes = counted(count, "votes")
        phrasings = counted(taught, "phrasings")
        await edit_response(
            interaction,
            content=f"Done: {votes} and {phrasings} of yours deleted, and I no longer know which "
            "questions were yours. Reactions that you leave on my messages count again when I "
            "restart, so take those away as well.",
        )

    async def press(
        self, item: items.CastVote, interaction: discord.Interaction[ThreadBot]
    ) -> None:
        """A vote button: the page shows the new tally; a shared page stays as it is."""
        press = self._queue.press(
            Pressed(
                answer_id=item.place.answer_id,
                guild_id=scope_of(interaction),
                user_id=interaction.user.id,
                value=item.value,
                author_handle=interaction.user.name,
            )
        )
        press.former = self._untold.take(press)
        told = False
        try:
            told = await self._tell(item, interaction, press)
        finally:
            if not told:
                self._untold.add(press)

    async def _tell(
        self, item: items.CastVote, interaction: discord.Interaction[ThreadBot], press: Press
    ) -> bool:
        """Acknowledge a press and say what came of it; False if it does not count."""
        private = interaction.message is not None and interaction.message.flags.ephemeral
        if private:
            await acknowledge(interaction)
        else:
            await acknowledge(interaction, ephemeral=True, thinking=True)
        try:
            vote = await self._queue.pressed(press)
        except StoreError as error:
            log.warning("a press of a vote button is not saved: %s", error)
            await tell(interaction, NOT_SAVED)
            return False
        scope = press.change.guild_id
        thread = await self.app.answering.serve(item.place.thread_id, guild_id=scope)
        answer = thread.answer(item.place.answer_id) if thread else None
        said = cards.vote_line(vote, answer.tally if answer else None)
        if not private or thread is None:
            await edit_response(interaction, **Card(content=said).fresh())
        else:
            await show_page(interaction, thread, item.place, note=said)
        return True

    def _written(self, event: MessageEvent | Pressed, outcome: Outcome) -> None:
        """An event is on disk: draw the tally where it counted, and learn from it."""
        if isinstance(event, Pressed):
            if not isinstance(outcome, ThreadwiseError) and event.guild_id != SHARED:
                self._lessons.put(event.guild_id, event)
        elif outcome is True:
            if event.what is not What.DELETED:
                self._tallies.changed(event.message_id)
            self._lessons.put(event.guild_id, event)

    def _unwritten(self, message_ids: Collection[int]) -> None:
        self._reconciler.unwritten(message_ids)

    def _reconciled(self, posting: Posting) -> None:
        self._tallies.changed(posting.message_id)
        self._lessons.put(posting.guild_id, posting)

    async def _learn(self, _guild_id: int, lessons: list[Lesson]) -> None:
        """Learn from votes that have changed; each look is at what is in force by then."""
        learning = self.app.learning
        for lesson in lessons:
            try:
                if isinstance(lesson, Pressed):
                    await learning.pressed(
                        answer_id=lesson.answer_id,
                        guild_id=lesson.guild_id,
                        user_id=lesson.user_id,
                    )
                elif isinstance(lesson, Posting):
                    await learning.reconciled(lesson.message_id)
                elif lesson.what is What.DELETED:
                    learning.drop([lesson.message_id])
                elif lesson.user_id:
                    await learning.voted(lesson.message_id, lesson.user_id)
                else:
                    await learning.cleared(lesson.message_id)
            except StoreError as error:
                log.warning("a vote teaches nothing: %s", error)

    def _is_bot(self, user_id: int, user: discord.User | discord.Member | None) -> bool:
        me = self.bot.user
        return (me is not None and user_id == me.id) or (user is not None and user.bot)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(Voting(bot))
