"""Requests to Discord about posts, and the reading of one.

``PostReader`` is the side of Discord: each of its methods is one request, so that whoever calls
can keep to a pace. It raises Unreachable where another try may do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from bot.errors import ThreadwiseError
from bot.post_threads import Names
from bot.posts import LOOKED_AT, EmojiCount, Post, PostMessage, first_message
from bot.solutions import Rule, Rules, find_solution, to_ask_about

ASKED_ABOUT = 25
"""Messages of a post of which is asked who put the solution emoji there, at most."""

LOOKED_UP = 50
"""Users of a post of whom is asked whether they are helpers, at most."""

T = TypeVar("T")


class Ask(Protocol):
    """Does one request, in its turn."""

    async def __call__(self, request: Callable[[], Awaitable[T]], /) -> T:
        """Return what the request gives."""


async def at_once(request: Callable[[], Awaitable[T]], /) -> T:
    """Do a request without waiting, for somebody who waits for it."""
    return await request()


class ChannelHidden(ThreadwiseError):
    """The bot may not read a channel, or not what was written in it before."""

    exit_code = 1


class ChannelGone(ThreadwiseError):
    """A channel was deleted."""

    exit_code = 1


class PostGone(ThreadwiseError):
    """A post was deleted, or a message of it."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class FoundPost:
    """A post in a listing; ``archived_at`` is ``None`` for one that is active."""

    post: Post
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PostPage:
    """Some archived posts, those first that were archived last; ``has_more``: there are others."""

    posts: tuple[FoundPost, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of a post by their time, with the names of the users that they mention.

    ``last_id`` is where the next page begins; ``None``: there is none.
    """

    messages: tuple[PostMessage, ...]
    users: Mapping[int, str] = field(default_factory=dict)
    last_id: int | None = None


@dataclass(frozen=True, slots=True)
class Reacted:
    """The people who put an emoji on a message: their ids, and the count with bots."""

    people: frozenset[int]
    told: int


class PostReader(Protocol):
    """Reads the posts of one channel. All may raise ChannelHidden."""

    @property
    def own_id(self) -> int | None:
        """Return the id of the bot's own user."""

    @property
    def names(self) -> Names:
        """Return the names of the roles and channels that messages may mention."""

    async def active(self) -> tuple[FoundPost, ...]:
        """Return the active posts."""

    async def archived(self, before: datetime | None) -> PostPage:
        """Return the posts that were archived last before a moment. May raise ChannelGone."""

    async def messages(self, post: Post, after: int) -> MessagePage:
        """Return the messages of a post that follow one by id. May raise PostGone."""

    async def reacted(
        self, post: Post, message_id: int, emoji: str, *, as_super: bool = False
    ) -> Reacted:
        """Return who put an emoji on a message, with a super reaction or a normal one."""

    async def is_helper(self, user_id: int) -> bool:
        """Return whether a user is a helper of the channel's server."""


@dataclass(frozen=True, slots=True)
class ReadPost:
    """A post with its messages, as many as are looked at; ``is_cut``: it has more of them."""

    post: Post
    messages: tuple[PostMessage, ...]
    names: Names
    is_cut: bool = False


async def read_post(reader: PostReader, post: Post, ask: Ask = at_once) -> ReadPost:
    """Return a post with its first messages. May raise PostGone.

    Who wrote the question asked it, whoever made a Discord thread of that.
    """
    messages, users = list[PostMessage](), dict[int, str]()
    after: int | None = 0
    while after is not None and len(messages) < LOOKED_AT:
        page = await ask(partial(reader.messages, post, after))
        messages += page.messages
        users |= page.users
        after = page.last_id
    is_cut = after is not None or len(messages) > LOOKED_AT
    shown = tuple(messages[:LOOKED_AT])
    asking = first_message(post, shown)
    if asking is not None and not asking.is_bot:
        post = replace(post, asker_id=asking.author_id)
    return ReadPost(post, shown, replace(reader.names, users=users), is_cut)


class Reactors:
    """Finds out who marked messages as solutions, where the rules depend on it.

    Who was found to be a helper, or none, is kept for as long as this is.
    """

    def __init__(self, reader: PostReader, ask: Ask):
        self._reader, self._ask = reader, ask
        self._helpers: dict[int, bool] = {}

    def is_helper(self, user_id: int) -> bool:
        """Return whether a user is known to be a helper."""
        return self._helpers.get(user_id, False)

    async def fill_in(self, read: ReadPost, rules: Rules, marked: int | None) -> ReadPost:
        """Return a post with the users who put the solution emoji on its messages.

        They are not asked for where a rule settles it that needs none of them.
        """
        found = find_solution(read.post, read.messages, rules, marked=marked)
        if found is not None and found.rule in (Rule.MARKED, Rule.BOT):
            return read
        asked = to_ask_about(read.post, read.messages, rules)
        if not asked:
            return read
        asked = sorted(asked, key=lambda m: (-_count(m, rules), -m.id))[:ASKED_ABOUT]
        known = {m.id: await self._who(read.post, m, rules.solution_emoji) for m in asked}
        people = frozenset[int]().union(*(each.people for each in known.values()))
        if read.post.asker_id not in people:  # else it is theirs that counts
            await self._look_up(sorted(people))
        messages = tuple(
            _with_users(m, rules.solution_emoji, known[m.id]) if m.id in known else m
            for m in read.messages
        )
        return replace(read, messages=messages)

    async def _who(self, post: Post, message: PostMessage, emoji: str) -> Reacted:
        reacted = partial(self._reader.reacted, post, message.id, emoji)
        normal, mark = await self._ask(reacted), message.reaction(emoji)
        if mark is None or normal.told >= mark.count:
            return normal
        others = await self._ask(partial(reacted, as_super=True))
        return Reacted(normal.people | others.people, normal.told + others.told)

    async def _look_up(self, user_ids: list[int]) -> None:
        unknown = [user_id for user_id in user_ids if user_id not in self._helpers]
        for user_id in unknown[:LOOKED_UP]:
            self._helpers[user_id] = await self._ask(partial(self._reader.is_helper, user_id))


def _count(message: PostMessage, rules: Rules) -> int:
    mark = message.reaction(rules.solution_emoji)
    return 0 if mark is None else mark.count


def _with_users(message: PostMessage, emoji: str, who: Reacted) -> PostMessage:
    mark = message.reaction(emoji)
    if mark is None:
        return message
    people = mark.count - (who.told - len(who.people))  # bots don't count
    known = EmojiCount(emoji=mark.emoji, count=max(people, 0), user_ids=who.people)
    return replace(message, reactions=tuple(known if r is mark else r for r in message.reactions))
