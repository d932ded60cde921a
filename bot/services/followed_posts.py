"""Posts of followed channels, kept in step with the library: solved, edited, reopened, deleted."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.curation import Action
from bot.following import FollowedChannel, FollowedPost, PostState
from bot.post_threads import post_key
from bot.posts import Post, first_message
from bot.services import post_changes, solved_posts
from bot.services.guilds import Guilds
from bot.services.index_sync import IndexSync
from bot.services.library_room import Room
from bot.services.post_looks import NO_WISH, PostLook, Wish, stands
from bot.services.post_reader import Ask, PostReader, Reactors, ReadPost, at_once, read_post
from bot.solutions import Rule, Rules, Solution, find_solution
from bot.store import following, origins, postings
from bot.store.database import Database

AT_ONCE = 50
"""Posts of a deleted channel that are taken out in one transaction."""

log = logging.getLogger(__name__)


class FollowedPosts:
    """Keeps threads in step with the posts that they are made of."""

    def __init__(
        self, database: Database, guilds: Guilds, index_sync: IndexSync, room: Room | None = None
    ):
        self._database, self._guilds, self._index_sync = database, guilds, index_sync
        self._room = room or Room()

    async def known(self, guild_id: int, post_id: int) -> FollowedPost | None:
        """Return what is known of a post."""
        return await self._database.reading(following.post, guild_id, post_id)

    async def known_among(self, guild_id: int, post_ids: Collection[int]) -> list[FollowedPost]:
        """Return what is known of those of some channels that are posts."""
        return await self._database.reading(following.posts_among, guild_id, post_ids)

    async def is_answer(self, guild_id: int, message_id: int) -> bool:
        """Return whether a message is an answer of the library, of a followed post or not."""
        return bool(await self._database.reading(origins.answers_of_message, guild_id, message_id))

    async def note_line(self, guild_id: int, post_id: int, note_id: int | None) -> None:
        """Note which message is the bot's own line in a post."""
        async with self._database.write() as connection:
            known = await following.post(connection, guild_id, post_id)
            if known is not None:
                await following.put_post(connection, replace(known, note_id=note_id))

    async def look(
        self,
        channel: FollowedChannel,
        reader: PostReader,
        post: Post,
        wish: Wish = NO_WISH,
        ask: Ask = at_once,
    ) -> PostLook:
        """Read a post, and make of its thread what the post says now; requests are made by ``ask``.

        Raises PostGone, ChannelHidden, Unreachable and NotAccepted, and changes nothing then.
        """
        while True:
            known = await self.known(channel.guild_id, post.id)
            read = await read_post(reader, post, ask)
            choices = await self._database.reading(origins.choices_of, solved_posts.people_of(read))
            wished = solved_posts.as_wished(read, choices)
            looked = _Looked(channel, read, wish, choices, wished)
            if wished is not None:
                looked = await self._judge(looked, reader, known, ask)
            try:
                seen = await self._write(known, looked)
            except _Meanwhile:
                continue
            await self._index_sync.catch_up()
            return seen

    async def _judge(
        self, looked: _Looked, reader: PostReader, known: FollowedPost | None, ask: Ask
    ) -> _Looked:
        """Return a post with the message that solved it, if there is one."""
        read, reactors = looked.wished, Reactors(reader, ask)
        assert read is not None
        settings = await self._guilds.settings(looked.channel.guild_id)
        rules = solved_posts.rules_of(looked.channel, settings, reactors.is_helper, reader.own_id)
        marked, rejected = _said(known, looked.wish)
        read = await reactors.fill_in(read, rules, marked)
        post = solved_posts.without_own_tag(read.post, known)
        find = partial(find_solution, post, read.messages, rules, marked=marked)
        solution = find(rejected=rejected)
        while looked.wish.reopens and solution is not None:
            rejected = (*rejected, solution.message.id)
            solution = find(rejected=rejected)
        return replace(looked, wished=read, rules=rules, solution=solution, rejected=rejected)

    async def gone(self, guild_id: int, post_id: int) -> PostLook | None:
        """Take out what came from a post that was deleted; ``None`` if nothing did."""
        async with self._database.write() as connection:
            known = await following.post(connection, guild_id, post_id)
            if known is None:
                return None
            messages = await post_changes.take_out(connection, known, Action.FOLLOWED, 0)
            await following.drop_post(connection, post_id)
        log.info("guild %d: the post %d was deleted", guild_id, post_id)
        await self._index_sync.catch_up()
        return PostLook(before=known, now=None, messages=messages)

    async def channel_gone(self, guild_id: int, channel_id: int) -> PostLook:
        """Take out what came from a channel that was deleted, some posts at a time."""
        messages = list[int]()
        find = partial(following.posts, guild_id=guild_id, state=PostState.SOLVED, limit=AT_ONCE)
        while True:
            async with self._database.write() as connection:
                posts = await find(connection, channel_id=channel_id)
                for post in posts:
                    messages += await post_changes.take_out(connection, post, Action.FOLLOWED, 0)
                    await following.drop_post(connection, post.post_id)
            if not posts:
                break
        await self._index_sync.catch_up()
        return PostLook(before=None, now=None, messages=tuple(messages[: postings.MAX_REDRAWN]))

    async def _write(self, known: FollowedPost | None, looked: _Looked) -> PostLook:
        channel, wish = looked.channel, looked.wish
        async with self._database.write() as connection:
            there = await following.post(connection, channel.guild_id, looked.read.post.id)
            people = solved_posts.people_of(looked.read)
            if there != known or await origins.choices_of(connection, people) != looked.choices:
                raise _Meanwhile
            now = _judged(looked, known)
            messages: tuple[int, ...] = ()
            if now.state is PostState.SOLVED:
                await self._room.for_key(connection, now.guild_id, post_key(looked.read.post))
                now, messages = await _put(connection, known, now, looked)
            elif known is not None and known.state is PostState.SOLVED:
                action = Action.REOPENED if wish.rejects else Action.FOLLOWED
                messages = await post_changes.take_out(connection, known, action, wish.user_id)
            if now != known and (known is not None or now.state is not PostState.CANDIDATE):
                now = replace(now, updated_at=datetime.now(UTC))
                await following.put_post(connection, now)
            if stands(known) != stands(now):
                log.info("guild %d: the post %d is %s", now.guild_id, now.post_id, now.state)
        return PostLook(
            before=known,
            now=now,
            messages=messages,
            asked=_asked(looked.wished),
            left_out=_is_left_out(looked),
            is_cut=looked.read.is_cut,
        )


