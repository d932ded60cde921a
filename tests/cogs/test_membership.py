"""The bot's servers, through discord.py's own parsers and cache."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import StoreBusy
from bot.models import Thread
from bot.services.guild_removal import GuildRemoval
from tests.kit.simcord import join_guild, leave_guild, new_session
from tests.kit.world import World

LATER = timedelta(days=31)


async def purged(world: World) -> list[int]:
    """Return the servers whose data goes when a month has passed."""
    return await world.app.guild_removal.purge(datetime.now(UTC) + LATER)


async def is_member(world: World, guild_id: int) -> bool:
    return await world.app.guild_removal.is_member(guild_id)


@pytest.fixture(autouse=True)
async def own(world: World) -> None:
    await world.app.library.add(
        [Thread(key="own", title="Which moss is ours?")], scope=world.guild.id
    )


async def test_servers_that_the_bot_is_in_are_noted(world: World) -> None:
    other = await join_guild(world.env)
    assert await is_member(world, world.guild.id)
    assert await is_member(world, other.id)
    assert await purged(world) == []


async def test_a_server_that_removes_the_bot_is_noted(world: World) -> None:
    await leave_guild(world.env, world.guild.id)
    assert not await is_member(world, world.guild.id)
    assert await purged(world) == [world.guild.id]
    assert (await world.app.guild_removal.count(world.guild.id)).rows == 0


async def test_an_outage_is_no_removal(world: World) -> None:
    await leave_guild(world.env, world.guild.id, outage=True)
    assert await is_member(world, world.guild.id)
    await new_session(world.env, [], outages=[world.guild.id])
    assert await is_member(world, world.guild.id)
    assert await purged(world) == []


async def test_a_new_session_without_a_server_shows_its_removal(world: World) -> None:
    """discord.py's cache keeps it, as it was; what READY lists is what counts."""
    other = await join_guild(world.env)
    await new_session(world.env, [other.id])
    assert world.bot.get_guild(world.guild.id) is not None
    assert not await is_member(world, world.guild.id)
    assert await is_member(world, other.id)
    assert await purged(world) == [world.guild.id]


async def test_a_server_in_an_outage_that_is_not_listed_removed_the_bot(world: World) -> None:
    await leave_guild(world.env, world.guild.id, outage=True)
    await new_session(world.env, [])
    assert await purged(world) == [world.guild.id]


async def test_a_server_that_comes_back_finds_all(world: World) -> None:
    await new_session(world.env, [])
    assert not await is_member(world, world.guild.id)
    await new_session(world.env, [world.guild.id])
    assert await is_member(world, world.guild.id)
    assert await purged(world) == []
    assert (await world.app.guild_removal.count(world.guild.id)).threads == 1


async def test_a_restart_without_a_server_shows_its_removal(world: World) -> None:
    world.env.backend.guilds.pop(world.guild.id)
    await world.restart()
    assert await purged(world) == [world.guild.id]


async def test_a_session_that_goes_on_changes_nothing(world: World) -> None:
    await world.bot.shards[0].disconnect()
    world.bot.dispatch("shard_resumed", 0)
    await world.env.settle()
    assert await is_member(world, world.guild.id)
    assert await purged(world) == []


@pytest.mark.simcord(shard_count=2)
async def test_each_shard_speaks_for_its_own_servers(world: World) -> None:
    mine = (world.guild.id >> 22) % 2
    await new_session(world.env, [], shard_id=1 - mine)
    assert await is_member(world, world.guild.id)
    await new_session(world.env, [], shard_id=mine)
    assert not await is_member(world, world.guild.id)


async def test_a_locked_database_is_one_line_and_the_next_session_notes_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def busy(*_: object) -> None:
        raise StoreBusy("locked")

    with monkeypatch.context() as broken:
        broken.setattr(GuildRemoval, "removed", busy)
        broken.setattr(GuildRemoval, "joined", busy)
        broken.setattr(GuildRemoval, "connected", busy)
        await leave_guild(world.env, world.guild.id)
        await join_guild(world.env)
        await new_session(world.env, [])
    assert caplog.text.count("locked") == 3
    assert "Traceback" not in caplog.text
    assert await is_member(world, world.guild.id)
    await new_session(world.env, [])
    assert not await is_member(world, world.guild.id)
