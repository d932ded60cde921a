"""Reviewing: solutions that reactions and a tag propose, for helpers to take or to leave out.

Nothing of a proposed post but its title is stored: its messages are read when it is shown.
Nothing here asks who somebody is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.following import FollowedChannel, FollowedPost, PostState
from bot.post_threads import answer_of
from bot.posts import Post, PostMessage, first_message
from bot.services import solved_posts
from bot.services.guilds import Guilds
from bot.services.post_reader import PostReader, read_post
from bot.store import following, origins
from bot.store.database import Database

AT_ONCE = 25
"""Posts that are looked at until one can be shown, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A post that waits for a helper, in its channel."""

    channel: FollowedChannel
    post: FollowedPost


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that may be the solution of a post, with how many people like it."""

    message_id: int
    author: str | None
    text: str
    likes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A post as a helper sees it: its question, what is proposed, and what else there is.

    ``others`` are those first that most people like.
    """

    post: Post
    question: str
    asker: str | None
    proposed: Candidate
    others: Sequence[Candidate]


class Reviewing:
    """Shows what waits for a helper, and leaves out what a helper doesn't want."""

    def __init__(self, database: Database, guilds: Guilds):
        self._database, self._guilds = database, guilds

    async def waiting(self, guild_id: int) -> list[Waiting]:
        """Return posts of a guild that wait for a helper: some, those first that came last."""
        async with self._database.read() as connection:
            posts = await following.posts(connection, guild_id, PostState.PROPOSED, AT_ONCE)
            channels = {c.channel_id: c for c in await following.channels(connection, guild_id)}
        return [
            Waiting(channel=channels[post.channel_id], post=post)
            for post in posts
            if post.channel_id in channels
        ]

    async def find(self, guild_id: int, post_id: int) -> Waiting | None:
        """Return a post of a guild if it waits for a helper."""
        async with self._database.read() as connection:
            post = await following.post(connection, guild_id, post_id)
            if post is None or post.state is not PostState.PROPOSED:
                return None
            channel = await following.channel(connection, guild_id, post.channel_id)
        return None if channel is None else Waiting(channel=channel, post=post)

    async def count(self, guild_id: int) -> int:
        """Return how many posts of a guild wait for a helper."""
        counts = await self._database.reading(following.count_posts, guild_id)
        return sum(states.get(PostState.PROPOSED, 0) for states in counts.values())

    async def skip(self, guild_id: int, post_id: int) -> bool:
        """Leave a post out until somebody marks its solution; False if it waits no longer."""
        async with self._database.write() as connection:
            post = await following.post(connection, guild_id, post_id)
            if post is None or post.state is not PostState.PROPOSED:
                return False
            now = datetime.now(UTC)
            skipped = replace(post, state=PostState.SKIPPED, proposed_id=None, updated_at=now)
            await following.put_post(connection, skipped)
        return True

    async def proposal(
        self, waiting: Waiting, reader: PostReader, post: Post, chosen: int | None = None
    ) -> Proposal | None:
        """Return a post with what is proposed, or the message that a helper has ``chosen``.

        ``None`` if that message, or the question, is not there to be shown. May raise PostGone.
        """
        read = await read_post(reader, post)
        people = solved_posts.people_of(read)
        choices = await self._database.reading(origins.choices_of, people)
        wished = solved_posts.as_wished(read, choices)
        if wished is None:
            return None
        settings = await self._guilds.settings(waiting.channel.guild_id)
        rules = solved_posts.rules_of(waiting.channel, settings, lambda _: False, reader.own_id)
        asking = first_message(wished.post, wished.messages)
        candidates = {
            m.id: _candidate(wished.post, m, m.people_for(rules.positive))
            for m in wished.messages
            if m is not asking and not (m.is_system or m.is_empty or m.author_id == rules.own_id)
        }
        proposed = candidates.pop(chosen or waiting.post.proposed_id or 0, None)
        if proposed is None:
            return None
        return Proposal(
            post=wished.post,
            question=answer_of(wished.post, asking, wished.names).body if asking else "",
            asker=asking.author if asking else None,
            proposed=proposed,
            others=sorted(candidates.values(), key=lambda each: (-each.likes, each.message_id)),
        )


def _candidate(post: Post, message: PostMessage, likes: int) -> Candidate:
    text = answer_of(post, message).body
    return Candidate(message_id=message.id, author=message.author, text=text, likes=likes)
