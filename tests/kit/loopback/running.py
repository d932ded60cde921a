"""Serving the loopback Discord, and running a bot of this process on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import discord
import pytest
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.kit.loopback.discord import Loopback
from tests.kit.loopback.rest import Middleware, application
from tests.kit.waiting import HANG


@asynccontextmanager
async def serving(loopback: Loopback, watch: Middleware | None = None) -> AsyncIterator[Loopback]:
    """Serve on a free port of this computer; ``loopback.url`` says where.

    ``watch`` is a middleware that sees each request first.
    """
    served = application(loopback, watch)
    runner = web.AppRunner(served, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    loopback.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield loopback
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(loopback: Loopback, bot: discord.Client) -> AsyncIterator[None]:
    """Log a bot in and wait until it is ready; afterwards it is closed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Route, "BASE", loopback.url)
        socket = loopback.url.replace("http", "ws") + "/socket"
        patch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(socket))
        # READY is told so long after the last guild has come.
        bot._connection.guild_ready_timeout = 0.05
        # Five seconds lie between two IDENTIFY otherwise.
        patch.setattr(bot, "before_identify_hook", _at_once)
        async with bot:
            task = asyncio.create_task(bot.start(loopback.token), name="the bot")
            ready = asyncio.create_task(bot.wait_until_ready())
            try:
                async with asyncio.timeout(HANG):
                    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    await task
                yield
            finally:
                await bot.close()
                ready.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def _at_once(shard_id: int | None, *, initial: bool = False) -> None:
    """Let the bot identify without a pause."""
