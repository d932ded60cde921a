"""/library review: what reactions propose, and what helpers make of it."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.following import PostState
from tests.kit.forums import ask, forum_with_tags, set_tags
from tests.kit.messages import labels, last, offered, shown, told
from tests.kit.posts import JumpingClock
from tests.kit.simcord import join_guild, muted, overwrite
from tests.kit.world import World

QUESTION = "How do I dry herbs?"
LIKED, OTHER = "Hang them up in the shade.", "Put them into the oven."


@pytest.fixture(autouse=True)
def clock(world: World) -> None:
    world.app.backfills.pace.clock = JumpingClock()


@pytest.fixture
async def forum(world: World) -> Any:
    return await forum_with_tags(world.env, world.guild, "help", "Solved")


async def proposed(world: World, forum: Any, title: str = QUESTION) -> tuple[Any, Any, Any]:
    """A post with a tag, and two messages of which more people like the first."""
    post = await ask(world, forum, title, "They get mouldy.")
    first = await world.bob.send(post, LIKED)
    second = await world.bob.send(post, OTHER)
    for member in (world.alice, world.mo):
        await member.react(first, "👍")
    await world.alice.react(second, "👍")
    await set_tags(world.env, post, "Solved")
    return post, first, second


async def filled(world: World, *forums: Any) -> None:
    for forum in forums:
        await world.mo.slash(world.general, "library follow", channel=forum)
        await world.mo.slash(world.general, "library backfill", channel=forum)
        await world.env.settle()


async def review(world: World, member: Any = None) -> Any:
    """Open the review; returns the result, whose message is edited from then on."""
    return await (member or world.mo).slash(world.general, "library review")


async def state(world: World, post: Any) -> PostState | None:
    known = await world.app.followed_posts.known(world.guild.id, post.id)
    return None if known is None else known.state


async def accepted(world: World, guild_id: int | None = None) -> list[str]:
    """The accepted answers of the thread that the question finds."""
    found = await world.app.answering.ask(QUESTION, guild_id=guild_id or world.guild.id)
    match = next((m for m in found.matches if m.title == QUESTION), None)
    if match is None:
        return []
    thread = await world.app.answering.serve(match.thread_id, guild_id=world.guild.id)
    return [a.body for a in thread.answers if a.accepted] if thread else []


async def test_a_helper_sees_what_is_proposed_and_takes_it(world: World, forum: Any):
    post, _first, _second = await proposed(world, forum)
    await filled(world, forum)
    assert labels(last(world.general)) == ["Review"]
    assert await accepted(world) == []
    opened = await world.mo.click(last(world.general), label="Review")
    page = told(opened)
    assert page.flags.ephemeral
    embed = page.embeds[0]
    assert (embed.title, embed.url) == (
        QUESTION,
        f"https://discord.com/channels/{world.guild.id}/{post.id}",
    )
    assert embed.description == (
        f"They get mouldy.\n\n**Proposed answer** · bob · 2 like it\n{LIKED}"
    )
    assert embed.footer.text == "#help · 1 to review"
    pressed = await world.mo.click(page, label="Take")
    assert shown(pressed).content == (
        f"Taken, as the answer from now on: **{QUESTION}**\nThere is nothing to review."
    )
    assert labels(shown(pressed)) == []
    assert await accepted(world) == [LIKED]
    assert await state(world, post) is PostState.SOLVED


async def test_another_message_can_be_taken(world: World, forum: Any):
    _post, first, second = await proposed(world, forum)
    await filled(world, forum)
    page = told(await review(world))
    assert offered(page) == {OTHER: str(second.id)}
    chosen = await world.mo.select(page, values=[str(second.id)])
    assert f"**Proposed answer** · bob · 1 likes it\n{OTHER}" in shown(chosen).embeds[0].description
    assert str(first.id) in str(offered(shown(chosen)))
    await world.mo.click(shown(chosen), label="Take")
    assert await accepted(world) == [OTHER]


async def test_what_is_skipped_is_not_shown_again(world: World, forum: Any):
    post, *_ = await proposed(world, forum)
    await filled(world, forum)
    page = told(await review(world))
    pressed = await world.mo.click(page, label="Skip")
    assert shown(pressed).content == f"Skipped: **{QUESTION}**\nThere is nothing to review."
    assert await state(world, post) is PostState.SKIPPED
    await filled(world, forum)
    assert told(await review(world)).content == "There is nothing to review."
    assert await accepted(world) == []


async def test_only_helpers_may(world: World, forum: Any):
    await proposed(world, forum)
    await filled(world, forum)
    pressed = await world.alice.click(last(world.general), label="Review")
    only = "Only helpers of this server can do that. Ask whoever manages this server."
    assert told(pressed).content == only
    world.env.errors.clear()
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
    page = told(await fern.click(last(world.general), label="Review"))
    await world.app.guilds.update(world.guild.id, helper_role_ids=())
    refused = await fern.click(page, label="Take")
    assert told(refused).content == only
    world.env.errors.clear()
    assert await accepted(world) == []


async def test_helpers_may_use_the_command_where_discord_lets_them(world: World, forum: Any):
    await proposed(world, forum)
    await filled(world, forum)
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "library")
    world.guild.set_command_permissions(command, {fern: True})
    assert told(await review(world, fern)).embeds[0].title == QUESTION
    refused = await fern.slash(world.general, "library backfill", channel=forum)
    assert told(refused).content == "You need the *Manage Server* permission for this."
    world.env.errors.clear()


async def test_a_message_that_is_gone_gives_way_to_what_is_there_now(world: World, forum: Any):
    post, first, second = await proposed(world, forum)
    await filled(world, forum)
    page = told(await review(world))
    with muted(world.env):
        world.env.backend.delete_message(post.id, first.id)
    pressed = await world.mo.click(page, label="Take")
    assert shown(pressed).content.startswith("Not taken: that message is not there any more")
    assert await state(world, post) is PostState.CANDIDATE
    assert second is not None
    assert told(await review(world)).content == "There is nothing to review."


async def test_a_post_that_is_gone_is_passed_over(world: World, forum: Any):
    gone, *_ = await proposed(world, forum, "How do I fell a tree?")
    await proposed(world, forum)
    await filled(world, forum)
    with muted(world.env):
        world.env.backend.delete_channel(gone.id)
    cached: Any = world.bot.get_guild(world.guild.id)
    cached._remove_thread(discord.Object(gone.id))
    titles = set()
    page = told(await review(world))
    while page.embeds:
        titles.add(page.embeds[0].title)
        page = shown(await world.mo.click(page, label="Skip"))
    assert titles == {QUESTION}
    assert await state(world, gone) is None


async def test_a_hidden_forum_waits_and_others_are_shown(world: World, forum: Any):
    hidden = await forum_with_tags(world.env, world.guild, "secret", "Solved")
    post, *_ = await proposed(world, forum)
    await proposed(world, hidden, "How do I fell a tree?")
    await filled(world, forum, hidden)
    everyone = world.guild.default_role
    change = discord.PermissionOverwrite(read_message_history=False)
    await overwrite(world.env, hidden, everyone, change)
    page = told(await review(world))
    assert page.embeds[0].title == QUESTION
    assert page.content == f"I can't read <#{hidden.id}>, so its posts wait."
    assert await state(world, post) is PostState.PROPOSED


async def test_nothing_of_another_server_can_be_taken(world: World, forum: Any):
    post, *_ = await proposed(world, forum)
    await filled(world, forum)
    other = await join_guild(world.env, channels=("general",))
    boss = other.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
    eve = other.add_member(world.env.create_user("eve"), roles=[boss])
    page = told(await eve.slash(other.channels["general"], "library review"))
    assert page.content == "There is nothing to review."
    assert await world.app.reviewing.find(other.id, post.id) is None
    assert not await world.app.reviewing.skip(other.id, post.id)
    assert await state(world, post) is PostState.PROPOSED
    assert await accepted(world) == []
