"""/setup: one private page that gets the bot going in a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
from simcord import SetupError

from bot.guild_settings import MAX_HELPER_ROLES
from bot.models import Answer, Mode, Thread
from bot.ui.setup_page import ChooseHelpers, setup_card
from cogs.setup import SetupCog
from tests.kit.messages import items, last, shown, told
from tests.kit.simcord import delete_channel, overwrite
from tests.kit.world import World

CHANNEL, HELPERS, LOOK = "tw:setup:channel", "tw:setup:helpers", "tw:setup:look"


async def page(world: World) -> Any:
    return shown(await world.mo.slash(world.general, "setup"))


def fields(message: Any) -> Mapping[str, str]:
    (embed,) = message.embeds
    return {field.name: field.value for field in embed.fields}


def menu(message: Any, custom_id: str) -> dict[str, Any]:
    return next(item for item in items(message) if item.get("custom_id") == custom_id)


async def test_it_shows_what_holds_here(world: World) -> None:
    message = await page(world)
    assert message.ephemeral
    assert fields(message) == {
        "Where I speak": f"<#{world.ask.id}>: ask, by its name",
        "Who helps": (
            "Nobody yet. Choose a role below: I name it to whoever asks what I have nothing on."
        ),
        "What I know": "5 general threads; none of your own: `/library import`",
        "Permissions": "I have all that I need.",
    }
    assert [item.get("custom_id") for item in items(message)] == [CHANNEL, HELPERS, LOOK]


async def test_a_channel_and_its_mode_are_chosen_with_the_mouse(world: World) -> None:
    message = await page(world)
    chosen = shown(await world.mo.select(message, [world.general], custom_id=CHANNEL))
    mode = f"tw:setup:mode:{world.general.id}"
    options = menu(chosen, mode)["options"]
    assert [o["value"] for o in options] == ["off", "mention", "questions", "ask", "default"]
    assert [o["value"] for o in options if o.get("default")] == ["default"]
    done = shown(await world.mo.select(chosen, ["ask"], custom_id=mode))
    assert await world.app.guilds.modes(world.guild.id) == {world.general.id: Mode.ASK}
    assert fields(done)["Where I speak"].splitlines()[0] == f"<#{world.general.id}>: ask"
    assert [o["value"] for o in menu(done, mode)["options"] if o.get("default")] == ["ask"]
    await world.alice.send(world.general, "how do I vote on an answer?")
    assert await world.key_of(last(world.general)) == "vote"
    again = await page(world)
    assert fields(again)["Where I speak"].splitlines()[0] == f"<#{world.general.id}>: ask"
    back = shown(await world.mo.select(again, [world.general], custom_id=CHANNEL))
    await world.mo.select(back, ["default"], custom_id=mode)
    assert await world.app.guilds.modes(world.guild.id) == {}


async def test_who_helps_is_chosen_and_can_be_nobody(world: World) -> None:
    helpers = world.guild.create_role("Helpers")
    await world.env.settle()
    message = shown(await world.mo.select(await page(world), [helpers], custom_id=HELPERS))
    assert (await world.app.guilds.settings(world.guild.id)).helper_role_ids == (helpers.id,)
    assert fields(message)["Who helps"].startswith(f"<@&{helpers.id}>: I name them")
    assert menu(message, HELPERS)["default_values"] == [{"id": helpers.id, "type": "role"}]
    await world.app.guilds.update(world.guild.id, ping_helpers=True)
    again = await page(world)
    assert fields(again)["Who helps"].startswith(f"<@&{helpers.id}>: I notify them")
    await world.mo.select(again, [], custom_id=HELPERS)
    assert (await world.app.guilds.settings(world.guild.id)).helper_role_ids == ()


async def test_everyone_helps_nobody_in_particular(world: World) -> None:
    await world.mo.select(await page(world), [world.guild.default_role], custom_id=HELPERS)
    assert (await world.app.guilds.settings(world.guild.id)).helper_role_ids == ()


async def test_as_many_helpers_can_be_chosen_as_the_setting_takes() -> None:
    menu = ChooseHelpers(range(1, MAX_HELPER_ROLES + 2)).item
    assert menu.max_values == MAX_HELPER_ROLES
    assert len(menu.default_values) == MAX_HELPER_ROLES


async def test_the_page_goes_on_after_a_restart(world: World) -> None:
    message = await page(world)
    await world.restart()
    chosen = shown(await world.mo.select(message, [world.general], custom_id=CHANNEL))
    await world.mo.select(chosen, ["off"], custom_id=f"tw:setup:mode:{world.general.id}")
    assert await world.app.guilds.modes(world.guild.id) == {world.general.id: Mode.OFF}


async def test_threads_of_the_servers_own_are_counted(world: World) -> None:
    own = Thread(key="own", title="Which moss is ours?", answers=(Answer(body="The green."),))
    await world.app.library.add([own], scope=world.guild.id)
    assert fields(await page(world))["What I know"] == "5 general threads; 1 of your own"


async def test_what_is_missing_in_a_channel_is_named_with_what_to_do(world: World) -> None:
    role = world.guild.roles["TestBot"]
    no = discord.PermissionOverwrite(embed_links=False, add_reactions=False)
    await overwrite(world.env, world.ask, role, no)
    message = await page(world)
    assert fields(message)["Permissions"] == (
        f"In <#{world.ask.id}> I lack *Embed Links*, *Add Reactions*: open *Edit Channel* → "
        f"*Permissions*, add the role TestBot, and set them to ✅."
    )
    hidden = discord.PermissionOverwrite(view_channel=False)
    await overwrite(world.env, world.general, role, hidden)
    chosen = shown(await world.mo.select(message, [world.general], custom_id=CHANNEL))
    first = fields(chosen)["Permissions"].splitlines()[0]
    assert first.startswith(f"In <#{world.general.id}> I lack *View Channel*: ")
    await overwrite(world.env, world.ask, role, discord.PermissionOverwrite())
    again = shown(await world.mo.click(chosen, custom_id=LOOK))
    assert fields(again)["Permissions"] == "I have all that I need."


async def test_of_a_category_its_channels_are_looked_at(world: World) -> None:
    category = world.guild.create_category("help")
    role = world.guild.roles["TestBot"]
    no = discord.PermissionOverwrite(add_reactions=False)
    inside = world.guild.create_text_channel("inside", category=category, overwrites={role: no})
    await world.env.settle()
    chosen = shown(await world.mo.select(await page(world), [category], custom_id=CHANNEL))
    assert fields(chosen)["Permissions"].startswith(f"In <#{inside.id}> I lack *Add Reactions*")


async def test_what_is_missing_everywhere_has_a_link(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = discord.Permissions(view_channel=True, send_messages=True, read_message_history=True)
    monkeypatch.setattr(discord.Member, "guild_permissions", property(lambda _: few))
    cog, guild = world.bot.get_cog("Setup"), world.bot.get_guild(world.guild.id)
    assert guild is not None
    card = setup_card(await cast(SetupCog, cog)._state(guild, None))
    assert card.embed is not None
    said = {field.name: field.value for field in card.embed.fields}["Permissions"]
    assert said == (
        "In the whole server I lack *Send Messages in Threads*, *Embed Links*, *Add Reactions*. "
        "*Grant permissions* below asks you for them."
    )
    assert card.view is not None
    link = next(str(url) for item in card.view.children if (url := getattr(item, "url", None)))
    query = parse_qs(urlsplit(link).query)
    assert query["permissions"] == ["274877992000"]  # as in the host's link
    assert query["guild_id"] == [str(world.guild.id)]
    assert query["scope"] == ["bot applications.commands"]


async def test_a_lost_emoji_is_named(world: World) -> None:
    await world.app.guilds.update(
        world.guild.id, up_emoji="<:yes:123456789012345678>", unanswered_emoji="off"
    )
    assert fields(await page(world))["Mind"].startswith("The emoji `:yes:` is gone")


@pytest.mark.simcord(approved_intents=discord.Intents.default())
async def test_a_missing_intent_is_named(world: World) -> None:
    assert "message content intent" in fields(await page(world))["Mind"]


async def test_a_channel_that_is_gone_meanwhile_changes_nothing(world: World) -> None:
    message = await page(world)
    chosen = shown(await world.mo.select(message, [world.ask], custom_id=CHANNEL))
    await delete_channel(world.env, world.ask)
    mode = f"tw:setup:mode:{world.ask.id}"
    done = shown(await world.mo.select(chosen, ["ask"], custom_id=mode))
    assert await world.app.guilds.modes(world.guild.id) == {}
    assert mode not in [item.get("custom_id") for item in items(done)]


async def test_members_may_not(world: World) -> None:
    with pytest.raises(SetupError):
        await world.alice.slash(world.general, "setup")


async def test_rights_are_checked_when_pressed(world: World) -> None:
    message = await page(world)
    world.env.backend.guilds[world.guild.id].members[world.mo.id].role_ids.clear()
    result = await world.mo.select(message, [], custom_id=HELPERS)
    assert "Manage Server" in told(result).content
