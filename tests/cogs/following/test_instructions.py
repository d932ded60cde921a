"""What new posts are told where a moderator wants that: one quiet line, and nothing otherwise."""

from __future__ import annotations

from typing import Any

import discord

from bot.ui.following_cards import KEPT_HERE
from tests.cogs.following.conftest import Help
from tests.kit.messages import last, shown, size
from tests.kit.simcord import overwrite, user_thread


async def instruct(help_: Help, channel: Any, *, on: bool = True) -> str:
    told = await help_.world.mo.slash(
        help_.world.general, "library follow", channel=channel, instruct=on
    )
    return str(shown(told).content)


HOW = (
    "-# Did a message solve this? Say so: its menu → *Apps* → *Mark as solution*, or ✅ on it.\n"
    f"-# {KEPT_HERE}"
)


async def test_posts_are_told_nothing_unless_it_is_wanted(help_: Help):
    assert size(await help_.post()) == 1
    said = await instruct(help_, help_.forum)
    assert "Each new post is told how, in one quiet line." in said
    post = await help_.post()
    line = last(post)
    assert (line.content, size(post)) == (HOW, 2)
    assert line.flags.suppress_notifications
    await help_.say(post, "More of my question.", help_.world.alice)
    assert size(post) == 3
    listed = await help_.world.mo.slash(help_.world.general, "library followed")
    assert "tells new posts how" in shown(listed).embeds[0].description
    await help_.world.mo.slash(help_.world.general, "library follow", channel=help_.forum)
    assert size(await help_.post()) == 2
    await instruct(help_, help_.forum, on=False)
    assert size(await help_.post()) == 1


async def test_the_line_below_a_solved_post_is_another(help_: Help):
    await instruct(help_, help_.forum)
    post, answer = await help_.answered()
    await help_.mark(help_.world.alice, answer)
    assert last(post).content.startswith("-# ✅ Solved by")
    assert HOW in [message.content for message in post.history()]


async def test_threads_of_a_text_channel(help_: Help):
    world = help_.world
    await instruct(help_, world.general)
    asked = await world.alice.send(world.general, "Why do tomatoes turn yellow?")
    thread = await user_thread(world.env, world.alice, world.general, "tomatoes", asked)
    assert last(thread).content == HOW
    other = await user_thread(world.env, world.alice, world.ask, "another")
    assert size(other) == 0


async def test_of_bots_and_where_it_may_not_write_it_says_nothing(help_: Help):
    world = help_.world
    await instruct(help_, help_.forum)
    bot = world.guild.add_member(world.env.create_user("feed", bot=True))
    assert size(await help_.post(asker=bot)) == 1
    denied = discord.PermissionOverwrite(send_messages_in_threads=False)
    await overwrite(world.env, help_.forum, world.guild.default_role, denied)
    assert size(await help_.post()) == 1
