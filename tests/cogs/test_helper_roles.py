"""/settings helpers: roles are added, taken away, chosen from a menu and shown."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from bot.guild_settings import MAX_HELPER_ROLES
from bot.ui import limits, text
from bot.ui.helpers_page import SetHelpers, helpers_card
from cogs.settings import SettingsCog
from tests.kit.messages import items, labels, last, shown, told
from tests.kit.simcord import join_guild
from tests.kit.world import World

COMMAND = "settings helpers"
MENU = "tw:helpers:roles"
GONE = 123456789012345678
NOBODY = "When I have nothing on a question, I name nobody."


async def roles_of(world: World, guild_id: int | None = None) -> tuple[int, ...]:
    settings = await world.app.guilds.settings(guild_id or world.guild.id)
    return settings.helper_role_ids


async def page(world: World, **given: Any) -> Any:
    return shown(await world.mo.slash(world.general, COMMAND, **given))


def said(message: Any) -> str:
    (embed,) = message.embeds
    return str(embed.description)


def chosen(message: Any) -> list[int]:
    """The roles that the menu shows as chosen."""
    menu = next(item for item in items(message) if item.get("custom_id") == MENU)
    return [int(value["id"]) for value in menu.get("default_values", [])]


@pytest.fixture
async def roles(world: World) -> list[Any]:
    made = [world.guild.create_role(name) for name in ("Helpers", "Elders", "Guides")]
    await world.env.settle()
    return made


async def test_roles_are_added_taken_away_and_shown(world: World, roles: list[Any]) -> None:
    helpers, elders, guides = roles
    empty = await page(world)
    assert empty.ephemeral
    assert (said(empty), chosen(empty), labels(empty)) == (NOBODY, [], [None])
    await page(world, add=helpers)
    both = await page(world, add=elders)
    assert f"I name <@&{helpers.id}> <@&{elders.id}>, silently" in said(both)
    assert chosen(both) == [helpers.id, elders.id]
    again = await page(world, add=elders)
    assert chosen(again) == [helpers.id, elders.id]
    swapped = await page(world, add=guides, remove=helpers)
    assert chosen(swapped) == [elders.id, guides.id]
    assert await roles_of(world) == (elders.id, guides.id)
    await world.restart()
    assert chosen(await page(world)) == [elders.id, guides.id]


async def test_the_menu_sets_them_all(world: World, roles: list[Any]) -> None:
    helpers, elders, guides = roles
    message = await page(world, add=helpers)
    message = shown(await world.mo.select(message, [elders, guides], custom_id=MENU))
    assert await roles_of(world) == (elders.id, guides.id)
    assert chosen(message) == [elders.id, guides.id]
    message = shown(await world.mo.select(message, [], custom_id=MENU))
    assert (await roles_of(world), said(message)) == ((), NOBODY)


async def test_everyone_in_the_menu_is_nobody_in_particular(world: World, roles: list[Any]) -> None:
    everyone = world.guild.default_role
    await world.mo.select(await page(world), [everyone, roles[0]], custom_id=MENU)
    assert await roles_of(world) == (roles[0].id,)


async def test_whether_they_are_notified_is_a_button(world: World, roles: list[Any]) -> None:
    message = await page(world, add=roles[0])
    message = shown(await world.mo.click(message, label="Notify them"))
    assert f"I notify <@&{roles[0].id}>" in said(message)
    assert (await world.app.guilds.settings(world.guild.id)).ping_helpers
    await world.restart()
    message = shown(await world.mo.click(message, label="Don't notify them"))
    assert "silently" in said(message)
    message = await page(world, ping="on")
    assert "Don't notify them" in labels(message)


async def test_members_of_each_role_help_as_long_as_it_is_named(
    world: World, roles: list[Any]
) -> None:
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[roles[1]])
    await page(world, add=roles[0])

    async def accepts() -> bool:
        """Whether the second answer's page has the button for fern."""
        opened = await fern.slash(world.general, "thread", query="vote")
        for _ in range(2):
            await fern.click(shown(opened), label="Next")
        return "Accept" in labels(shown(opened))

    assert not await accepts()
    await page(world, add=roles[1])
    assert await accepts()
    await page(world, remove=roles[1])
    assert not await accepts()


async def test_a_role_that_was_deleted_is_left_out_and_said(world: World, roles: list[Any]) -> None:
    helpers, elders, _ = roles
    await page(world, add=helpers)
    await page(world, add=elders)
    world.env.backend.delete_role(world.guild.id, helpers.id)
    await world.env.settle()
    gone = "1 role that is set here isn't in this server (any more), so I leave it out."
    for command in (COMMAND, "setup", "settings show"):
        message = shown(await world.mo.slash(world.general, command))
        (embed,) = message.embeds
        everything = f"{embed.description} {[field.value for field in embed.fields]}"
        assert f"<@&{elders.id}>" in everything
        assert f"<@&{helpers.id}>" not in everything
        assert gone in embed.description if command == COMMAND else gone in everything
        assert str(helpers.id) not in str(items(message))
    await world.alice.send(world.general, f"{world.me} how long do eggs boil?")
    assert last(world.general).content.endswith(f"You can also ask <@&{elders.id}>.")
    message = await page(world, ping="off")  # any change drops what is gone
    assert gone not in said(message)
    assert await roles_of(world) == (elders.id,)


