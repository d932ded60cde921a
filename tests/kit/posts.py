"""Posts of a channel in memory, read as a backfill reads Discord's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.errors import Unreachable
from bot.following import FollowedChannel
from bot.post_threads import Names
from bot.posts import EmojiCount, Post, PostMessage
from bot.services.post_reader import (
    ChannelHidden,
    FoundPost,
    MessagePage,
    PostGone,
    PostPage,
    Reacted,
)

GUILD, FORUM, OWNER = 1, 50, 900
ASKER, FRIEND, OTHER, HELPER = 11, 12, 13, 14
CHECK = "✅"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class JumpingClock:
    """A clock that goes on only while somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds


def followed(*, take_by_reactions: bool = False, solved_tag: str | None = None) -> FollowedChannel:
    """A forum that is followed."""
    return FollowedChannel(
        guild_id=GUILD,
        channel_id=FORUM,
        name="help",
        is_forum=True,
        followed_by=OWNER,
        followed_at=BEGAN,
        take_by_reactions=take_by_reactions,
        solved_tag=solved_tag,
    )


@dataclass
class Channel:
    """The posts of a channel, with what happens when one is asked for.

    ``archived_at`` has, by post, when it was archived; all others are active. ``reactors`` has,
    by message, who put the solution emoji there. ``on_request`` is called before each request.
    """

    posts: dict[int, Post] = field(default_factory=dict)
    contents: dict[int, list[PostMessage]] = field(default_factory=dict)
    archived_at: dict[int, datetime] = field(default_factory=dict)
    reactors: dict[int, list[int]] = field(default_factory=dict)
    supers: dict[int, list[int]] = field(default_factory=dict)
    helpers: set[int] = field(default_factory=set)
    is_hidden: bool = False
    page: int = 100
    requests: list[tuple[str, int]] = field(default_factory=list)
    on_request: Callable[[], None] = lambda: None

    own_id: int | None = 999
    names: Names = field(default_factory=Names)

    def add(
        self, number: int, *messages: PostMessage, tags: Iterable[str] = (), active: bool = False
    ) -> Post:
        """A post with a question and these messages; the higher its number, the newer it is."""
        post_id = number * 1000
        post = Post(
            id=post_id,
            channel_id=FORUM,
            channel="help",
            guild_id=GUILD,
            title=f"How do I water plant {number}?",
            asker_id=ASKER,
            tags=tuple(tags),
        )
        question = PostMessage(id=post_id, author_id=ASKER, author="ann", content="It is dry.")
        self.posts[post_id] = post
        self.contents[post_id] = [question, *messages]
        if not active:
            self.archived_at[post_id] = BEGAN + timedelta(hours=number)
        return post

    def solved(self, number: int, *, active: bool = False) -> Post:
        """A post that its asker marked with the solution emoji."""
        answer = reply(number * 1000 + 1, f"Water plant {number} on Mondays.", {CHECK: 1})
        self.reactors[answer.id] = [ASKER]
        return self.add(number, answer, active=active)

    def delete(self, post: Post) -> None:
        """Delete a post; listings that were read before may still name it."""
        self.contents.pop(post.id)

    async def active(self) -> tuple[FoundPost, ...]:
        self._request("active")
        return tuple(FoundPost(p) for p in self.posts.values() if p.id not in self.archived_at)

    async def archived(self, before: datetime | None) -> PostPage:
        self._request("archived")
        times = sorted(self.archived_at.items(), key=lambda each: (each[1], each[0]), reverse=True)
        below = [(i, at) for i, at in times if before is None or at < before]
        found = tuple(FoundPost(self.posts[i], at) for i, at in below[: self.page])
        return PostPage(found, len(below) > self.page)

    async def messages(self, post: Post, after: int) -> MessagePage:
        self._request("messages", post.id)
        if post.id not in self.contents:
            raise PostGone("it is gone")
        rest = [m for m in self.contents[post.id] if m.id > after]
        some = tuple(rest[:100])
        return MessagePage(some, {}, some[-1].id if len(some) == 100 else None)

    async def reacted(
        self, post: Post, message_id: int, emoji: str, *, as_super: bool = False
    ) -> Reacted:
        self._request("supers" if as_super else "reacted", message_id)
        who = (self.supers if as_super else self.reactors).get(message_id, [])
        return Reacted(frozenset(who), len(who))

    async def is_helper(self, user_id: int) -> bool:
        self._request("helper", user_id)
        return user_id in self.helpers

    def _request(self, kind: str, about: int = 0) -> None:
        self.requests.append((kind, about))
        self.on_request()
        if self.is_hidden:
            raise ChannelHidden("it is hidden")

    def asked(self, kind: str) -> list[int]:
        """What was asked for with requests of a kind."""
        return [about for name, about in self.requests if name == kind]


def reply(
    message_id: int, said: str, reactions: dict[str, int] | None = None, author_id: int = FRIEND
) -> PostMessage:
    """A message below a question."""
    counts = (EmojiCount(emoji=e, count=n) for e, n in (reactions or {}).items())
    return PostMessage(
        id=message_id,
        author_id=author_id,
        author=f"member {author_id}",
        content=said,
        reactions=tuple(counts),
    )


def failing(times: int) -> Callable[[], None]:
    """Requests that are not served for so many times."""
    left = [times]

    def fail() -> None:
        if left[0]:
            left[0] -= 1
            raise Unreachable("Discord is away")

    return fail
