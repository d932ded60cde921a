"""Requests to Discord about the posts of a channel, one at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import discord
from discord.http import Route

from bot.client import ThreadBot
from bot.errors import Unreachable
from bot.post_threads import Names
from bot.posts import Post
from bot.retry import FAILURES, described, retried
from bot.services.post_reader import (
    ChannelGone,
    ChannelHidden,
    FoundPost,
    MessagePage,
    PostGone,
    PostPage,
    Reacted,
)
from bot.ui import limits
from cogs.channel_context import is_helper, permissions_in
from cogs.discord_messages import FollowedParent, message_of

PAGE = 100
"""Posts or messages in one reply."""

T = TypeVar("T")


class DiscordReader:
    """Reads the posts of a channel.

    ``pauses`` are those between the tries of one request (of ``bot.retry``).
    """

    def __init__(
        self, bot: ThreadBot, channel: FollowedParent, pauses: Sequence[float] | None = None
    ):
        self._bot, self._channel, self._pauses = bot, channel, pauses

    @property
    def own_id(self) -> int | None:
        """Return the id of the bot's own user."""
        return self._bot.user.id if self._bot.user is not None else None

    @property
    def names(self) -> Names:
        """Return the names of the roles and channels that messages may mention."""
        guild = self._channel.guild
        return Names(
            roles={role.id: role.name for role in guild.roles},
            channels={channel.id: channel.name for channel in guild.channels},
        )

    async def active(self) -> tuple[FoundPost, ...]:
        """Return the active posts."""
        guild_id = self._channel.guild.id
        found = await self._asked(lambda: self._bot.http.get_active_threads(guild_id))
        mine = (each for each in found["threads"] if int(each["parent_id"]) == self._channel.id)
        public = (each for each in mine if each["type"] != discord.ChannelType.private_thread.value)
        return tuple(FoundPost(self._post(each)) for each in public)

    async def archived(self, before: datetime | None) -> PostPage:
        """Return the posts that were archived last before a moment. May raise ChannelGone."""
        when = before.isoformat() if before is not None else None
        fetch = self._bot.http.get_public_archived_threads
        found = await self._asked(lambda: fetch(self._channel.id, before=when, limit=PAGE))
        posts = (FoundPost(self._post(each), _archived_at(each)) for each in found["threads"])
        return PostPage(tuple(posts), bool(found.get("has_more")))

    async def messages(self, post: Post, after: int) -> MessagePage:
        """Return the messages of a post that follow one by id. May raise PostGone.

        In a text channel the first one, of which the Discord thread was made, stands beside it.
        """
        if not after and isinstance(self._channel, discord.TextChannel):
            return await self._first_message(self._channel, post)
        place = self._bot.get_partial_messageable(post.id, guild_id=post.guild_id)
        since = discord.Object(after)

        async def fetch() -> list[discord.Message]:
            found = place.history(limit=PAGE, after=since, oldest_first=True)
            return [message async for message in found]

        messages = await self._asked(fetch, PostGone)
        return _page(messages, messages[-1].id if len(messages) == PAGE else None)

    async def reacted(
        self, post: Post, message_id: int, emoji: str, *, as_super: bool = False
    ) -> Reacted:
        """Return who put an emoji on a message, with a super reaction or a normal one."""
        spelt = emoji.strip("<>").removeprefix("a:").removeprefix(":")
        ids: dict[str, Any] = {"channel_id": post.id, "message_id": message_id, "emoji": spelt}
        route = Route(
            "GET", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", **ids
        )
        params = {"limit": limits.REACTION_USERS, "type": int(as_super)}
        try:
            users = await self._asked(
                lambda: self._bot.http.request(route, params=params), PostGone
            )
        except _NoEmoji:
            return Reacted(frozenset(), 0)
        people = frozenset(int(user["id"]) for user in users if not user.get("bot"))
        return Reacted(people, len(users))

    async def is_helper(self, user_id: int) -> bool:
        """Return whether a user is a helper of the channel's server; who left is none."""
        guild = self._channel.guild
        member = guild.get_member(user_id)
        if member is None:
            try:
                member = await self._asked(lambda: guild.fetch_member(user_id), _NoMember)
            except _NoMember:
                return False
        return not member.bot and is_helper(member, await self._bot.app.guilds.settings(guild.id))

    async def _first_message(self, channel: discord.TextChannel, post: Post) -> MessagePage:
        try:
            found = await self._asked(lambda: channel.fetch_message(post.id), _NoMessage)
        except _NoMessage:
            return MessagePage((), last_id=post.id)
        return _page([found], post.id)

    def _post(self, data: Any) -> Post:
        """Return a post of Discord's list of them."""
        forum, title = self._channel, data["name"]
        names = {t.id: t.name for t in getattr(forum, "available_tags", ())}
        tags = (names.get(int(tag_id)) for tag_id in data.get("applied_tags", ()))
        return Post(
            id=int(data["id"]),
            channel_id=forum.id,
            channel=forum.name,
            guild_id=forum.guild.id,
            title=title,
            asker_id=int(data["owner_id"]) if data.get("owner_id") else None,
            tags=tuple(filter(None, tags)),
        )

    async def _asked(
        self, request: Callable[[], Awaitable[T]], gone: type[Exception] = ChannelGone
    ) -> T:
        """Do a request; ``gone`` is raised where what it asks for is not there.

        Without the permission to read it, Discord shows a channel's history as empty.
        """
        where = f"channel {self._channel.id}"
        may = permissions_in(self._channel, self._channel.guild)
        if not (may.view_channel and may.read_message_history):
            raise ChannelHidden(f"{where}: a permission is missing")
        try:
            return await retried(request, "reading posts", self._pauses)
        except discord.Forbidden as error:
            raise ChannelHidden(f"{where}: {described(error)}") from None
        except discord.NotFound as error:
            if error.code == limits.UNKNOWN_EMOJI:
                raise _NoEmoji from None
            # Other 404s, of a server in between, don't say that something is gone.
            raise (gone if error.code else Unreachable)(f"{where}: {described(error)}") from None
        except FAILURES as error:
            raise Unreachable(f"{where}: {described(error)}") from None


class _NoEmoji(Exception):
    """A custom emoji was deleted, and the reactions with it."""


class _NoMember(Exception):
    """A user is not a member of the server (any more)."""


class _NoMessage(Exception):
    """The message that a Discord thread was made of is gone."""


def _page(messages: Iterable[discord.Message], last_id: int | None) -> MessagePage:
    messages = list(messages)
    users = {user.id: user.display_name for each in messages for user in each.mentions}
    return MessagePage(tuple(map(message_of, messages)), users, last_id)


def _archived_at(data: Any) -> datetime | None:
    when = data["thread_metadata"].get("archive_timestamp")
    return datetime.fromisoformat(when) if when else None
