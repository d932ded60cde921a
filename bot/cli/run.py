"""``run`` and ``demo``, and which of the two a bare ``threadwise`` starts."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any

import aiohttp
import discord

from bot.app import App
from bot.cli import logs
from bot.cli.console import print_note, print_warning
from bot.cli.runtime import load_seeds, open_app, stop_in_time
from bot.client import ThreadBot
from bot.errors import ConfigError, Unreachable
from bot.monitor import Monitor
from bot.observing import UNOBSERVED, Observer
from bot.settings import Settings, load_settings
from bot.watchdog import Watchdog

STOPPED = "Stopped."

PORTAL = "https://discord.com/developers/applications"

HOW_TO_GET_A_TOKEN = (
    f"To connect a real server: make an application at {PORTAL}, "
    "press Bot > Reset Token, and put DISCORD_TOKEN=... into .env (see README.md)."
)

# Without these, discord.py warns at start that packages for voice channels are missing.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


def start(port: int, browser: bool) -> None:
    """Start the bot with a token, else the demo, and say which and why."""
    if load_settings().discord_token is not None:
        print_note("DISCORD_TOKEN is set: connecting to Discord. To see the demo: threadwise demo")
        run()
    else:
        print_note(f"No DISCORD_TOKEN: starting the demo.\n{HOW_TO_GET_A_TOKEN}")
        demo(port, browser)


def run() -> None:
    """Connect to Discord and stay there until stopped with SIGINT or SIGTERM.

    Raises ConfigError without a token, or with one that Discord refuses, and
    Unreachable when Discord doesn't answer.
    """
    settings = load_settings()
    if settings.discord_token is None:
        raise ConfigError(f"DISCORD_TOKEN is not set. {HOW_TO_GET_A_TOKEN}")
    token = settings.discord_token.get_secret_value().strip()
    logs.set_up(settings.log_level, token, as_json=settings.log_format == "json")
    asyncio.run(until_stopped(_serve(settings, token)))


def demo(port: int, browser: bool) -> None:
    """Show the bot in a simulated Discord until stopped or its page ends the session.

    Raises ConfigError when the demo extra is missing or the port is taken.
    """
    settings = load_settings()
    try:
        from bot import demo as simulated
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the demo needs {error.name}; install it with: pip install 'threadwise[demo]'"
        ) from None
    logs.set_up("WARNING" if settings.log_level == "INFO" else settings.log_level, None)
    asyncio.run(until_stopped(simulated.show(settings, port=port, browser=browser)))


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Await ``work``, and cancel it when SIGINT or SIGTERM comes.

    A bot ends by being told to stop, so that is no error. The process then ends in time,
    whatever its threads are at.
    """
    task, loop, stopped = asyncio.ensure_future(work), asyncio.get_running_loop(), False

    def cancel(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        loop.call_soon_threadsafe(task.cancel)

    try:
        with stop_in_time((signal.SIGINT, signal.SIGTERM), cancel, 0, STOPPED):
            await task
    except asyncio.CancelledError:
        if not stopped:
            raise
        print_note(STOPPED)


async def _serve(settings: Settings, token: str) -> None:
    monitor = Monitor()
    async with _metrics_served(settings, monitor) as observer, open_app(settings, observer) as app:
        await load_seeds(app)
        app.follow()
        freeze_garbage_collector()
        with monitor.watching(app):
            await _connect_as_allowed(app, token, monitor)


@asynccontextmanager
async def _metrics_served(settings: Settings, monitor: Monitor) -> AsyncIterator[Observer]:
    """Serve metrics until the block ends, if they are wanted; gives who is told of the work."""
    if not settings.metrics_port:
        yield UNOBSERVED
        return
    from bot import metrics, metrics_server  # only now: they take a tenth of a second to load

    observer = metrics.Metrics()
    host, port = settings.metrics_host, settings.metrics_port
    serving = asyncio.create_task(
        metrics_server.serve(observer, monitor, host, port), name="serve metrics"
    )
    try:
        yield observer
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def freeze_garbage_collector() -> None:
    """Exclude all objects that are there now from garbage collection, for good.

    The modules alone are over 100,000 objects: looking through them, which the collector does
    time and again, would hold the event loop for some 80 ms each time.
    """
    gc.collect()
    gc.freeze()


async def _connect_as_allowed(app: App, token: str, monitor: Monitor) -> None:
    """Connect, without reading messages where Discord doesn't let us."""
    try:
        await _connect(_bot(app), token, monitor)
    except discord.PrivilegedIntentsRequired:
        print_warning(
            "this application may not read messages: switch on Message Content Intent at "
            f"{PORTAL} > Bot. Until then the bot answers mentions, replies, direct messages "
            "and commands only."
        )
        await _connect(_bot(app, message_content=False), token, monitor)


def _bot(app: App, *, message_content: bool = True) -> ThreadBot:
    settings = app.settings
    return ThreadBot(
        app,
        message_content=message_content,
        shard_count=settings.shard_count or None,
        shard_ids=settings.shard_ids,
    )


async def _connect(bot: ThreadBot, token: str, monitor: Monitor) -> None:
    monitor.bot = bot
    try:
        async with bot:
            await bot.login(token)
            with Watchdog():
                await bot.connect()
    except discord.LoginFailure:
        raise ConfigError(
            f"Discord refused DISCORD_TOKEN; get a new one at {PORTAL} > Bot > Reset Token"
        ) from None
    except _OUT_OF_REACH as error:
        raise Unreachable(
            f"Discord can't be reached ({str(error) or 'no reply'}); check this computer's "
            "network, then start again"
        ) from None


_OUT_OF_REACH = (
    aiohttp.ClientConnectionError,
    discord.DiscordServerError,
    discord.GatewayNotFound,
    TimeoutError,
)
