"""/help."""

from __future__ import annotations

from dataclasses import replace

import discord
import pytest
from simcord import MemberActor

from bot.i18n import languages
from bot.ui import limits, text
from tests.kit.messages import shown
from tests.kit.posts import followed
from tests.kit.simcord import set_locale
from tests.kit.world import World


async def test_members_see_what_members_can_do(world: World) -> None:
    message = shown(await world.alice.slash(world.general, "help"))
    assert message.ephemeral
    (embed,) = message.embeds
    assert "/forget-me" in embed.description
    assert embed.fields == []


async def test_marking_solutions_is_told_where_a_channel_is_followed(world: World) -> None:
    def told(result: object) -> bool:
        return "Mark as solution" in shown(result).embeds[0].description

    assert not told(await world.alice.slash(world.general, "help"))
    channel = replace(followed(), guild_id=world.guild.id)
    await world.app.following.follow(channel)
    assert told(await world.alice.slash(world.general, "help"))


async def fields(world: World, member: MemberActor) -> dict[str, str]:
    (embed,) = shown(await member.slash(world.general, "help")).embeds
    return {field.name: field.value for field in embed.fields}


async def test_helpers_see_what_helpers_can_do(world: World) -> None:
    role = world.guild.create_role("Helpers")
    hal = world.guild.add_member(world.env.create_user("hal"), roles=[role])
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    helps = await fields(world, hal)
    assert list(helps) == ["As a helper"]
    for name in ("*Save as answer*", "*Mark as solution*", "`/answer add`", "`/library review`"):
        assert name in helps["As a helper"]


async def test_managers_see_their_commands_as_well(world: World) -> None:
    manages = await fields(world, world.mo)
    assert list(manages) == ["As a helper", "With Manage Server"]
    for command in ("setup", "settings", "library follow", "phrasings"):
        assert f"`/{command}" in manages["With Manage Server"]


async def test_everything_that_is_named_is_there(world: World) -> None:
    (embed,) = shown(await world.mo.slash(world.general, "help")).embeds
    said = "\n".join([embed.description, *(field.value for field in embed.fields)])
    tree = world.bot.tree
    commands = {command.qualified_name for command in tree.walk_commands()}
    named = [name.split("`")[0] for name in said.split("`/")[1:]]
    assert len(named) > 10
    assert [name for name in named if name not in commands] == []
    menus = {menu.name for menu in tree.walk_commands(type=discord.AppCommandType.message)}
    assert menus == {"Find an answer", "Mark as solution", "Save as answer"}
    assert [menu for menu in menus if f"*{menu}*" not in said] == []


@pytest.mark.parametrize("language", languages())
async def test_it_fits_in_each_language(world: World, language: str) -> None:
    set_locale(world.env, world.mo, language.replace("_", "-"))
    (embed,) = shown(await world.mo.slash(world.general, "help")).embeds
    assert all(text.width(field.value) <= limits.EMBED_FIELD for field in embed.fields)
