"""/library backfill: what comes in, what is shown, and how it is stopped and goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from bot.following import BackfillState
from cogs.library import backfill_progress
from tests.kit.forums import ask, forum_with_tags, set_tags, tag_names
from tests.kit.messages import labels, last, size, told
from tests.kit.posts import JumpingClock
from tests.kit.simcord import delete_channel, join_guild, muted, overwrite, user_thread
from tests.kit.world import World

QUESTION = "How do I water a cactus?"
ANSWER = "Once a month, from below."


HOUR = 3600.0


class SlowClock(JumpingClock):
    """A clock by which every wait takes an hour of SimCord's time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(HOUR)
        self.time += seconds


@pytest.fixture(autouse=True)
def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill_progress, "EVERY", 0.0)
    world.app.backfills.pace.clock = JumpingClock()


@pytest.fixture
async def forum(world: World) -> Any:
    return await forum_with_tags(world.env, world.guild, "help", "Solved")


async def solved_post(world: World, forum: Any, title: str = QUESTION) -> Any:
    """A post in which the asker put ✅ under bob's answer."""
    post = await ask(world, forum, title, "It looks dry.")
    answer = await world.bob.send(post, ANSWER)
    await world.alice.react(answer, "✅")
    return post


async def archive(world: World, *posts: Any) -> None:
    for post in posts:
        world.env.backend.edit_channel(post.id, {}, thread_metadata={"archived": True})
    await world.env.settle()


async def follow(world: World, channel: Any, **how: Any) -> None:
    await world.mo.slash(world.general, "library follow", channel=channel, **how)


async def backfill(world: World, channel: Any, member: Any = None) -> Any:
    return await (member or world.mo).slash(world.general, "library backfill", channel=channel)


async def ended(world: World) -> str:
    """Wait until no backfill runs; returns what the latest message in the channel says."""

    async def unfinished() -> bool:
        return bool(await world.app.backfills.unfinished())

    async with asyncio.timeout(30):
        while await unfinished():
            await world.env.settle()
    await world.env.settle()
    return str(last(world.general).content)


async def finds(world: World, guild_id: int, question: str = QUESTION) -> bool:
    found = await world.app.answering.ask(question, guild_id=guild_id)
    return any(match.title == question for match in found.matches)


async def test_solved_posts_come_in_and_nothing_is_posted_or_tagged(world: World, forum: Any):
    old = await solved_post(world, forum)
    active = await solved_post(world, forum, "How do I prune a rose?")
    liked = await ask(world, forum, "How do I dry herbs?", "They get mouldy.")
    message = await world.bob.send(liked, "Hang them up.")
    for member in (world.alice, world.mo):
        await member.react(message, "👍")
    await set_tags(world.env, liked, "Solved")
    await ask(world, forum, "How do I fell a tree?", "It is tall.")
    await archive(world, old, liked)
    before = size(world.general), size(old), size(active)
    await follow(world, forum)
    await backfill(world, forum)
    said = await ended(world)
    assert said.splitlines() == [
        f"I have read all posts of <#{forum.id}>: **4 posts**.",
        "**2** solved, which I answer with now · **1** for `/library review`",
    ]
    assert labels(last(world.general)) == ["Review"]
    assert (size(world.general) - 1, size(old), size(active)) == before
    assert tag_names(world.env, old) == []
    assert await finds(world, world.guild.id)
    assert await finds(world, world.guild.id, "How do I prune a rose?")
    assert not await finds(world, world.guild.id, "How do I dry herbs?")


async def test_nothing_of_it_shows_elsewhere(world: World, forum: Any):
    await solved_post(world, forum)
    await follow(world, forum)
    await backfill(world, forum)
    await ended(world)
    other = await join_guild(world.env, channels=("ask",))
    assert await finds(world, world.guild.id)
    assert not await finds(world, other.id)
    assert await world.app.backfills.stop(other.id, forum.id) is None


async def test_threads_of_a_text_channel_come_in_with_the_message_they_are_of(world: World):
    asked = await world.alice.send(world.ask, "How do I store dahlias?")
    thread = await user_thread(world.env, world.mo, world.ask, "Dahlias", asked)
    answer = await world.bob.send(thread, "In sand, without frost.")
    await world.alice.react(answer, "✅")
    await follow(world, world.ask)
    await backfill(world, world.ask)
    assert "**1** solved" in await ended(world)
    key = f"discord:{world.ask.id}/{thread.id}"
    found = await world.app.answering.find(key, guild_id=world.guild.id)
    assert found is not None
    assert (found.title, found.body, found.author) == (
        "Dahlias",
        "How do I store dahlias?",
        "alice",
    )


