"""The posts of a backfill: each is read, told whether it is solved, and written with the cursor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from bot.errors import NotAccepted
from bot.following import (
    BackfillState,
    Figure,
    FollowedChannel,
    FollowedPost,
    PostState,
)
from bot.services import post_changes, solved_posts
from bot.services.curating import check
from bot.services.guilds import Guilds
from bot.services.library_room import Room
from bot.services.post_reader import (
    FoundPost,
    PostGone,
    PostPage,
    PostReader,
    Reactors,
    ReadPost,
    read_post,
)
from bot.services.request_pace import RequestPace
from bot.services.solved_posts import AuthorChoices, PostThread
from bot.solutions import Rules, Solution, find_solution
from bot.store import following, origins
from bot.store.database import Database

T = TypeVar("T")


class Ended(Exception):
    """A backfill was stopped, or its channel isn't followed any more."""


class _ChoicesChanged(Exception):
    """Somebody said something else of their messages while a post was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """The result of a post: its present state (``None``: as before), and what is counted."""

    figures: Counter[Figure]
    state: PostState | None = None
    solution: Solution | None = None
    made: PostThread | None = None
    read: ReadPost | None = None
    choices: AuthorChoices | None = None


class BackfillPosts:
    """Fills in the posts of one channel. Requests are made one after the other, at a pace."""

    def __init__(
        self,
        database: Database,
        guilds: Guilds,
        channel: FollowedChannel,
        reader: PostReader,
        pace: RequestPace,
        room: Room | None = None,
    ):
        self._database, self._guilds, self._reader = database, guilds, reader
        self._guild_id, self._channel_id = channel.guild_id, channel.channel_id
        self._pace, self._room = pace, room or Room()
        self._reactors = Reactors(reader, self._ask)

    async def check(self) -> FollowedChannel:
        """Return the channel as it is now. Raises Ended if it is not being filled in any more."""
        return _running(
            await self._database.reading(following.channel, self._guild_id, self._channel_id)
        )

    async def active(self) -> list[FoundPost]:
        """Return the active posts, newest first."""
        await self.check()
        found = await self._ask(self._reader.active)
        return sorted(found, key=lambda each: -each.post.id)

    async def archived(self, before: datetime | None) -> PostPage:
        """Return posts that were archived before a moment, those first that were so last."""
        await self.check()
        return await self._ask(partial(self._reader.archived, before))

    async def fill_in(self, found: FoundPost, *, is_late: bool = False) -> FollowedChannel:
        """Take a post in if it is solved, and note that the backfill has read it.

        One that comes ``is_late``, when all were read, leaves the cursor where it is, and is
        counted only if that changed something. Returns the channel as it is afterwards.
        """
        while True:
            channel = await self.check()
            known = await self._database.reading(following.post, self._guild_id, found.post.id)
            outcome = await self._outcome(channel, found, known)
            try:
                async with self._database.write() as connection:
                    return await self._write(connection, found, outcome, is_late=is_late)
            except _ChoicesChanged:
                continue

    async def _ask(self, request: Callable[[], Awaitable[T]], /) -> T:
        async with self._pace.turn():
            return await request()

    async def _outcome(
        self, channel: FollowedChannel, found: FoundPost, known: FollowedPost | None
    ) -> _Outcome:
        """Read a post, and return what is to become of it."""
        figures = Counter({Figure.READ: 1})
        if known is not None and known.state is PostState.SOLVED:
            return _Outcome(figures=figures)
        try:
            read = await read_post(self._reader, found.post, self._ask)
            figures[Figure.CUT] += read.is_cut
            rules = await self._rules(channel)
            choices = await self._database.reading(origins.choices_of, solved_posts.people_of(read))
            wished = solved_posts.as_wished(read, choices)
            if wished is not None:
                wished = await self._reactors.fill_in(wished, rules, None)
        except PostGone:
            return _Outcome(figures=figures + Counter({Figure.GONE: 1}))
        if wished is None:
            return _Outcome(figures=figures + Counter({Figure.LEFT_OUT: 1}), choices=choices)
        outcome = _Outcome(figures=figures, read=wished, choices=choices)
        return _judged(channel, outcome, wished, rules, known)

    async def _rules(self, channel: FollowedChannel) -> Rules:
        settings = await self._guilds.settings(self._guild_id)
        return solved_posts.rules_of(
            channel, settings, self._reactors.is_helper, self._reader.own_id
        )

    async def _write(
        self, connection: Any, found: FoundPost, outcome: _Outcome, *, is_late: bool
    ) -> FollowedChannel:
        """Write what a post came to, together with the cursor."""
        guild_id, post_id = self._guild_id, found.post.id
        channel = _running(await following.channel(connection, guild_id, self._channel_id))
        known = await following.post(connection, guild_id, post_id)
        backfill = channel.backfill
        assert backfill is not None
        is_new = True
        if known is not None and known.state is PostState.SOLVED:  # somebody marked it meanwhile
            is_new = False
        else:
            if outcome.read is not None and outcome.choices is not None:
                people = solved_posts.people_of(outcome.read) | set(outcome.choices)
                if await origins.choices_of(connection, people) != outcome.choices:
                    raise _ChoicesChanged
            if outcome.made is not None:
                await self._room.for_key(connection, guild_id, outcome.made.thread.key)
            is_new = await _put(connection, channel, outcome, known)
        figures = outcome.figures if is_new or not is_late else Counter[Figure]()
        counts = Counter(backfill.counts)
        counts.update({figure.value: count for figure, count in figures.items()})
        if not is_late:
            backfill = replace(backfill, before=found.archived_at, post_id=post_id)
        backfill = replace(backfill, counts=dict(counts))
        await following.set_backfill(connection, guild_id, self._channel_id, backfill)
        return replace(channel, backfill=backfill)


def _running(channel: FollowedChannel | None) -> FollowedChannel:
    if channel is None or channel.backfill is None:
        raise Ended
    if channel.backfill.state is not BackfillState.RUNNING:
        raise Ended
    return channel


def _judged(
    channel: FollowedChannel,
    outcome: _Outcome,
    read: ReadPost,
    rules: Rules,
    known: FollowedPost | None,
) -> _Outcome:
    """Return what a post comes to by the rules."""
    rejected = known.rejected if known is not None else ()
    solution = find_solution(read.post, read.messages, rules, rejected=rejected)
    if solution is None:
        return outcome
    outcome = replace(outcome, solution=solution)
    if solution.is_proposed and not channel.take_by_reactions:
        if known is not None and known.state is PostState.SKIPPED:
            return outcome
        figures = outcome.figures + Counter({Figure.PROPOSED: 1})
        return replace(outcome, state=PostState.PROPOSED, figures=figures)
    made = solved_posts.make(channel, read, solution.message, rules)
    try:
        check(made.thread)
    except NotAccepted:
        figures = outcome.figures + Counter({Figure.LEFT_OUT: 1})
        return replace(outcome, solution=None, figures=figures)
    figures = outcome.figures + Counter({Figure.SOLVED: 1})
    return replace(outcome, state=PostState.SOLVED, made=made, figures=figures)


def _solved(
    channel: FollowedChannel, made: PostThread, solution: Solution, known: FollowedPost | None
) -> FollowedPost:
    """Return a post as it stands once it is solved; its thread is not there yet."""
    return replace(
        known or solved_posts.new_post(channel, made.post),
        asker_id=made.post.asker_id or 0,
        title=made.post.title,
        state=PostState.SOLVED,
        rule=solution.rule,
        solution_id=made.solution_id,
        proposed_id=None,
        updated_at=datetime.now(UTC),
    )


async def _put(
    connection: Any,
    channel: FollowedChannel,
    outcome: _Outcome,
    known: FollowedPost | None,
) -> bool:
    """Store how a post stands now; return whether that is something else than before."""
    solution, made, read = outcome.solution, outcome.made, outcome.read
    if made is not None and solution is not None and read is not None:
        now = _solved(channel, made, solution, known)
        now, _shown = await post_changes.put(
            connection, known, now, made, read, user_id=0, is_new=True, is_wished=False
        )
        await following.put_post(connection, now)
        return True
    if known is not None and outcome.figures[Figure.GONE]:
        await following.drop_post(connection, known.post_id)
        return True
    was_proposed = known is not None and known.state is PostState.PROPOSED
    if outcome.state is PostState.PROPOSED and solution is not None and outcome.read is not None:
        post = outcome.read.post
        proposed = replace(
            known or solved_posts.new_post(channel, post),
            asker_id=post.asker_id or 0,
            title=post.title,
            state=PostState.PROPOSED,
            rule=solution.rule,
            proposed_id=solution.message.id,
            updated_at=datetime.now(UTC),
        )
        await following.put_post(connection, proposed)
        return not was_proposed
    if known is not None and was_proposed:
        await following.put_post(
            connection,
            replace(known, state=PostState.CANDIDATE, proposed_id=None, rule=None, title=""),
        )
    return False