@dataclass(frozen=True, slots=True)
class _Looked:
    """A post as it was read, as the authors of its messages want it, and what solved it."""

    channel: FollowedChannel
    read: ReadPost
    wish: Wish
    choices: solved_posts.AuthorChoices
    wished: ReadPost | None
    rules: Rules | None = None
    solution: Solution | None = None
    rejected: tuple[int, ...] = ()


class _Meanwhile(Exception):
    """Somebody wrote about the post while it was read, or chose what becomes of their words."""


def _said(known: FollowedPost | None, wish: Wish) -> tuple[int | None, tuple[int, ...]]:
    """Return the message that is marked as the solution, and those that are none."""
    rejected = dict.fromkeys(known.rejected if known is not None else ())
    marked = wish.marked
    if known is not None and known.state is PostState.SOLVED:
        if wish.rejects and known.solution_id is not None:
            rejected[known.solution_id] = None
        elif known.rule is Rule.MARKED and marked is None:
            marked = known.solution_id
    for again in (wish.marked, wish.chosen):
        rejected.pop(again or 0, None)
    return marked, tuple(rejected)


def _judged(looked: _Looked, known: FollowedPost | None) -> FollowedPost:
    """Return how a post stands by what solved it; of a solved one, the thread is not there yet."""
    post, solution = looked.read.post, looked.solution
    rejected = looked.rejected or _said(known, looked.wish)[1]
    now = replace(
        known or solved_posts.new_post(looked.channel, post),
        asker_id=post.asker_id or 0,
        title="",
        state=PostState.REFUSED if rejected else PostState.CANDIDATE,
        rule=None,
        solution_id=None,
        proposed_id=None,
        rejected=rejected,
    )
    if solution is None:
        return now
    message_id = solution.message.id
    told = replace(now, title=post.title, rule=solution.rule)
    if not solution.is_proposed or looked.channel.take_by_reactions:
        return replace(told, state=PostState.SOLVED, solution_id=message_id)
    if known is not None and known.state is PostState.SKIPPED:
        return replace(known, rejected=rejected)
    return replace(told, state=PostState.PROPOSED, proposed_id=message_id)


def _asked(read: ReadPost | None) -> tuple[str, int] | None:
    """Return what the first message of a post says, with its id."""
    asking = None if read is None else first_message(read.post, read.messages)
    return None if asking is None else (asking.content, asking.id)


def _is_left_out(looked: _Looked) -> bool:
    """Return whether somebody's wish keeps out what was marked."""
    if looked.wished is None:
        return True
    marked = looked.wish.marked
    kept = {message.id for message in looked.wished.messages}
    return marked in {message.id for message in looked.read.messages} - kept


async def _put(
    connection: Any, known: FollowedPost | None, now: FollowedPost, looked: _Looked
) -> tuple[FollowedPost, tuple[int, ...]]:
    """Store the thread of a solved post, and return that with the messages that show it."""
    read, rules, solution = looked.wished, looked.rules, looked.solution
    assert read is not None
    assert rules is not None
    assert solution is not None
    made = solved_posts.make(looked.channel, read, solution.message, rules)
    return await post_changes.put(
        connection,
        known,
        now,
        made,
        read,
        user_id=looked.wish.user_id,
        is_new=stands(known) != stands(now),
        is_wished=looked.wish.marked is not None or looked.wish.chosen is not None,
    )
