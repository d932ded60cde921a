"""Forums of the loopback Discord: their posts, listed as Discord lists them, and its members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.kit.loopback import world
from tests.kit.loopback.world import Guild, Message, Payload, snowflake

if TYPE_CHECKING:
    from tests.kit.loopback.discord import Loopback

PAGE = 100
"""Posts in one reply, at most."""


@dataclass(slots=True)
class Post:
    """A post of a forum; one without ``archived_at`` is active."""

    id: int
    title: str
    asker: int
    tags: Sequence[int] = ()
    archived_at: datetime | None = None


@dataclass(slots=True)
class Forum:
    """A forum with its tags by name, and its posts by id."""

    id: int
    guild: Guild
    name: str
    tags: dict[str, int]
    posts: dict[int, Post] = field(default_factory=dict)

    def payload(self) -> Payload:
        """As GUILD_CREATE has it."""
        tags = [
            {"id": str(i), "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
            for name, i in self.tags.items()
        ]
        found = world.channel_payload(self.id, self.guild.id, self.name)
        return found | {"type": 15, "available_tags": tags, "flags": 0}

    def thread(self, post: Post) -> Payload:
        """A post as listings have it."""
        at = (post.archived_at or datetime.fromisoformat("2026-01-01T00:00:00+00:00")).isoformat()
        return {
            "id": str(post.id),
            "guild_id": str(self.guild.id),
            "parent_id": str(self.id),
            "owner_id": str(post.asker),
            "name": post.title,
            "type": 11,
            "applied_tags": [str(tag) for tag in post.tags],
            "thread_metadata": {
                "archived": post.archived_at is not None,
                "archive_timestamp": at,
                "auto_archive_duration": 4320,
                "locked": False,
            },
        }


def add_forum(loopback: Loopback, guild: Guild, name: str, *tags: str) -> Forum:
    """A forum of a guild; a bot that connects later knows it."""
    forum = Forum(snowflake(), guild, name, {tag: snowflake() for tag in tags})
    guild.forums.append(forum.payload())
    loopback.forums[forum.id] = forum
    return forum


def add_post(
    loopback: Loopback, forum: Forum, asker: int, title: str, said: str, *tags: str
) -> Post:
    """A post in a forum, with its first message, of which nobody is told."""
    post = Post(snowflake(), title, asker, [forum.tags[tag] for tag in tags])
    forum.posts[post.id] = post
    loopback.sent[post.id] = []
    write(loopback, forum, post, asker, said, message_id=post.id)
    return post


def write(
    loopback: Loopback,
    forum: Forum,
    post: Post,
    author: int,
    said: str,
    *,
    message_id: int | None = None,
    embeds: Sequence[Payload] = (),
) -> Message:
    """A message in a post, of which nobody is told."""
    message = Message(
        id=message_id or snowflake(),
        channel_id=post.id,
        guild_id=forum.guild.id,
        author=loopback.users[author],
        content=said,
        embeds=list(embeds),
    )
    loopback.sent[post.id].append(message)
    loopback.by_id[message.id] = message
    return message


def routes(loopback: Loopback, replied: Callable[[Any], web.Response]) -> list[web.RouteDef]:
    """What is served of forums."""

    async def active(request: web.Request) -> web.Response:
        guild_id = int(request.match_info["guild"])
        found = [
            forum.thread(post)
            for forum in loopback.forums.values()
            for post in forum.posts.values()
            if forum.guild.id == guild_id and post.archived_at is None
        ]
        return replied({"threads": found, "members": []})

    async def archived(request: web.Request) -> web.Response:
        forum = loopback.forums[int(request.match_info["channel"])]
        before = request.query.get("before")
        end = datetime.fromisoformat(before) if before is not None else None
        limit = min(int(request.query.get("limit", PAGE)), PAGE)
        dated = [(post.archived_at, post) for post in forum.posts.values() if post.archived_at]
        below = [(at, post) for at, post in dated if end is None or at < end]
        below.sort(key=lambda each: (each[0], each[1].id), reverse=True)
        found = [forum.thread(post) for _, post in below[:limit]]
        return replied({"threads": found, "members": [], "has_more": len(below) > limit})

    async def member(request: web.Request) -> web.Response:
        guild = loopback.guilds[int(request.match_info["guild"])]
        return replied(world.member_payload(guild.members[int(request.match_info["user"])]))

    return [
        web.get("/guilds/{guild}/threads/active", active),
        web.get("/channels/{channel}/threads/archived/public", archived),
        web.get("/guilds/{guild}/members/{user}", member),
    ]
