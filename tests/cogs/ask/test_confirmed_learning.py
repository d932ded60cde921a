"""What a helper's choice teaches, and /settings learning confirm: helpers keep it first."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cogs.ask.test_learning import PIN, STICK, ask
from tests.kit.messages import labels, last, offered, shown, told
from tests.kit.simcord import join_guild
from tests.kit.world import World


@pytest.fixture(autouse=True)
async def suggesting(world: World) -> None:
    """The bot suggests whatever comes near."""
    await world.app.guilds.update(world.guild.id, suggest_threshold=0.0)


async def choose(world: World, who: Any) -> None:
    """Let somebody ask in the words that nobody knows, and choose what they mean."""
    channel = world.guild.create_text_channel(f"asked-by-{who.name}")
    menu = await ask(world, who, channel, STICK)
    await who.select(menu, [offered(menu)[PIN]])
    assert await world.key_of(last(channel)) == "pins"


async def is_answered(world: World, who: Any) -> bool:
    channel = world.guild.create_text_channel("another")
    return await world.key_of(await ask(world, who, channel, STICK)) == "pins"


async def helper(world: World) -> Any:
    """A member with a helper role, who doesn't manage the server."""
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    return world.guild.add_member(world.env.create_user("fern"), roles=[role])


class TestAHelpersChoice:
    async def test_counts_for_all_at_once_and_is_listed_to_be_kept(self, world: World) -> None:
        fern = await helper(world)
        await choose(world, fern)
        assert await is_answered(world, world.alice)
        (phrasing,) = await world.app.learning.phrasings(world.guild.id)
        page = shown(await world.mo.slash(world.general, "phrasings list"))
        (embed,) = page.embeds
        assert f"<@{fern.id}>" in embed.description
        assert embed.description.endswith("· counts already")
        assert labels(page) == [f"Keep {phrasing.id}", f"Take back {phrasing.id}"]
        page = shown(await world.mo.click(page, label=f"Take back {phrasing.id}"))
        assert not await is_answered(world, world.alice)

    async def test_goes_with_a_down_vote(self, world: World) -> None:
        fern = await helper(world)
        await choose(world, fern)
        answer = last(world.guild.channels["asked-by-fern"])
        await world.bob.react(answer, "⬇️")
        assert await world.app.learning.phrasings(world.guild.id) == []

    async def test_is_a_members_when_the_role_is_gone_by_then(self, world: World) -> None:
        fern = await helper(world)
        channel = world.guild.create_text_channel("asked")
        menu = await ask(world, fern, channel, STICK)
        await world.app.guilds.update(world.guild.id, helper_role_ids=())
        await fern.select(menu, [offered(menu)[PIN]])
        assert not await is_answered(world, world.alice)

    async def test_counts_in_another_server_for_nobody(self, world: World) -> None:
        other = await join_guild(world.env, "Other club", ["ask"])
        await choose(world, world.mo)
        eve = other.add_member(world.env.create_user("eve"))
        message = await ask(world, eve, other.channels["ask"], STICK)
        assert await world.key_of(message) is None
        assert await world.app.learning.phrasings(other.id) == []


class TestConfirming:
    """With the setting on, nothing that members teach counts before a helper kept it."""

    @pytest.fixture(autouse=True)
    async def confirming(self, world: World) -> None:
        result = await world.mo.slash(world.general, "settings learning", confirm="on")
        assert shown(result).content.endswith("`/phrasings list` shows what waits.")

    async def test_what_two_members_taught_waits(self, world: World) -> None:
        for member in (world.alice, world.bob):
            await choose(world, member)
        assert not await is_answered(world, world.mo)
        assert await is_answered(world, world.alice)  # it is their own

    async def test_a_helpers_choice_waits(self, world: World) -> None:
        await choose(world, world.mo)
        assert not await is_answered(world, world.alice)

    async def test_what_a_helper_keeps_counts(self, world: World) -> None:
        for member in (world.alice, world.bob):
            await choose(world, member)
        page = shown(await world.mo.slash(world.general, "phrasings list"))
        (phrasing,) = await world.app.learning.phrasings(world.guild.id)
        (embed,) = page.embeds
        assert f"<@{world.alice.id}>, <@{world.bob.id}> <t:" in embed.description
        assert embed.description.endswith("· new")
        assert embed.footer.text == (
            "A new one counts for the members who taught it alone, until you keep it."
        )
        page = shown(await world.mo.click(page, label=f"Keep {phrasing.id}"))
        assert labels(page) == []
        eve = world.guild.add_member(world.env.create_user("eve"))
        assert await is_answered(world, eve)

    async def test_switched_off_all_counts_as_members_agree(self, world: World) -> None:
        for member in (world.alice, world.bob):
            await choose(world, member)
        eve = world.guild.add_member(world.env.create_user("eve"))
        assert not await is_answered(world, eve)
        await world.mo.slash(world.general, "settings learning", confirm="off")
        assert await is_answered(world, eve)
        await world.mo.slash(world.general, "settings learning", confirm="on")
        await world.restart()
        assert not await is_answered(world, eve)

    async def test_another_server_waits_for_nobody(self, world: World) -> None:
        other = await join_guild(world.env, "Other club")
        assert not (await world.app.guilds.settings(other.id)).confirm_phrasings
        assert (await world.app.guilds.settings(world.guild.id)).confirm_phrasings

    async def test_it_is_on_the_card(self, world: World) -> None:
        async def field() -> str:
            (embed,) = shown(await world.mo.slash(world.general, "settings show")).embeds
            return next(str(f.value) for f in embed.fields if f.name == "Learning")

        assert await field() == "from votes and choices\nconfirmed by helpers"
        await world.mo.slash(world.general, "settings learning", learn="off")
        assert await field() == "off"
        await world.mo.slash(world.general, "settings learning", learn="on", confirm="off")
        assert await field() == "from votes and choices"

    async def test_something_must_be_said(self, world: World) -> None:
        result = await world.mo.slash(world.general, "settings learning")
        assert told(result).content.startswith("Say whether I `learn`")
        assert len(world.env.errors) == 1
