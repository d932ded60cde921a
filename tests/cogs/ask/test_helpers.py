"""Whom the bot names to somebody who asked it what it has nothing on."""

from __future__ import annotations

from typing import Any

import pytest

from bot.models import Mode
from tests.kit.messages import last, shown
from tests.kit.simcord import allowed_mentions
from tests.kit.world import World

UNKNOWN = "how long do eggs boil?"


@pytest.fixture
def helpers(world: World) -> Any:
    return world.guild.create_role("Helpers")


async def test_a_moderator_names_the_helpers(world: World, helpers: Any) -> None:
    result = await world.mo.slash(world.general, "settings helpers", add=helpers)
    assert f"I name <@&{helpers.id}>, silently" in shown(result).embeds[0].description
    await world.alice.send(world.general, f"{world.me} {UNKNOWN}")
    assert last(world.general).content.endswith(f"You can also ask <@&{helpers.id}>.")
    assert allowed_mentions(world.env)["parse"] == []
    assert not allowed_mentions(world.env).get("roles")


async def test_they_are_notified_only_where_moderators_want_it(world: World, helpers: Any) -> None:
    result = await world.mo.slash(world.general, "settings helpers", add=helpers, ping="on")
    assert f"I notify <@&{helpers.id}>" in shown(result).embeds[0].description
    await world.alice.send(world.general, f"{world.me} {UNKNOWN}")
    assert allowed_mentions(world.env)["roles"] == [helpers.id]
    assert "everyone" not in allowed_mentions(world.env)["parse"]
    await world.bob.send(world.general, f"{world.me} how does one boil eggs?")
    assert f"<@&{helpers.id}>" in last(world.general).content
    assert not allowed_mentions(world.env).get("roles")  # not again and again


async def test_a_command_notifies_nobody(world: World, helpers: Any) -> None:
    await world.app.guilds.update(world.guild.id, helper_role_ids=(helpers.id,), ping_helpers=True)
    result = await world.alice.slash(world.general, "ask", question=UNKNOWN)
    assert f"<@&{helpers.id}>" in shown(result).content
    await world.alice.send(world.general, f"{world.me} {UNKNOWN}")
    assert allowed_mentions(world.env)["roles"] == [helpers.id]


async def test_unaddressed_nobody_is_named(world: World, helpers: Any) -> None:
    await world.app.guilds.set_mode(world.guild.id, world.general.id, Mode.QUESTIONS)
    await world.app.guilds.update(world.guild.id, helper_role_ids=(helpers.id,))
    message = await world.alice.send(world.general, UNKNOWN)
    assert last(world.general).id == message.id


async def test_who_helps_no_longer_is_not_named(world: World, helpers: Any) -> None:
    await world.app.guilds.update(world.guild.id, helper_role_ids=(helpers.id,))
    result = await world.mo.slash(world.general, "settings helpers", remove=helpers)
    said = shown(result).embeds[0].description
    assert said == "When I have nothing on a question, I name nobody."
    await world.alice.send(world.general, f"{world.me} {UNKNOWN}")
    assert "ask <@&" not in last(world.general).content


async def test_a_role_that_is_gone_is_not_named(world: World) -> None:
    await world.app.guilds.update(world.guild.id, helper_role_ids=(123456789012345678,))
    await world.alice.send(world.general, f"{world.me} {UNKNOWN}")
    assert "<@&" not in last(world.general).content


async def test_settings_show_names_them(world: World, helpers: Any) -> None:
    async def field() -> str:
        (embed,) = shown(await world.mo.slash(world.general, "settings show")).embeds
        return next(str(f.value) for f in embed.fields if f.name == "Helpers")

    assert await field() == "none"
    await world.app.guilds.update(world.guild.id, helper_role_ids=(helpers.id,))
    assert await field() == f"<@&{helpers.id}>"
    await world.app.guilds.update(world.guild.id, ping_helpers=True)
    assert await field() == f"<@&{helpers.id}> (notified)"
    await world.restart()
    assert (await world.app.guilds.settings(world.guild.id)).helper_role_ids == (helpers.id,)


async def test_what_helpers_write_in_an_ask_channel_is_not_marked(
    world: World, helpers: Any
) -> None:
    await world.app.guilds.update(world.guild.id, helper_role_ids=(helpers.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[helpers])
    await fern.send(world.ask, UNKNOWN)
    assert last(world.ask).reactions == []
    await world.alice.send(world.ask, UNKNOWN)
    assert [str(reaction.emoji) for reaction in last(world.ask).reactions] == ["👀"]