async def test_all_of_them_deleted(world: World) -> None:
    await world.app.guilds.update(world.guild.id, helper_role_ids=(GONE, GONE + 1))
    message = await page(world)
    assert said(message).splitlines() == [
        NOBODY,
        "2 roles that are set here aren't in this server (any more), so I leave them out.",
    ]
    assert labels(message) == [None]


async def test_more_than_a_menu_takes_are_refused(world: World, roles: list[Any]) -> None:
    many = [world.guild.create_role(f"Role {n}") for n in range(MAX_HELPER_ROLES)]
    await world.env.settle()
    message = shown(await world.mo.select(await page(world), many, custom_id=MENU))
    assert len(chosen(message)) == len(await roles_of(world)) == MAX_HELPER_ROLES
    result = await world.mo.slash(world.general, COMMAND, add=roles[0])
    assert told(result).content == "There are 25 helper roles at most."
    assert len(world.env.errors) == 1
    assert roles[0].id not in await roles_of(world)
    swapped = await page(world, add=roles[0], remove=many[0])
    assert len(chosen(swapped)) == MAX_HELPER_ROLES
    await world.alice.send(world.general, f"{world.me} how long do eggs boil?")
    assert all(f"<@&{role_id}>" in last(world.general).content for role_id in chosen(swapped))


async def test_what_cannot_be_is_refused_in_one_line(world: World, roles: list[Any]) -> None:
    helpers, elders, _ = roles
    await page(world, add=helpers)
    for given, line in (
        ({"add": world.guild.default_role}, "@everyone is no helper role."),
        ({"remove": elders}, f"<@&{elders.id}> is none of the helper roles."),
        ({"add": helpers, "remove": helpers}, "Name two different roles"),
    ):
        result = await world.mo.slash(world.general, COMMAND, **given)
        assert told(result).ephemeral
        assert str(told(result).content).startswith(line)
        assert await roles_of(world) == (helpers.id,)
    assert len(world.env.errors) == 3


async def test_two_who_add_at_once_both_succeed(
    world: World, roles: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the settings before either writes, if nothing keeps them apart."""
    read = world.app.guilds.settings

    async def slowly(guild_id: int) -> Any:
        now = await read(guild_id)
        for _ in range(50):
            await asyncio.sleep(0)
        return now

    monkeypatch.setattr(world.app.guilds, "settings", slowly)
    guild = world.bot.get_guild(world.guild.id)
    assert guild is not None
    cog = cast(SettingsCog, world.bot.get_cog("Settings"))
    there = [guild.get_role(role.id) for role in roles]
    await asyncio.gather(*(cog.helper_roles.update(guild, add=role) for role in there))
    assert set(await roles_of(world)) == {role.id for role in roles}


async def test_another_server_has_its_own(world: World, roles: list[Any]) -> None:
    other = await join_guild(world.env, "Other club")
    await page(world, add=roles[0])
    assert await roles_of(world, other.id) == ()


async def test_rights_are_checked_when_pressed(world: World, roles: list[Any]) -> None:
    message = await page(world, add=roles[0])
    world.env.backend.guilds[world.guild.id].members[world.mo.id].role_ids.clear()
    for result in (
        await world.mo.select(message, [roles[1]], custom_id=MENU),
        await world.mo.click(message, label="Notify them"),
    ):
        assert "Manage Server" in told(result).content
    now = await world.app.guilds.settings(world.guild.id)
    assert (now.helper_role_ids, now.ping_helpers) == ((roles[0].id,), False)


async def test_members_may_not_even_if_discord_lets_them(world: World, roles: list[Any]) -> None:
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "settings")
    world.guild.set_command_permissions(command, {world.alice: True})
    result = await world.alice.slash(world.general, COMMAND, add=roles[0])
    assert "Manage Server" in told(result).content
    assert len(world.env.errors) == 1
    assert await roles_of(world) == ()


def test_the_fullest_page_fits() -> None:
    many = range(10**18, 10**18 + MAX_HELPER_ROLES + 2)
    card = helpers_card(" ".join(f"<@&{n}>" for n in many), many, 10**6, pings=True)
    assert card.embed is not None
    assert text.width(card.embed.description or "") <= limits.EMBED_DESCRIPTION
    menu = SetHelpers(many).item
    assert (menu.max_values, len(menu.default_values)) == (25, 25)
