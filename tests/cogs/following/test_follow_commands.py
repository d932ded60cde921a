"""/library follow, unfollow and followed: what is followed, who is told, and what can't be."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.errors import StoreError
from bot.following import FollowedPost, PostState
from bot.store import following
from bot.ui.following_cards import KEPT_HERE
from tests.kit.forums import forum_with_tags
from tests.kit.messages import labels, last, shown, size, told
from tests.kit.simcord import delete_channel, join_guild, overwrite
from tests.kit.world import World


@pytest.fixture
async def forum(world: World) -> Any:
    return await forum_with_tags(world.env, world.guild, "help", "Bug", "✅ Solved")


async def follow(world: World, channel: Any, member: Any = None, **how: Any) -> str:
    result = await (member or world.mo).slash(
        world.general, "library follow", channel=channel, **how
    )
    return str(told(result).content)


async def refused(world: World, channel: Any, member: Any = None, **how: Any) -> str:
    """What is said to who may not follow a channel, or can't."""
    before = len(world.env.errors)
    said = await follow(world, channel, member, **how)
    assert len(world.env.errors) == before + 1
    return said


async def let(world: World, *members: Any) -> None:
    """Discord lets these members use /library, as a server's settings may."""
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "library")
    world.guild.set_command_permissions(command, dict.fromkeys(members, True))


async def followed(world: World, guild_id: int | None = None) -> list[Any]:
    return await world.app.following.channels(guild_id or world.guild.id)


async def test_a_forum_is_followed_with_the_tag_that_fits(world: World, forum: Any):
    said = await follow(world, forum)
    assert f"I follow <#{forum.id}> now: what is solved there is found here at once." in said
    assert "*Apps → Mark as solution* or ✅" in said
    assert "Its tag for solved posts: **✅ Solved**" in said
    assert "a helper is asked, in `/library review`" in said
    assert "⚠️" not in said
    (channel,) = await followed(world)
    assert (channel.name, channel.is_forum, channel.solved_tag) == ("help", True, "✅ Solved")
    assert (channel.followed_by, channel.notice_id) == (world.mo.id, None)
    assert size(world.general) == 0


async def test_what_the_bot_may_not_do_there_is_said(world: World, forum: Any):
    everyone = world.guild.default_role
    denied = discord.PermissionOverwrite(manage_threads=False, send_messages_in_threads=False)
    await overwrite(world.env, forum, everyone, denied)
    said = (await follow(world, forum)).split("\n")[-2:]
    assert said == [
        "⚠️ I may not write in its posts, so nobody reads there that something is kept.",
        "⚠️ I need the permission *Manage Threads* to set the tag.",
    ]


async def test_the_tag_can_be_chosen_and_stays(world: World, forum: Any):
    await follow(world, forum, tag=" bug ")
    said = await follow(world, forum, take_by_reactions=True)
    assert "Its tag for solved posts: **Bug**" in said
    assert "I take the message that most people like" in said
    (channel,) = await followed(world)
    assert (channel.solved_tag, channel.take_by_reactions) == ("Bug", True)


async def test_a_tag_that_is_not_there_is_refused(world: World, forum: Any):
    said = await refused(world, forum, tag="Fixed")
    assert said == f"<#{forum.id}> has no such tag: **Fixed**\nIt has: Bug, ✅ Solved"
    said = await refused(world, world.ask, tag="Fixed")
    assert said == f"<#{world.ask.id}> has no tags. Leave the tag out."
    assert await followed(world) == []


async def test_the_tags_of_the_forum_are_offered(world: World, forum: Any):
    offered = await world.mo.autocomplete(
        world.general, "library follow", "tag", "sol", channel=forum
    )
    assert [choice["value"] for choice in offered] == ["✅ Solved"]
    await let(world, world.alice)
    none = await world.alice.autocomplete(
        world.general, "library follow", "tag", "sol", channel=forum
    )
    assert none == []


