"""Which servers have the bot, over real sessions that begin, end and are resumed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bot.store import memberships
from tests.kit.net import Net


async def known(net: Net) -> set[int]:
    async with net.app.database.read() as connection:
        return set(await memberships.member_of(connection, net.bot.application_id or 0))


async def test_a_connection_that_ends_just_after_ready_removes_nobody(net: Net) -> None:
    async def noted() -> bool:
        return net.guild.id in await known(net)

    await net.discord.until(noted)
    net.bot._connection.guild_ready_timeout = 0.5  # until discord.py says that a shard is ready
    before, resumed = net.discord.gateway.identified, net.discord.gateway.resumed
    async with net.discord.disconnected(resumable=False):
        pass
    await net.discord.until(lambda: net.discord.gateway.identified > before)
    async with net.discord.disconnected(resumable=True):
        ready: list[int] = []
        net.bot.add_listener(_noting(ready), "on_shard_ready")
        await net.discord.until(lambda: bool(ready))
    await net.discord.until(lambda: net.discord.gateway.resumed > resumed)
    assert net.guild.id in await known(net)


def _noting(ready: list[int]) -> Callable[[int], Coroutine[Any, Any, None]]:
    async def on_shard_ready(shard_id: int) -> None:
        ready.append(shard_id)

    return on_shard_ready