async def test_a_helper_s_mark_counts_and_a_member_s_does_not(world: World, forum: Any):
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
    for title, member in ((QUESTION, fern), ("How do I prune a rose?", world.bob)):
        post = await ask(world, forum, title, "It looks dry.")
        await member.react(await world.bob.send(post, ANSWER), "✅")
    await follow(world, forum)
    await backfill(world, forum)
    await ended(world)
    assert await finds(world, world.guild.id)
    assert not await finds(world, world.guild.id, "How do I prune a rose?")


async def test_a_channel_that_is_not_followed_is_refused(world: World, forum: Any):
    result = await backfill(world, forum)
    said = f"I don't follow <#{forum.id}>. `/library follow` comes first."
    assert told(result).content == said
    assert told(result).flags.ephemeral
    assert size(world.general) == 0
    world.env.errors.clear()


async def test_a_hidden_channel_is_refused(world: World, forum: Any):
    await follow(world, forum)
    everyone = world.guild.default_role
    change = discord.PermissionOverwrite(read_message_history=False)
    await overwrite(world.env, forum, everyone, change)
    result = await backfill(world, forum)
    assert told(result).content.startswith(f"I can't read <#{forum.id}>")
    assert await world.app.backfills.unfinished() == []
    world.env.errors.clear()


async def test_members_may_not_begin_one(world: World, forum: Any):
    await follow(world, forum)
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "library")
    world.guild.set_command_permissions(command, {world.alice: True})
    result = await backfill(world, forum, world.alice)
    assert told(result).content == "You need the *Manage Server* permission for this."
    world.env.errors.clear()


async def begin_and_wait(world: World, forum: Any) -> None:
    """Begin a backfill that waits after ten requests."""
    for number in range(8):
        await solved_post(world, forum, f"How do I water plant number {number}?")
    await follow(world, forum)
    world.app.backfills.pace.clock = SlowClock()
    await backfill(world, forum)


async def test_progress_is_shown_and_it_can_be_stopped(world: World, forum: Any):
    await begin_and_wait(world, forum)
    shown = last(world.general)
    assert shown.content.startswith(f"I am reading the posts of <#{forum.id}>, newest first: ")
    assert labels(shown) == ["Stop"]
    pressed = await world.alice.click(shown, label="Stop")
    assert told(pressed).content == "You need the *Manage Server* permission for this."
    world.env.errors.clear()
    await world.mo.click(last(world.general), label="Stop")
    assert last(world.general).content.startswith("I stopped reading the posts of")
    await world.env.advance_time(HOUR)
    said = await ended(world)
    assert said.splitlines()[-1] == "`/library backfill` goes on there."
    assert size(world.general) == 1
    world.app.backfills.pace.clock = JumpingClock()
    await backfill(world, forum)
    assert "**8** solved" in await ended(world)


async def test_it_goes_on_by_itself_after_a_restart(world: World, forum: Any):
    await begin_and_wait(world, forum)
    shown = last(world.general)
    world.app.backfills.pace.clock = JumpingClock()
    await world.restart()
    said = await ended(world)
    assert last(world.general).id == shown.id
    assert said.startswith(f"I have read all posts of <#{forum.id}>: **8 posts**.")
    assert size(world.general) == 1
    assert await finds(world, world.guild.id, "How do I water plant number 0?")


async def test_a_forum_that_is_hidden_half_way_is_said(world: World, forum: Any):
    await begin_and_wait(world, forum)
    everyone = world.guild.default_role
    change = discord.PermissionOverwrite(read_message_history=False)
    await overwrite(world.env, forum, everyone, change)
    await world.env.advance_time(HOUR)
    said = (await ended(world)).splitlines()[-1]
    needed = "I need *View Channel* and *Read Message History*."
    assert said == f"⚠️ I can't read #help any more. {needed} `/library backfill` goes on there."
    (channel,) = await world.app.following.channels(world.guild.id)
    assert channel.backfill is not None
    assert channel.backfill.state is BackfillState.FAILED
    change = discord.PermissionOverwrite(read_message_history=True)
    await overwrite(world.env, forum, everyone, change)
    world.app.backfills.pace.clock = JumpingClock()
    await backfill(world, forum)
    assert "**8** solved" in await ended(world)


async def test_a_channel_that_was_deleted_while_the_bot_was_away_is_said(world: World, forum: Any):
    await begin_and_wait(world, forum)
    with muted(world.env):
        await delete_channel(world.env, forum)
    await world.restart()
    assert "#help was deleted." in await ended(world)


async def test_unfollowing_ends_it(world: World, forum: Any):
    await begin_and_wait(world, forum)
    await world.mo.slash(world.general, "library unfollow", channel=str(forum.id))
    await world.env.advance_time(HOUR)
    for _ in range(3):
        await world.env.settle()
    said = last(world.general).content
    assert f"I don't follow <#{forum.id}>. `/library follow` comes first." in said
    assert labels(last(world.general)) == []