async def test_a_text_channel_s_members_are_told_once(world: World):
    said = await follow(world, world.ask)
    assert "I told its members so, in one line there." in said
    assert last(world.ask).content == f"-# {KEPT_HERE}"
    await follow(world, world.ask, take_by_reactions=True)
    assert size(world.ask) == 1
    (channel,) = await followed(world)
    assert (channel.is_forum, channel.notice_id) == (False, last(world.ask).id)


async def test_where_nobody_can_be_told_nothing_is_followed(world: World):
    everyone = world.guild.default_role
    await overwrite(
        world.env, world.ask, everyone, discord.PermissionOverwrite(send_messages=False)
    )
    said = await refused(world, world.ask)
    assert said.startswith(f"I can't tell the members of <#{world.ask.id}> that it is followed")
    assert await followed(world) == []


async def test_the_line_goes_if_it_could_not_be_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    async def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(world.app.following, "follow", full)
    assert "something went wrong" in await refused(world, world.ask)
    assert size(world.ask) == 0


async def test_a_hidden_channel_is_not_followed(world: World, forum: Any):
    everyone = world.guild.default_role
    change = discord.PermissionOverwrite(read_message_history=False)
    await overwrite(world.env, forum, everyone, change)
    said = await refused(world, forum)
    needed = "I need the permissions *Read Message History* there."
    assert said == f"I can't read <#{forum.id}>: {needed}"
    assert await followed(world) == []


@pytest.mark.simcord(approved_intents=discord.Intents.default())
async def test_without_message_content_nothing_is_followed(world: World, forum: Any):
    said = await refused(world, forum)
    assert said.startswith("I can't follow a channel: without the message content intent")
    assert await followed(world) == []


async def test_members_and_helpers_follow_nothing(world: World, forum: Any):
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
    await let(world, world.alice, fern)
    for member in (world.alice, fern):
        said = await refused(world, forum, member)
        assert said == "You need the *Manage Server* permission for this."
    assert await followed(world) == []


class TestGuidelines:
    async def press(self, world: World, forum: Any, member: Any = None) -> str:
        result = await world.mo.slash(world.general, "library follow", channel=forum)
        assert labels(shown(result)) == ["Say so in its guidelines"]
        pressed = await (member or world.mo).click(shown(result), label="Say so in its guidelines")
        return str(told(pressed).content)

    def topic(self, world: World, forum: Any) -> Any:
        return world.env.backend.get_channel(forum.id).topic

    async def test_they_say_so_at_a_press_and_once(self, world: World, forum: Any):
        world.env.backend.edit_channel(forum.id, {"topic": "Be kind."})
        await world.env.settle()
        said = await self.press(world, forum)
        assert said == f"The guidelines of <#{forum.id}> say so now."
        assert self.topic(world, forum) == f"Be kind.\n\n{KEPT_HERE}"
        said = await self.press(world, forum)
        assert said == f"The guidelines of <#{forum.id}> say so already."
        assert self.topic(world, forum) == f"Be kind.\n\n{KEPT_HERE}"

    async def test_without_the_permission_the_line_is_given(self, world: World, forum: Any):
        everyone = world.guild.default_role
        denied = discord.PermissionOverwrite(manage_channels=False)
        await overwrite(world.env, forum, everyone, denied)
        said = await self.press(world, forum)
        assert "I need the permission *Manage Channel*" in said
        assert said.endswith(f"> {KEPT_HERE}")
        assert self.topic(world, forum) is None

    async def test_where_there_is_no_room_the_line_is_given(self, world: World, forum: Any):
        world.env.backend.edit_channel(forum.id, {"topic": "x" * 4_000})
        await world.env.settle()
        said = await self.press(world, forum)
        assert "have no room for it" in said
        assert self.topic(world, forum) == "x" * 4_000

    async def test_nothing_is_written_into_what_is_not_followed(self, world: World, forum: Any):
        result = await world.mo.slash(world.general, "library follow", channel=forum)
        await world.mo.slash(world.general, "library unfollow", channel="help")
        pressed = await world.mo.click(shown(result), label="Say so in its guidelines")
        assert told(pressed).content == "I don't follow that channel."
        assert self.topic(world, forum) is None


