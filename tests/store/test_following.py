"""Followed channels and posts: kept by guild, with backfills, and without what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from bot.curation import Action
from bot.following import Backfill, BackfillState, FollowedChannel, FollowedPost, PostState
from bot.models import Thread
from bot.solutions import Rule
from bot.store import curating, following
from bot.store.curating import Change
from bot.store.database import Database
from bot.store.tables import threads

HERE, THERE, HELP, ASKER = 1, 2, 50, 7
NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)


def channel(guild_id: int = HERE, channel_id: int = HELP, name: str = "help") -> FollowedChannel:
    return FollowedChannel(
        guild_id=guild_id,
        channel_id=channel_id,
        name=name,
        is_forum=True,
        followed_by=9,
        followed_at=NOW,
        solved_tag="Gelöst",
    )


def post(
    post_id: int, state: PostState = PostState.CANDIDATE, guild_id: int = HERE
) -> FollowedPost:
    return FollowedPost(
        post_id=post_id,
        guild_id=guild_id,
        channel_id=HELP,
        asker_id=ASKER,
        title="How?",
        state=state,
        updated_at=NOW + timedelta(seconds=post_id),
    )


async def test_a_channel_is_followed_by_its_guild_alone(database: Database) -> None:
    async with database.write() as connection:
        await following.follow(connection, channel(name="z"))
        await following.follow(connection, channel(channel_id=51, name="a"))
        await following.follow(connection, channel(THERE))
    async with database.read() as connection:
        assert await following.channel(connection, HERE, HELP) == channel(name="z")
        assert [c.name for c in await following.channels(connection, HERE)] == ["a", "z"]
        assert await following.channels(connection, 3) == []
    async with database.write() as connection:
        await following.rename(connection, HERE, HELP, "questions")
        assert await following.unfollow(connection, HERE, 51)
        assert not await following.unfollow(connection, HERE, 51)
        assert await following.channels(connection, HERE) == [channel(name="questions")]
        assert await following.channels(connection, THERE) == [channel(THERE)]


async def test_a_backfill_outlives_a_change_of_how_a_channel_is_followed(
    database: Database,
) -> None:
    begun = Backfill(
        state=BackfillState.RUNNING, before=NOW, post_id=3, counts={"solved": 2}, user_id=9
    )
    async with database.write() as connection:
        await following.follow(connection, channel())
        assert await following.set_backfill(connection, HERE, HELP, begun)
        assert not await following.set_backfill(connection, THERE, HELP, begun)
        await following.follow(connection, replace(channel(), take_by_reactions=True))
        expected = replace(channel(), take_by_reactions=True, backfill=begun)
        assert await following.channel(connection, HERE, HELP) == expected
        assert await following.with_backfill(connection, BackfillState.RUNNING) == [expected]
        assert await following.with_backfill(connection, BackfillState.DONE) == []
        await following.set_backfill(connection, HERE, HELP, None)
        assert await following.with_backfill(connection, BackfillState.RUNNING) == []


async def test_a_post_is_kept_with_all_that_is_known_of_it(database: Database) -> None:
    known = replace(
        post(100, PostState.PROPOSED),
        rule=Rule.REACTIONS,
        solution_id=101,
        proposed_id=102,
        rejected=(103, 104),
        note_id=105,
    )
    async with database.write() as connection:
        await following.put_post(connection, post(100))
        await following.put_post(connection, known)
        assert await following.post(connection, HERE, 100) == known
        assert await following.post(connection, THERE, 100) is None
        await following.drop_post(connection, 100)
        assert await following.post(connection, HERE, 100) is None


async def test_of_a_post_that_is_not_solved_no_words_are_kept(database: Database) -> None:
    async with database.write() as connection:
        for number, state in enumerate(PostState):
            await following.put_post(connection, post(number, state))
            kept = await following.post(connection, HERE, number)
            assert kept is not None
            assert bool(kept.title) == (state in (PostState.PROPOSED, PostState.SOLVED))


async def test_posts_are_listed_and_counted_by_guild_and_state(database: Database) -> None:
    async with database.write() as connection:
        for number in range(4):
            await following.put_post(connection, post(number, PostState.PROPOSED))
        await following.put_post(connection, post(5, PostState.SOLVED))
        await following.put_post(connection, post(6, PostState.PROPOSED, THERE))
        listed = await following.posts(connection, HERE, PostState.PROPOSED, 3)
        assert [p.post_id for p in listed] == [3, 2, 1]
        assert not await following.posts(connection, HERE, PostState.PROPOSED, 3, channel_id=51)
        counted = {HELP: {PostState.PROPOSED: 4, PostState.SOLVED: 1}}
        assert await following.count_posts(connection, HERE) == counted
        await following.follow(connection, channel())
        await following.unfollow(connection, HERE, HELP)
        assert await following.count_posts(connection, HERE) == {}
        assert await following.count_posts(connection, THERE) == {HELP: {PostState.PROPOSED: 1}}


async def test_the_post_of_a_thread_is_found_until_the_thread_is_deleted(
    database: Database,
) -> None:
    async with database.write() as connection:
        change = await Change.begin(connection, HERE, Action.SOLVED, 9)
        thread_id = await curating.add(connection, change, Thread(key="k", title="How?"))
        solved = replace(post(100, PostState.SOLVED), thread_id=thread_id)
        await following.put_post(connection, solved)
        assert await following.post(connection, HERE, 100) == solved
        assert await following.post(connection, THERE, 100) is None
        await connection.execute(delete(threads).where(threads.c.id == thread_id))
        assert await following.post(connection, HERE, 100) == replace(solved, thread_id=None)


async def test_who_asks_to_be_forgotten_is(database: Database) -> None:
    backfill = Backfill(state=BackfillState.DONE, user_id=9)
    async with database.write() as connection:
        await following.follow(connection, channel())
        await following.set_backfill(connection, HERE, HELP, backfill)
        await following.put_post(connection, post(100))
        for user_id in (ASKER, 9):
            await following.forget_user(connection, user_id)
        kept = await following.channel(connection, HERE, HELP)
        assert kept == replace(channel(), followed_by=0, backfill=replace(backfill, user_id=0))
        assert await following.post(connection, HERE, 100) == replace(
            post(100), asker_id=0, title=""
        )


@pytest.mark.sqlite_only
async def test_finding_posts_and_backfills_reads_no_whole_table(database: Database) -> None:
    async with database.write() as connection:
        for table, condition in (
            ("followed_posts", "thread_id = 1 AND guild_id = 1"),
            ("followed_posts", "guild_id = 1 AND state = 'x' AND channel_id = 1"),
            ("followed_posts", "asker_id = 1"),
            ("followed_channels", "backfill_state = 'x'"),
        ):
            plan = await connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition}"
            )
            assert "SCAN" not in str(plan.all()), condition
