"""Followed channels: what happens in their posts, and what is said of it."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ThreadBot
from bot.errors import StoreError, ThreadwiseError
from bot.following import FollowedPost, PostState
from bot.i18n import N_
from bot.posts import emoji_key
from bot.retry import FAILURES, described, retried
from bot.services.post_looks import Wish
from bot.solutions import LIKED, POSITIVE, SOLVED_TAGS, Rule, is_solved_tag
from bot.ui.following_cards import NotTheSolution, Reopen
from cogs.channel_context import is_helper
from cogs.discord_messages import message_of
from cogs.following.catching_up import CatchingUp
from cogs.following.instructions import Instructions
from cogs.following.marking import Marking
from cogs.following.post_watch import PostWatch, WatchedPost

log = logging.getLogger(__name__)


class FollowingCog(commands.Cog, name="Following"):
    """Makes threads of the solved posts of followed channels, and keeps these in step."""

    def __init__(self, bot: ThreadBot):
        self.bot, self.app = bot, bot.app
        self._watch = PostWatch(bot)
        self._posts = bot.app.followed_posts
        self._marking = Marking(bot, self._watch)
        self._instructions = Instructions(bot)
        self._catching_up = CatchingUp(bot, self._watch)
        self._menu = app_commands.ContextMenu(
            name=app_commands.locale_str(N_("Mark as solution")), callback=self.mark
        )

    async def cog_load(self) -> None:
        """Register the message menu, and the buttons that take a solution back."""
        self._menu.guild_only = True
        self.bot.tree.add_command(self._menu)
        self.bot.look_at_post = self._look_at
        self.bot.on_press(NotTheSolution, self._marking.reject)
        self.bot.on_press(Reopen, self._marking.reopen)

    async def cog_unload(self) -> None:
        """Take the message menu away."""
        self.bot.tree.remove_command(self._menu.name, type=self._menu.type)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Look at what happened while nothing was heard: at a start, or in a lost session."""
        self.bot.spawn(self._catching_up.shard(shard_id), f"posts of shard {shard_id}")

    async def mark(
        self, interaction: discord.Interaction[ThreadBot], message: discord.Message
    ) -> None:
        """Make a message the solution of its post."""
        await self._marking.mark(interaction, message)

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Look at a post in which somebody marks the solution, or likes a message."""
        user = event.member
        if user is None or user.bot or (place := await self._place(event)) is None:
            return
        settings = await self.app.guilds.settings(place.parent.guild.id)
        known = await self._known(place)
        if emoji_key(str(event.emoji)) == emoji_key(settings.solution_emoji):
            is_theirs = is_helper(user, settings) or await self._may_be_asker(place, known, user.id)
            if is_theirs:
                wish = Wish(user_id=user.id, chosen=event.message_id)
                self._watch.look_soon(place, wish)
                return
        liked = {emoji_key(each) for each in (*POSITIVE, settings.up_emoji)}
        if emoji_key(str(event.emoji)) in liked:
            await self._liked(place, known, event.message_id)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Look again at a post whose solution somebody takes back, or likes no longer."""
        await self._unmarked(event)

    @commands.Cog.listener("on_raw_reaction_clear")
    @commands.Cog.listener("on_raw_reaction_clear_emoji")
    async def on_reactions_cleared(
        self, event: discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent
    ) -> None:
        """Look again at a post whose solution's reactions a moderator takes away."""
        await self._unmarked(event)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Look at a post in which another bot names the solution; instruct a new one."""
        await self._said_by_bot(message)
        await self._instructions.message(message)

    @commands.Cog.listener()
    async def on_thread_create(self, thread: discord.Thread) -> None:
        """Instruct a new thread of a text channel."""
        await self._instructions.thread(thread)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Look again at a post of which a message was edited that is in the library."""
        await self._changed(event.guild_id, event.channel_id, {event.message_id})
        await self._said_by_bot(event.message)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Take a deleted message out of the library."""
        await self._changed(event.guild_id, event.channel_id, {event.message_id})

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Take messages out of the library that are deleted at once."""
        await self._changed(event.guild_id, event.channel_id, event.message_ids)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Take a deleted post out of the library."""
        try:
            await self._watch.gone(event.guild_id, event.thread_id)
        except StoreError as error:
            log.warning("post %d was deleted, and stays in the library: %s", event.thread_id, error)

    @commands.Cog.listener()
    async def on_thread_update(self, before: discord.Thread, after: discord.Thread) -> None:
        """Look again at a post that has another title or other tags."""
        if before.name == after.name and before.applied_tags == after.applied_tags:
            return
        if (place := await self._watch.place(after)) is None:
            return
        known = await self._known(place)
        is_solved = known is not None and known.state is PostState.SOLVED
        is_renamed = before.name != after.name and known is not None
        if is_renamed or (before.applied_tags != after.applied_tags and not is_solved):
            self._watch.look_soon(place)

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Note what a followed channel is called now."""
        if before.name != after.name:
            await self.app.following.rename(after.guild.id, after.id, after.name)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Take out what came from a deleted channel; ``/library followed`` says that it is gone."""
        guild_id, channel_id = channel.guild.id, channel.id
        if await self.app.following.channel(guild_id, channel_id) is None:
            return
        said = "guild %d: the followed channel %d was deleted; what came from there is taken out"
        log.warning(said, guild_id, channel_id)
        try:
            seen = await self._posts.channel_gone(guild_id, channel_id)
        except StoreError as error:
            log.warning("channel %d was deleted, and stays in the library: %s", channel_id, error)
            return
        self.bot.redraw_cards(seen.messages)

    async def _place(
        self,
        event: discord.RawReactionActionEvent
        | discord.RawReactionClearEvent
        | discord.RawReactionClearEmojiEvent,
    ) -> WatchedPost | None:
        return await self._watch.place_of(event.guild_id, event.channel_id)

    async def _known(self, place: WatchedPost) -> FollowedPost | None:
        return await self._posts.known(place.parent.guild.id, place.thread.id)

    async def _may_be_asker(
        self, place: WatchedPost, known: FollowedPost | None, user_id: int
    ) -> bool:
        try:
            return await self._watch.asker_id(place, known) == user_id
        except ThreadwiseError as error:
            log.info("post %d is not looked at: %s", place.thread.id, error)
            return False

    async def _liked(self, place: WatchedPost, known: FollowedPost | None, message_id: int) -> None:
        """Look at a post if one of its messages may be an answer now, or be proposed."""
        if known is not None and known.state is PostState.SOLVED:
            if await self._posts.is_answer(place.parent.guild.id, message_id):
                return
            if await self._is_liked(place, message_id):
                self._watch.look_soon(place)
        elif _has_solved_tag(place):
            self._watch.look_soon(place)

    async def _is_liked(self, place: WatchedPost, message_id: int) -> bool:
        """Return whether as many people like a message as make it an answer."""
        try:
            fetch = place.thread.get_partial_message(message_id).fetch
            message = message_of(await retried(fetch, "a message of a post"))
        except FAILURES as error:
            log.info("message %d is not looked at: %s", message_id, described(error))
            return False
        settings = await self.app.guilds.settings(place.parent.guild.id)
        return message.people_for(POSITIVE | {settings.up_emoji}) >= LIKED

    async def _unmarked(
        self,
        event: discord.RawReactionActionEvent
        | discord.RawReactionClearEvent
        | discord.RawReactionClearEmojiEvent,
    ) -> None:
        if (place := await self._place(event)) is None:
            return
        known = await self._known(place)
        if known is None or event.message_id not in (known.solution_id, known.proposed_id):
            return
        if known.rule in (Rule.EMOJI, Rule.REACTIONS):
            self._watch.look_soon(place)

    async def _said_by_bot(self, message: discord.Message) -> None:
        """Look at a post if a bot's message may say which message solved it."""
        if not message.author.bot or message.author == self.bot.user:
            return
        if message.guild is None or not isinstance(message.channel, discord.Thread):
            return
        seen = message_of(message)
        if not (seen.embeds or seen.buttons or "discord" in seen.content):
            return
        if (place := await self._watch.place(message.channel)) is not None:
            self._watch.look_soon(place)

    async def _changed(self, guild_id: int | None, channel_id: int, message_ids: set[int]) -> None:
        """Look at the posts that messages belong to which were edited or deleted.

        In a text channel, the question stands beside the Discord thread that was made of it.
        """
        if guild_id is None:
            return
        for known in await self._posts.known_among(guild_id, {channel_id, *message_ids}):
            if known.proposed_id in message_ids or await self._is_kept(known, message_ids):
                await self._watch.look_at(guild_id, known.post_id)

    def _look_at(self, guild_id: int, post_id: int) -> None:
        self.bot.spawn(self._watch.look_at(guild_id, post_id), f"post {post_id}")

    async def _is_kept(self, known: FollowedPost, message_ids: set[int]) -> bool:
        """Return whether one of these messages is in the library."""
        if known.state is not PostState.SOLVED:
            return False
        if {known.post_id, known.solution_id} & message_ids:
            return True
        for message_id in message_ids:
            if await self._posts.is_answer(known.guild_id, message_id):
                return True
        return False


def _has_solved_tag(place: WatchedPost) -> bool:
    names = (*SOLVED_TAGS, *filter(None, [place.channel.solved_tag]))
    return any(is_solved_tag(tag.name, names) for tag in place.thread.applied_tags)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(FollowingCog(bot))
