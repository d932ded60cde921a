"""What happened in followed posts while the bot was away is found at its next start."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from cogs.following import catching_up
from tests.cogs.following.conftest import ANSWER, Help
from tests.kit.forums import set_tags
from tests.kit.messages import last
from tests.kit.posts import JumpingClock
from tests.kit.simcord import muted, offline, overwrite

SHADE = "Give them shade."


async def restart(help_: Help) -> None:
    help_.world.app.backfills.pace.clock = JumpingClock()
    await help_.world.restart()


def looks(help_: Help, post: Any) -> int:
    """How often the messages of a post were asked for."""
    path = f"/channels/{post.id}/messages"
    return sum(r.method == "GET" and path in r.path for r in help_.world.env.http_requests)


async def test_a_mark_is_found(help_: Help):
    post, answer = await help_.answered()
    with muted(help_.world.env):
        await help_.world.alice.react(answer, "✅")
    assert await help_.state(post) is None
    await restart(help_)
    assert (await help_.state(post), await help_.served()) == ("solved", ANSWER)
    assert "Solved by [this message]" in last(post).content


async def test_a_mark_that_was_taken_back_is_found(help_: Help):
    post, answer = await help_.answered()
    await help_.world.alice.react(answer, "✅")
    with muted(help_.world.env):
        await help_.world.alice.unreact(answer, "✅")
    await restart(help_)
    assert (await help_.state(post), await help_.served()) == ("candidate", None)


async def test_an_edit_and_a_deletion_are_found(help_: Help):
    world = help_.world
    post, answer = await help_.answered()
    await help_.mark(world.alice, answer)
    with muted(world.env):
        world.env.backend.edit_message(post.id, answer.id, {"content": SHADE})
    await restart(help_)
    assert (await help_.thread(post)).answers[0].body == SHADE
    with muted(world.env):
        world.env.backend.delete_message(post.id, answer.id)
    await restart(help_)
    assert await help_.thread(post) is None


async def test_a_tag_is_found(help_: Help):
    world = help_.world
    post, answer = await help_.answered()
    for member in (world.alice, help_.fern):
        await member.react(answer, "👍")
    with muted(world.env):
        await set_tags(world.env, post, "Solved")
    await restart(help_)
    assert await help_.state(post) == "proposed"


async def test_a_session_that_was_lost_is_caught_up_with(help_: Help):
    post, answer = await help_.answered()
    help_.world.app.backfills.pace.clock = JumpingClock()
    async with offline(help_.world.env):
        await help_.world.alice.react(answer, "✅")
    assert await help_.state(post) == "solved"


async def test_posts_from_before_the_channel_was_followed_are_left_to_backfills(help_: Help):
    world = help_.world
    await world.app.following.unfollow(world.guild.id, help_.forum.id)
    post, answer = await help_.answered()
    await world.alice.react(answer, "✅")
    await world.env.advance_time(60)
    await world.mo.slash(world.general, "library follow", channel=help_.forum)
    await restart(help_)
    assert await help_.state(post) is None
    await help_.say(post, "Thanks!", world.alice)
    await restart(help_)
    assert await help_.state(post) == "solved"


async def test_no_more_than_the_newest_are_looked_at(help_: Help, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catching_up, "MOST", 2)
    posts = [await help_.post(f"How do I water plant {n}?") for n in range(4)]
    await help_.say(posts[0], SHADE)
    before = [looks(help_, post) for post in posts]
    await restart(help_)
    after = [looks(help_, post) for post in posts]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0, 0, 1]


async def test_a_channel_that_is_hidden_is_passed_over(help_: Help):
    post, answer = await help_.answered()
    with muted(help_.world.env):
        await help_.world.alice.react(answer, "✅")
    everyone = help_.world.guild.default_role
    change = discord.PermissionOverwrite(read_message_history=False)
    await overwrite(help_.world.env, help_.forum, everyone, change)
    before = looks(help_, post)
    await restart(help_)
    assert looks(help_, post) == before
    assert await help_.state(post) is None


async def test_where_discord_fails_the_bot_goes_on(help_: Help, caplog: pytest.LogCaptureFixture):
    _, answer = await help_.answered()
    with muted(help_.world.env):
        await help_.world.alice.react(answer, "✅")
    guild_id = help_.world.guild.id
    path = f"/guilds/{guild_id}/threads/active"
    help_.world.env.inject_error("GET", path, status=403, times=None)
    await restart(help_)
    assert f"guild {guild_id}: posts are not looked at" in caplog.text
    assert await help_.served() is None


async def test_a_request_that_fails_is_tried_again(help_: Help):
    post, answer = await help_.answered()
    with muted(help_.world.env):
        await help_.world.alice.react(answer, "✅")
    help_.world.env.inject_error("GET", "/guilds/*/threads/active", status=500, times=2)
    help_.world.env.inject_error("GET", f"/channels/{post.id}/messages", status=500, times=2)
    await restart(help_)
    assert await help_.state(post) == "solved"


async def test_a_channel_that_is_being_filled_in_is_left_to_that(help_: Help):
    world = help_.world
    post, answer = await help_.answered()
    await world.alice.react(answer, "✅")
    await world.app.backfills.begin(world.guild.id, help_.forum.id, world.mo.id)
    before = looks(help_, post)
    await restart(help_)
    assert looks(help_, post) == before  # what is solved is not read again
    (channel,) = await world.app.following.channels(world.guild.id)
    assert channel.backfill is not None
    assert channel.backfill.state == "done"