class TestUnfollowing:
    async def test_the_line_goes_and_what_came_stays(self, world: World):
        await follow(world, world.ask)
        (channel,) = await followed(world)
        async with world.app.database.write() as connection:
            post = FollowedPost(
                post_id=9,
                guild_id=world.guild.id,
                channel_id=world.ask.id,
                state=PostState.SOLVED,
                updated_at=channel.followed_at,
            )
            await following.put_post(connection, post)
        result = await world.mo.slash(world.general, "library unfollow", channel="ask")
        assert told(result).content == (
            "I don't follow **#ask** any more. 1 thread from there stays; `/library remove` "
            "takes it out, by its source."
        )
        assert (size(world.ask), await followed(world)) == (0, [])

    async def test_what_is_not_followed_is_said(self, world: World):
        result = await world.mo.slash(world.general, "library unfollow", channel="ask")
        assert told(result).content == "I don't follow that channel."
        assert len(world.env.errors) == 1

    async def test_names_are_offered_to_managers(self, world: World, forum: Any):
        await follow(world, forum)
        offered = await world.mo.autocomplete(world.general, "library unfollow", "channel", "#he")
        assert [(c["name"], c["value"]) for c in offered] == [("#help", str(forum.id))]
        result = await world.mo.slash(world.general, "library unfollow", channel=str(forum.id))
        assert told(result).content == "I don't follow **#help** any more."


class TestList:
    async def listed(self, world: World) -> Any:
        return told(await world.mo.slash(world.general, "library followed"))

    async def test_nothing_is_followed(self, world: World):
        listed = await self.listed(world)
        assert listed.content == "I follow no channel here yet. `/library follow` begins."

    async def test_what_is_deleted_or_hidden_is_said(self, world: World, forum: Any):
        gone = world.guild.create_text_channel("gone")
        await world.env.settle()
        for channel in (forum, gone, world.ask):
            await follow(world, channel, take_by_reactions=channel is forum)
        await delete_channel(world.env, gone)
        everyone = world.guild.default_role
        await overwrite(
            world.env, world.ask, everyone, discord.PermissionOverwrite(view_channel=False)
        )
        (embed,) = (await self.listed(world)).embeds
        assert embed.description.split("\n") == [
            f"<#{world.ask.id}> · 0 solved · **hidden from me**",
            "#gone · was deleted: `/library unfollow` takes it from this list",
            f"<#{forum.id}> · 0 solved · tag ✅ Solved · takes by reactions",
        ]


async def test_servers_know_nothing_of_each_other(world: World, forum: Any):
    await follow(world, forum)
    other = await join_guild(world.env, channels=("talk",))
    boss = other.add_member(
        world.env.create_user("boss"),
        roles=[other.create_role("Boss", permissions=discord.Permissions(manage_guild=True))],
    )
    talk = other.channels["talk"]
    listed = told(await boss.slash(talk, "library followed"))
    assert listed.content == "I follow no channel here yet. `/library follow` begins."
    for name in ("help", str(forum.id)):
        result = await boss.slash(talk, "library unfollow", channel=name)
        assert told(result).content == "I don't follow that channel."
    assert len(world.env.errors) == 2
    assert await boss.autocomplete(talk, "library unfollow", "channel", "") == []
    assert len(await followed(world)) == 1


async def test_the_emoji_is_a_setting(world: World, forum: Any):
    result = await world.mo.slash(world.general, "settings solution", emoji="🎯")
    assert told(result).content.startswith("From now on 🎯 from the asker or a helper says")
    assert "*Apps → Mark as solution* or 🎯" in await follow(world, forum)
