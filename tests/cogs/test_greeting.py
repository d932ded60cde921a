"""The message that the bot writes once in a server that has invited it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from simcord.builders import ChannelHandle, GuildHandle

from bot.errors import StoreBusy
from bot.services.guild_removal import GuildRemoval
from tests.kit.messages import size
from tests.kit.simcord import join_guild, leave_guild, new_guild, new_session, set_overwrite
from tests.kit.world import World


async def invited(world: World, **how: Any) -> GuildHandle:
    """A server that invites the bot now."""
    return await join_guild(world.env, joined_at=datetime.now(UTC), **how)


def channel(guild: GuildHandle, name: str) -> ChannelHandle:
    return guild.channels[name]


def greetings(guild: GuildHandle) -> list[Any]:
    return [m for each in guild.channels.values() for m in each.history()]


async def test_it_says_what_it_is_and_how_to_begin(world: World) -> None:
    guild = await invited(world, channels=("first", "second"))
    (greeting,) = greetings(guild)
    assert greeting.channel.id == channel(guild, "first").id
    assert greeting.content.startswith("Hi, I'm ")
    assert "`/setup`" in greeting.content


async def test_the_channel_for_system_messages_comes_first(world: World) -> None:
    def prepare(guild: GuildHandle) -> None:
        world.env.backend.guilds[guild.id].system_channel_id = channel(guild, "second").id

    guild = await invited(world, channels=("first", "second"), prepare=prepare)
    assert size(channel(guild, "second")) == 1
    assert size(channel(guild, "first")) == 0


def mute(world: World, name: str) -> Any:
    def prepare(guild: GuildHandle) -> None:
        denied = discord.PermissionOverwrite(send_messages=False)
        set_overwrite(world.env, channel(guild, name), guild.id, denied)

    return prepare


async def test_a_channel_in_which_it_may_not_write_is_left_out(world: World) -> None:
    guild = await invited(world, channels=("first", "second"), prepare=mute(world, "first"))
    assert size(channel(guild, "first")) == 0
    assert size(channel(guild, "second")) == 1


async def test_where_it_may_write_nowhere_a_later_session_greets(world: World) -> None:
    guild = await invited(world, channels=("only",), prepare=mute(world, "only"))
    assert greetings(guild) == []
    world.env.backend.delete_overwrite(channel(guild, "only").id, guild.id)
    await world.restart()
    assert len(greetings(guild)) == 1


async def test_invited_while_it_was_away(world: World) -> None:
    guild = new_guild(world.env, "new", ("general",), datetime.now(UTC))
    await world.restart()
    assert len(greetings(guild)) == 1


async def test_once_over_outages_sessions_restarts_and_coming_back(world: World) -> None:
    guild = await invited(world)
    await leave_guild(world.env, guild.id, outage=True)
    await new_session(world.env, [world.guild.id, guild.id])
    await world.restart()
    await leave_guild(world.env, guild.id)
    await world.restart()
    assert len(greetings(guild)) == 1


async def test_a_server_whose_data_was_deleted_while_it_stays_is_not_greeted_again(
    world: World,
) -> None:
    guild = await invited(world)
    await world.app.guild_removal.forget(guild.id)
    await world.app.guild_removal._note_members()
    await world.restart()
    assert len(greetings(guild)) == 1


async def test_servers_that_have_known_it_for_long_are_left_alone(world: World) -> None:
    guild = new_guild(world.env, "old", ("general",), datetime.now(UTC) - timedelta(days=8))
    await world.restart()
    assert greetings(guild) == []


async def test_discord_fails_and_the_next_session_greets(world: World) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=403)
    guild = await invited(world)
    assert greetings(guild) == []
    await world.restart()
    assert len(greetings(guild)) == 1


async def test_a_locked_database_is_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def busy(*_: object) -> None:
        raise StoreBusy("locked")

    monkeypatch.setattr(GuildRemoval, "claim_greeting", busy)
    guild = await invited(world)
    assert greetings(guild) == []
    assert caplog.text.count("locked") == 1
    assert "Traceback" not in caplog.text
