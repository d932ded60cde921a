"""The bot's servers, over real sessions that begin, end and are resumed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bot.store import guild_data
from tests.kit.net import Net


async def known(net: Net) -> set[int]:
    async with net.app.database.read() as connection:
        return set(await guild_data.guilds_of(connection, net.bot.application_id or 0))


async def test_a_connection_that_ends_just_after_ready_removes_nobody(net: Net) -> None:
    async def noted() -> bool:
        return net.guild.id in await known(net)

    await net.discord.until(noted)
    net.bot._connection.guild_ready_timeout = 0.5  # until discord.py says that a shard is ready
    connected, ready = _heard(net, "shard_connect"), _heard(net, "shard_ready")
    resumed = _heard(net, "shard_resumed")
    async with net.discord.disconnected(resumable=False):
        pass
    # Not as soon as the gateway has the IDENTIFY: without READY the bot couldn't resume.
    await net.discord.until(lambda: bool(connected))
    async with net.discord.disconnected(resumable=True):
        await net.discord.until(lambda: bool(ready))
    await net.discord.until(lambda: bool(resumed))
    assert net.guild.id in await known(net)


def _heard(net: Net, event: str) -> list[int]:
    """A list that gets the shard's id with each event of that name from now on."""
    shards: list[int] = []
    net.bot.add_listener(_noting(shards), f"on_{event}")
    return shards


def _noting(shards: list[int]) -> Callable[[int], Coroutine[Any, Any, None]]:
    async def note(shard_id: int) -> None:
        shards.append(shard_id)

    return note
