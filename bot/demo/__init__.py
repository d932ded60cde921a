"""The same bot in a simulated Discord channel in the browser, for newcomers.

SimCord replaces Discord's network; the bot, the library, the search and the votes
are the real ones, in a data folder of their own (``demo`` in ``DATA_DIR``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import simcord
from rich.console import Console
from rich.text import Text
from simcord import Env, Preview

from bot.app import App
from bot.client import ThreadBot
from bot.demo.page import dress_page
from bot.demo.simcord_adapter import (
    GUILD_ID,
    SimulatedClock,
    World,
    build,
    set_time,
    understand_mentions,
)
from bot.errors import ConfigError
from bot.models import Mode
from bot.search.semantic import located
from bot.settings import Settings

__all__ = ["show", "simulated_server"]


async def show(settings: Settings, *, port: int, browser: bool) -> None:
    """Serve the demo on 127.0.0.1 until its page ends the session or this is cancelled.

    ``port`` 0 takes any free one. Raises ConfigError when the port is taken, and
    ThreadwiseError when the demo's library can't be used.
    """
    async with (
        simulated_server(settings) as (_, env, world),
        _page(env, world, port) as preview,
    ):
        _announce(preview.url)
        if browser:
            await asyncio.to_thread(webbrowser.open, preview.url)
        await preview.wait_closed()


@asynccontextmanager
async def simulated_server(settings: Settings) -> AsyncIterator[tuple[App, Env, World]]:
    """Open the demo's library and run the bot on the server that its page shows.

    Raises ThreadwiseError when the library can't be used.
    """
    app = await App.open(_demo_settings(settings))
    try:
        await app.load_seeds()
        await app.embedding.make()
        app.follow()
        # Each simulated Discord is a new one, which knows none of the commands yet.
        await app.guilds.set_tree_hash("")
        async with _simulated(app) as env:
            world = await build(env)
            await _speak_freely(app, world)
            yield app, env, world
    finally:
        await app.close()


def _demo_settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "data_dir": settings.data_dir / "demo",
            "embedding_model": located(settings.embedding_model, settings.data_dir),
            "database_url": "",
            "ask_channels": ("ask",),
            "reconcile_messages": 0,  # yesterday's messages are not in today's Discord
            "guild_retention_days": 36_500,  # today's Discord is not yesterday's
            "cooldown_seconds": 0,  # someone who tries things out asks the same twice
        }
    )


async def _speak_freely(app: App, world: World) -> None:
    """Let newcomers see all that the bot does, "Did you mean" included."""
    for former in await app.guilds.modes(GUILD_ID):  # the channel is new each time
        await app.guilds.set_mode(GUILD_ID, former, None)
    await app.guilds.set_mode(GUILD_ID, world.channel.id, Mode.ASK)


@asynccontextmanager
async def _simulated(app: App) -> AsyncIterator[Env]:
    bot = ThreadBot(app, shard_count=1)
    async with simcord.run(bot, check_errors=False, settle_timeout=30) as env:
        set_time(env)
        yield env


@asynccontextmanager
async def _page(env: Env, world: World, port: int) -> AsyncIterator[Preview]:
    preview = env.preview(
        world.channel,
        viewers=world.people,
        layout="channel",
        timezone=_time_zone(),
        assets=world.portraits,
        port=port,
    )
    dress_page(preview)
    try:
        await preview.__aenter__()
    except simcord.SetupError as error:
        if "bind" in str(error):
            raise ConfigError(
                f"port {port} is taken; choose another with --port, or leave it out"
            ) from None
        raise ConfigError(f"the demo can't start: {error}") from None
    understand_mentions(env, preview)
    clock = asyncio.create_task(SimulatedClock(env, preview, world.channel).run())
    try:
        yield preview
    finally:
        clock.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await clock
        await preview.close()


def _time_zone() -> str:
    """Return the name of this computer's time zone, as far as it tells."""
    name = os.environ.get("TZ") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    try:
        return str(ZoneInfo(name))
    except (ValueError, OSError, KeyError):
        return "UTC"


def _announce(url: str) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(Text.assemble("\nThe demo is at ", (url, "bold cyan")))
    console.print(Text("Only this computer can open it. Stop it with Ctrl-C.\n", style="dim"))
