"""Looks at posts of followed channels, one look at a post at a time, and shows what that gave."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import discord

from bot.client import ThreadBot
from bot.errors import NotFound, StoreError, ThreadwiseError
from bot.following import FollowedChannel, FollowedPost
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.retry import FAILURES, described, retried
from bot.services.post_looks import NO_WISH, PostLook, Wish
from bot.services.post_reader import Ask, ChannelGone, ChannelHidden, PostGone, at_once
from cogs.channel_context import is_helper
from cogs.discord_messages import FollowedParent, parent_of, post_of
from cogs.following.discord_reader import DiscordReader
from cogs.following.solved_line import SolvedLine
from cogs.keyed_locks import KeyedLocks

HIDDEN = N_("I can't read {channel} any more. I need *View Channel* and *Read Message History*.")
GONE = N_("That post, or the message, is not there any more.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchedPost:
    """A post of a followed channel, and the channel as Discord and as the library know it."""

    thread: discord.Thread
    parent: FollowedParent
    channel: FollowedChannel


async def teach_question(bot: ThreadBot, channel: FollowedChannel, seen: PostLook) -> None:
    """Teach the words of a question that a helper, or who asked it, said what solved."""
    post = seen.now
    if post is None or post.thread_id is None or seen.asked is None:
        return
    if not (seen.is_solved and seen.is_changed):
        return
    said, message_id = seen.asked
    guild_id, has_title = channel.guild_id, channel.is_forum
    teach = bot.app.learning.teach
    try:
        await teach(guild_id, post.thread_id, said, post.asker_id, message_id, has_title=has_title)
    except StoreError as error:
        log.warning("post %d: its question teaches nothing: %s", post.post_id, error)


class PostWatch:
    """Looks at posts when something happens in them."""

    def __init__(self, bot: ThreadBot):
        self.bot, self.posts = bot, bot.app.followed_posts
        self._line = SolvedLine(bot)
        self._locks = KeyedLocks()
        self._waiting = set[int]()

    async def place(self, channel: object) -> WatchedPost | None:
        """Return where a channel is a post of a followed one; ``None`` if it is none."""
        parent = parent_of(channel)
        if parent is None or not isinstance(channel, discord.Thread):
            return None
        followed = await self.bot.app.following.channel(parent.guild.id, parent.id)
        return None if followed is None else WatchedPost(channel, parent, followed)

    async def place_of(self, guild_id: int | None, channel_id: int) -> WatchedPost | None:
        """Return the place of a post by its id, as far as it is active."""
        guild = self.bot.get_guild(guild_id or 0)
        return None if guild is None else await self.place(guild.get_thread(channel_id))

    async def find(self, guild_id: int, post_id: int) -> WatchedPost | None:
        """Return the place of a post of which something is known, be it archived or active."""
        if (place := await self.place_of(guild_id, post_id)) is not None:
            return place
        if await self.posts.known(guild_id, post_id) is None:
            return None
        try:
            channel = await retried(lambda: self.bot.fetch_channel(post_id), "a post")
        except (*FAILURES, discord.InvalidData) as error:
            log.info("post %d is not looked at: %s", post_id, described(error))
            return None
        return await self.place(channel)

    async def look_at(self, guild_id: int, post_id: int) -> None:
        """Look at a post, by its id, in the background."""
        if (place := await self.find(guild_id, post_id)) is not None:
            self.look_soon(place)

    async def asker_id(self, place: WatchedPost, known: FollowedPost | None) -> int | None:
        """Return who asked a post; in a text channel, who wrote the message it was made of."""
        if known is not None and known.asker_id:
            return known.asker_id
        post = post_of(place.thread, place.parent)
        if place.channel.is_forum:
            return post.asker_id
        first = await DiscordReader(self.bot, place.parent).messages(post, 0)
        return first.messages[0].author_id if first.messages else post.asker_id

    async def may_judge(self, place: WatchedPost, user: discord.abc.User) -> bool:
        """Return whether somebody may say what solved a post: a helper, or who asked it."""
        guild_id = place.parent.guild.id
        if is_helper(user, await self.bot.app.guilds.settings(guild_id)):
            return True
        known = await self.posts.known(guild_id, place.thread.id)
        return user.id == await self.asker_id(place, known)

    async def look(
        self, place: WatchedPost, wish: Wish = NO_WISH, ask: Ask = at_once
    ) -> tuple[PostLook, list[str]]:
        """Look at a post; return how it stands, and lines on what could not be done.

        Raises ThreadwiseError, in words for people.
        """
        async with self._locks.at(place.thread.id):
            self._waiting.discard(place.thread.id)
            return await self._look(place, wish, ask)

    def look_soon(self, place: WatchedPost, wish: Wish = NO_WISH) -> None:
        """Look at a post in the background; once for all that is waiting to be seen."""
        post_id = place.thread.id
        if wish == NO_WISH:
            if post_id in self._waiting:
                return
            self._waiting.add(post_id)
        self.bot.spawn(self.look_quietly(place, wish), f"post {post_id}")

    async def gone(self, guild_id: int, post_id: int) -> None:
        """Take out what came from a post that was deleted."""
        async with self._locks.at(post_id):
            seen = await self.posts.gone(guild_id, post_id)
        if seen is not None:
            self.bot.redraw_cards(seen.messages)

    async def _look(self, place: WatchedPost, wish: Wish, ask: Ask) -> tuple[PostLook, list[str]]:
        # At a pace, whoever keeps to it tries requests again.
        reader = DiscordReader(self.bot, place.parent, pauses=None if ask is at_once else ())
        post = post_of(place.thread, place.parent)
        try:
            seen = await self.posts.look(place.channel, reader, post, wish, ask)
        except (PostGone, ChannelGone):
            raise NotFound(_(GONE)) from None
        except ChannelHidden:
            self.bot.warn_missing_permission(place.parent.id, "read_message_history")
            raise NotFound(_(HIDDEN).format(channel=place.parent.mention)) from None
        if wish.user_id:
            await teach_question(self.bot, place.channel, seen)
        return seen, await self._line.show(place.thread, place.channel, seen)

    async def look_quietly(
        self, place: WatchedPost, wish: Wish = NO_WISH, ask: Ask = at_once
    ) -> None:
        """Look at a post; what is in the way of that is logged."""
        try:
            await self.look(place, wish, ask)
        except StoreError as error:
            log.warning("post %d is not kept up to date: %s", place.thread.id, error)
        except ThreadwiseError as error:
            log.info("post %d is not looked at: %s", place.thread.id, error)
