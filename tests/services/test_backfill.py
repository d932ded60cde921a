"""Backfills: what comes in, what is asked for, and where they go on."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.app import App
from bot.curation import AuthorChoice
from bot.errors import NotFound, StoreError
from bot.following import BackfillState, Figure, FollowedChannel, FollowedPost, PostState
from bot.models import StoredThread
from bot.posts import LOOKED_AT, EmbedText
from bot.services.post_reader import ChannelGone
from bot.solutions import Rule
from bot.store import following, origins
from bot.store.tables import IN_FORCE, threads
from tests.kit.posts import (
    ASKER,
    BEGAN,
    CHECK,
    FORUM,
    FRIEND,
    GUILD,
    HELPER,
    OTHER,
    OWNER,
    Channel,
    JumpingClock,
    failing,
    followed,
    reply,
)


@dataclass
class Scene:
    """A followed forum, and an app that fills it in."""

    app: App
    channel: Channel
    clock: JumpingClock
    shown: list[tuple[FollowedChannel, str | None]]

    async def follow(self, channel: FollowedChannel) -> None:
        await self.app.database.writing(following.follow, channel)

    async def begin(self) -> FollowedChannel:
        return await self.app.backfills.begin(GUILD, FORUM, OWNER)

    async def run(self) -> None:
        """Go on with what is unfinished, as after a restart."""
        for channel in await self.app.backfills.unfinished():
            await self.app.backfills.run(channel, self.channel, lambda *now: self.shown.append(now))

    async def fill_in(self) -> dict[str, int]:
        """Begin a backfill and let it come to its end; returns what it counted."""
        await self.begin()
        await self.run()
        return await self.counts()

    async def now(self) -> FollowedChannel:
        found = await self.app.database.reading(following.channel, GUILD, FORUM)
        assert found is not None
        return found

    async def counts(self) -> dict[str, int]:
        backfill = (await self.now()).backfill
        assert backfill is not None
        return {name: count for name, count in backfill.counts.items() if count}

    async def state(self) -> BackfillState:
        backfill = (await self.now()).backfill
        assert backfill is not None
        return backfill.state

    async def post(self, number: int) -> FollowedPost | None:
        return await self.app.database.reading(following.post, GUILD, number * 1000)

    async def thread(self, number: int) -> StoredThread | None:
        key = f"discord:{FORUM}/{number * 1000}"
        return await self.app.answering.find(key, guild_id=GUILD)

    async def titles(self) -> list[str]:
        mine = select(threads.c.title).where(threads.c.scope == GUILD, IN_FORCE)
        async with self.app.database.read() as connection:
            return sorted((await connection.scalars(mine)).all())


@pytest.fixture
async def scene(app: App) -> Scene:
    clock = JumpingClock()
    app.backfills.pace.clock = clock
    scene = Scene(app, Channel(), clock, [])
    await scene.follow(followed())
    return scene


def linked(post_id: int, message_id: int) -> EmbedText:
    """What another bot posts of a solution."""
    fields = (("Solution Message ID", str(message_id)), ("Question Message ID", str(post_id)))
    return EmbedText(text="Solved", fields=fields)


async def test_what_is_solved_comes_in_and_the_rest_is_proposed_or_left(scene: Scene) -> None:
    channel = scene.channel
    channel.solved(1)
    mark = replace(reply(2002, "", author_id=70), is_bot=True, embeds=(linked(2000, 2001),))
    channel.add(2, reply(2001, "Use a can."), mark)
    liked = reply(3001, "Use rain.", {"👍": 3})
    channel.add(3, reply(3002, "No idea."), liked, tags=["Solved"])
    channel.add(4, reply(4001, "No idea."))
    counts = await scene.fill_in()
    assert counts == {Figure.READ: 4, Figure.SOLVED: 2, Figure.PROPOSED: 1}
    assert await scene.state() is BackfillState.DONE
    assert await scene.titles() == ["How do I water plant 1?", "How do I water plant 2?"]
    proposed = await scene.post(3)
    assert proposed is not None
    assert (proposed.state, proposed.rule) == (PostState.PROPOSED, Rule.REACTIONS)
    assert (proposed.proposed_id, proposed.title) == (3001, "How do I water plant 3?")
    assert await scene.post(4) is None


async def test_a_thread_knows_its_messages_and_is_found_at_once(scene: Scene) -> None:
    scene.channel.solved(1)
    await scene.fill_in()
    thread = await scene.thread(1)
    assert thread is not None
    assert [(a.key, a.accepted) for a in thread.answers] == [("1001", True)]
    async with scene.app.database.read() as connection:
        (answer_id,) = await origins.answers_of_message(connection, GUILD, 1001)
        asked = await origins.of_thread(connection, thread.id, GUILD)
        assert asked is not None
        assert asked.message_id == 1000
        assert (await origins.of_answers(connection, [answer_id]))[answer_id].author_id == FRIEND
    reply = await scene.app.answering.ask("How do I water plant 1?", guild_id=GUILD)
    assert [match.thread_id for match in reply.matches][:1] == [thread.id]
    elsewhere = await scene.app.answering.ask("How do I water plant 1?", guild_id=GUILD + 1)
    assert thread.id not in [match.thread_id for match in elsewhere.matches]


async def test_posts_are_read_newest_first_active_ones_before(scene: Scene) -> None:
    for number in (2, 5, 3):
        scene.channel.add(number)
    for number in (1, 4):
        scene.channel.add(number, active=True)
    await scene.fill_in()
    assert scene.channel.asked("messages") == [4000, 1000, 5000, 3000, 2000]


async def test_all_pages_are_read(scene: Scene) -> None:
    scene.channel.page = 3
    for number in range(1, 20):
        scene.channel.solved(number)
        scene.channel.archived_at[number * 1000] = BEGAN + timedelta(hours=number // 2)
    assert (await scene.fill_in())[Figure.SOLVED] == 19
    assert sorted(scene.channel.asked("messages")) == [n * 1000 for n in range(1, 20)]


async def test_posts_archived_at_one_time_don_t_hold_it_up(scene: Scene) -> None:
    scene.channel.page = 3
    for number in range(1, 9):
        scene.channel.add(number)
        scene.channel.archived_at[number * 1000] = BEGAN
    scene.channel.solved(20)
    counts = await scene.fill_in()
    assert counts[Figure.READ] >= 3
    assert await scene.state() is BackfillState.DONE


async def test_a_post_that_becomes_active_meanwhile_is_read(scene: Scene) -> None:
    channel = scene.channel
    channel.page = 1
    for number in (1, 2, 3):
        channel.solved(number)

    def revive() -> None:
        if channel.asked("messages") == [3000]:
            channel.archived_at.pop(1000, None)

    channel.on_request = revive
    assert await scene.fill_in() == {Figure.READ: 3, Figure.SOLVED: 3}


@pytest.mark.parametrize("stop_at", range(1, 20, 2))
async def test_it_goes_on_where_it_ended(scene: Scene, stop_at: int) -> None:
    channel = scene.channel
    channel.page = 3
    for number in range(1, 8):
        channel.solved(number, active=number % 3 == 0)
        if number % 3:  # some are archived at one time
            channel.archived_at[number * 1000] = BEGAN + timedelta(hours=number // 3)

    def die() -> None:
        if len(channel.requests) == stop_at:
            raise asyncio.CancelledError

    channel.on_request = die
    with pytest.raises(asyncio.CancelledError):
        await scene.fill_in()
    assert await scene.state() is BackfillState.RUNNING
    before = await scene.counts()
    read = channel.asked("messages")
    channel.requests.clear()
    channel.on_request = lambda: None
    await scene.run()
    assert await scene.counts() == {Figure.READ: 7, Figure.SOLVED: 7}
    assert len(await scene.titles()) == 7
    assert len(read) + len(channel.asked("messages")) <= 8  # the one that was under way, again
    assert len(read) - before.get(Figure.READ, 0) <= 1


async def test_it_can_be_stopped_and_goes_on_when_it_is_begun_again(scene: Scene) -> None:
    channel = scene.channel
    for number in (1, 2, 3):
        channel.solved(number)
    tasks = list[asyncio.Task[object]]()

    def stop() -> None:
        if channel.asked("messages") == [3000, 2000]:
            tasks.append(asyncio.ensure_future(scene.app.backfills.stop(GUILD, FORUM)))

    await scene.begin()
    await scene.app.backfills.stop(GUILD, FORUM)
    await scene.run()
    assert not channel.requests
    channel.on_request = stop
    assert (await scene.fill_in()).get(Figure.READ, 0) in (1, 2)
    assert await tasks[0] is not None
    assert await scene.state() is BackfillState.STOPPED
    assert await scene.app.backfills.stop(GUILD, FORUM) is None
    channel.on_request = lambda: None
    assert await scene.fill_in() == {Figure.READ: 3, Figure.SOLVED: 3}


async def test_once_done_it_begins_anew_and_changes_nothing_twice(scene: Scene) -> None:
    scene.channel.solved(1)
    scene.channel.add(2, reply(2001, "Use rain.", {"👍": 3}), tags=["Solved"])
    first = await scene.fill_in()
    scene.channel.requests.clear()
    assert await scene.fill_in() == {Figure.READ: 2, Figure.PROPOSED: 1}
    assert first[Figure.SOLVED] == 1
    assert scene.channel.asked("messages") == [2000]
    assert len(await scene.titles()) == 1


async def test_it_ends_once_the_channel_is_not_followed_any_more(scene: Scene) -> None:
    channel = scene.channel
    for number in range(1, 9):
        channel.solved(number)
    tasks = list[asyncio.Task[object]]()

    def unfollow() -> None:
        if len(channel.asked("messages")) == 2 and not tasks:
            leave = scene.app.database.writing(following.unfollow, GUILD, FORUM)
            tasks.append(asyncio.ensure_future(leave))

    channel.on_request = unfollow
    await scene.begin()
    await scene.run()
    await tasks[0]
    assert len(await scene.titles()) < 8
    with pytest.raises(NotFound, match=r"I don't follow <#50>"):
        await scene.begin()


async def test_a_forum_that_is_hidden_half_way_says_so_and_goes_on_later(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    channel = scene.channel
    for number in (1, 2, 3):
        channel.solved(number)
    channel.on_request = lambda: setattr(channel, "is_hidden", 2000 in channel.asked("messages"))
    with caplog.at_level(logging.WARNING):
        assert await scene.fill_in() == {Figure.READ: 1, Figure.SOLVED: 1}
    assert await scene.state() is BackfillState.FAILED
    problem = scene.shown[-1][1] or ""
    assert problem.startswith("I can't read #help any more. I need *View Channel*")
    assert len([r for r in caplog.records if "can't be filled in" in r.message]) == 1
    channel.on_request, channel.is_hidden = lambda: None, False
    assert await scene.fill_in() == {Figure.READ: 3, Figure.SOLVED: 3}


async def test_a_deleted_forum_is_said(scene: Scene) -> None:
    def gone() -> None:
        raise ChannelGone("it is gone")

    scene.channel.on_request = gone
    await scene.fill_in()
    assert scene.shown[-1][1] == "#help was deleted."


async def test_what_nobody_expected_is_logged_and_said(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("never seen")

    scene.channel.on_request = broken
    await scene.fill_in()
    assert await scene.state() is BackfillState.FAILED
    assert "never seen" in caplog.text
    assert (scene.shown[-1][1] or "").startswith("Something went wrong on my side.")


async def test_a_deleted_post_is_counted_and_the_rest_goes_on(scene: Scene) -> None:
    posts = [scene.channel.solved(number) for number in (1, 2, 3)]
    scene.channel.delete(posts[1])
    assert await scene.fill_in() == {Figure.READ: 3, Figure.SOLVED: 2, Figure.GONE: 1}


async def test_what_was_proposed_of_a_deleted_post_goes(scene: Scene) -> None:
    liked = reply(1001, "Use rain.", {"👍": 3})
    post = scene.channel.add(1, liked, tags=["Solved"])
    await scene.fill_in()
    scene.channel.delete(post)
    await scene.fill_in()
    assert await scene.post(1) is None


async def test_500_messages_of_a_post_are_read(scene: Scene) -> None:
    many = [reply(1001 + n, f"No idea {n}.") for n in range(600)]
    many[550] = replace(many[550], reactions=reply(1, "", {CHECK: 1}).reactions)
    scene.channel.reactors[many[550].id] = [ASKER]
    scene.channel.add(1, *many)
    assert await scene.fill_in() == {Figure.READ: 1, Figure.CUT: 1}
    assert len(scene.channel.asked("messages")) == LOOKED_AT // 100


async def test_failures_that_pass_are_waited_for(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        scene.channel.solved(number)
    scene.channel.on_request = failing(12)
    assert await scene.fill_in() == {Figure.READ: 2, Figure.SOLVED: 2}
    assert scene.clock.time > 100
    assert len([r for r in caplog.records if "a backfill waits" in r.message]) == 1


async def test_a_locked_database_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.channel.solved(1)
    put, left = following.put_post, [2]

    async def locked(*args: object) -> None:
        if left[0]:
            left[0] -= 1
            raise StoreError("the database is locked")
        await put(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(following, "put_post", locked)
    assert await scene.fill_in() == {Figure.READ: 1, Figure.SOLVED: 1}
    assert len(await scene.titles()) == 1


async def test_a_second_run_beside_the_first_does_nothing(scene: Scene) -> None:
    for number in range(1, 6):
        scene.channel.solved(number)
    await scene.begin()
    await asyncio.gather(scene.run(), scene.run())
    assert await scene.counts() == {Figure.READ: 5, Figure.SOLVED: 5}
    assert len(scene.channel.asked("messages")) == 5


class TestWhoReacted:
    async def test_is_asked_only_for_the_solution_emoji(self, scene: Scene) -> None:
        scene.channel.add(1, reply(1001, "Use rain.", {"👍": 5}), reply(1002, "A can.", {CHECK: 2}))
        await scene.fill_in()
        assert scene.channel.asked("reacted") == [1002]

    async def test_is_not_asked_where_another_bot_says_it(self, scene: Scene) -> None:
        mark = replace(reply(1003, "", author_id=70), is_bot=True, embeds=(linked(1000, 1001),))
        scene.channel.add(1, reply(1001, "A can.", {CHECK: 2}), mark)
        assert (await scene.fill_in())[Figure.SOLVED] == 1
        assert not scene.channel.asked("reacted")

    async def test_counts_for_helpers_too_of_whom_is_asked_once(self, scene: Scene) -> None:
        channel = scene.channel
        channel.helpers = {HELPER}
        for number in (1, 2):
            channel.add(number, reply(number * 1000 + 1, "A can.", {CHECK: 2}))
            channel.reactors[number * 1000 + 1] = [HELPER, OTHER]
        channel.add(3, reply(3001, "A can.", {CHECK: 1}))
        channel.reactors[3001] = [OTHER]
        assert await scene.fill_in() == {Figure.READ: 3, Figure.SOLVED: 2}
        assert sorted(channel.asked("helper")) == [OTHER, HELPER]

    async def test_needs_no_helper_where_the_asker_did(self, scene: Scene) -> None:
        scene.channel.solved(1)
        scene.channel.reactors[1001] = [ASKER, OTHER]
        assert (await scene.fill_in())[Figure.SOLVED] == 1
        assert not scene.channel.asked("helper")

    async def test_may_be_a_super_reaction(self, scene: Scene) -> None:
        scene.channel.add(1, reply(1001, "A can.", {CHECK: 1}))
        scene.channel.supers[1001] = [ASKER]
        assert (await scene.fill_in())[Figure.SOLVED] == 1


class TestWhatMembersWant:
    async def choose(self, scene: Scene, user_id: int, choice: AuthorChoice) -> None:
        await scene.app.database.writing(origins.choose, user_id, choice)

    async def test_an_asker_who_wants_no_part_is_left_out(self, scene: Scene) -> None:
        await self.choose(scene, ASKER, AuthorChoice.LEAVE_OUT)
        scene.channel.solved(1)
        assert await scene.fill_in() == {Figure.READ: 1, Figure.LEFT_OUT: 1}
        assert not await scene.titles()

    async def test_an_answer_of_somebody_who_wants_no_part_is_none(self, scene: Scene) -> None:
        await self.choose(scene, FRIEND, AuthorChoice.LEAVE_OUT)
        scene.channel.solved(1)
        assert await scene.fill_in() == {Figure.READ: 1}

    async def test_a_name_is_left_out(self, scene: Scene) -> None:
        await self.choose(scene, FRIEND, AuthorChoice.WITHOUT_NAME)
        scene.channel.solved(1)
        await scene.fill_in()
        thread = await scene.thread(1)
        assert thread is not None
        assert [answer.author for answer in thread.answers] == ["somebody"]

    async def test_it_holds_though_it_is_said_while_the_post_is_read(self, scene: Scene) -> None:
        channel, app = scene.channel, scene.app
        channel.solved(1)
        real = channel.reacted

        async def reacted(*args: object, **how: object) -> object:
            await app.database.writing(origins.choose, FRIEND, AuthorChoice.LEAVE_OUT)
            return await real(*args, **how)  # type: ignore[arg-type]

        channel.reacted = reacted  # type: ignore[method-assign, assignment]
        assert await scene.fill_in() == {Figure.READ: 1}
        assert not await scene.titles()


class TestWhatHelpersSaid:
    async def note(self, scene: Scene, **what: object) -> None:
        post = FollowedPost(post_id=1000, guild_id=GUILD, channel_id=FORUM, updated_at=BEGAN)
        changed = replace(post, **what)  # type: ignore[arg-type]
        await scene.app.database.writing(following.put_post, changed)

    async def test_what_is_not_the_solution_is_not_taken_again(self, scene: Scene) -> None:
        await self.note(scene, state=PostState.REFUSED, rejected=(1001,))
        scene.channel.solved(1)
        assert await scene.fill_in() == {Figure.READ: 1}
        assert (await scene.post(1)).state is PostState.REFUSED  # type: ignore[union-attr]

    async def test_what_was_skipped_is_not_proposed_again(self, scene: Scene) -> None:
        await self.note(scene, state=PostState.SKIPPED)
        scene.channel.add(1, reply(1001, "Use rain.", {"👍": 3}), tags=["Solved"])
        assert await scene.fill_in() == {Figure.READ: 1}

    async def test_a_proposal_that_holds_no_longer_goes(self, scene: Scene) -> None:
        await self.note(scene, state=PostState.PROPOSED, title="How?", proposed_id=1001)
        scene.channel.add(1, reply(1001, "Use rain."))
        assert await scene.fill_in() == {Figure.READ: 1}
        assert (await scene.post(1)).state is PostState.CANDIDATE  # type: ignore[union-attr]

    async def test_reactions_suffice_where_the_server_chose_that(self, scene: Scene) -> None:
        await scene.follow(followed(take_by_reactions=True))
        scene.channel.add(1, reply(1001, "Use rain.", {"👍": 3}), tags=["Solved"])
        assert await scene.fill_in() == {Figure.READ: 1, Figure.SOLVED: 1}

    async def test_the_channel_s_own_word_for_solved_counts(self, scene: Scene) -> None:
        await scene.follow(followed(solved_tag="Gelöst"))
        scene.channel.add(1, reply(1001, "Use rain.", {"👍": 3}), tags=["Gelöst"])
        assert await scene.fill_in() == {Figure.READ: 1, Figure.PROPOSED: 1}


async def test_a_post_without_anything_that_can_be_kept_is_left_out(scene: Scene) -> None:
    scene.channel.add(1, reply(1001, "A can.", {CHECK: 1}))
    scene.channel.reactors[1001] = [ASKER]
    scene.channel.posts[1000] = replace(scene.channel.posts[1000], title="​")
    scene.channel.contents[1000][0] = replace(scene.channel.contents[1000][0], content="")
    counts = await scene.fill_in()
    assert counts[Figure.READ] == 1
    assert await scene.state() is BackfillState.DONE
