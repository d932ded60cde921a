"""/help."""

from __future__ import annotations

from tests.kit.messages import shown
from tests.kit.world import World


async def test_members_see_what_members_can_do(world: World) -> None:
    message = shown(await world.alice.slash(world.general, "help"))
    assert message.ephemeral
    (embed,) = message.embeds
    assert "/forget-me" in embed.description
    assert embed.fields == []


async def test_managers_see_their_commands_as_well(world: World) -> None:
    (embed,) = shown(await world.mo.slash(world.general, "help")).embeds
    (field,) = embed.fields
    assert field.name == "With Manage Server"
    for command in ("setup", "settings", "library", "phrasings"):
        assert f"`/{command}" in field.value


async def test_every_command_that_is_named_is_there(world: World) -> None:
    (embed,) = shown(await world.mo.slash(world.general, "help")).embeds
    text = embed.description + embed.fields[0].value
    names = {command.name for command in world.bot.tree.get_commands()}
    for name in text.split("`/")[1:]:
        assert name.split("`")[0].split(" ")[0] in names
