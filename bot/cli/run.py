"""``run`` and ``demo``, and which of the two a bare ``threadwise`` starts."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine
from typing import Any

import aiohttp
import discord

from bot.app import App
from bot.cli import logs
from bot.cli.console import note, warn
from bot.cli.open_app import load_seeds
from bot.cli.stopping import leave_in_time, waking
from bot.client import ThreadBot
from bot.errors import ConfigError, Unreachable
from bot.settings import Settings, load_settings
from bot.watchdog import Watchdog

STOPPED = "Stopped."

PORTAL = "https://discord.com/developers/applications"

HOW_TO_GET_A_TOKEN = (
    f"To connect a real server: make an application at {PORTAL}, "
    "press Bot > Reset Token, and put DISCORD_TOKEN=... into .env (see README.md)."
)

# Threadwise has nothing to say in voice channels, so what that would need isn't missed.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


def start(port: int, browser: bool) -> None:
    """Start the bot with a token, else the demo, and say which and why."""
    if load_settings().discord_token is not None:
        note("DISCORD_TOKEN is set: connecting to Discord. To see the demo: threadwise demo")
        run()
    else:
        note(f"No DISCORD_TOKEN: starting the demo.\n{HOW_TO_GET_A_TOKEN}")
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
    logs.set_up(settings.log_level, token)
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
    """Do ``work`` until it is done, or cancel it when SIGINT or SIGTERM comes.

    Being told to stop is how a bot ends, so it is no error. The process then ends in time,
    whatever its threads are at.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        if not stopped:
            leave_in_time(0, STOPPED)
        stopped = True
        loop.call_soon_threadsafe(task.cancel)

    # Not the loop's own handlers: they would wait for whatever holds the loop.
    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with waking(loop):
            await task
    except asyncio.CancelledError:
        if not stopped:
            raise
        note(STOPPED)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


async def _serve(settings: Settings, token: str) -> None:
    app = await App.open(settings)
    try:
        await load_seeds(app)
        app.follow()
        keep_from_collector()
        await _connect_as_allowed(app, token)
    finally:
        await app.close()


def keep_from_collector() -> None:
    """Have the garbage collector pass over all that is there now, for good.

    The modules alone are over 100,000 objects: looking through them, which it does time and
    again, would hold the event loop for some 80 ms each time.
    """
    gc.collect()
    gc.freeze()


async def _connect_as_allowed(app: App, token: str) -> None:
    """Connect, without reading messages where Discord doesn't let us."""
    try:
        await _connect(ThreadBot(app), token)
    except discord.PrivilegedIntentsRequired:
        warn(
            "this application may not read messages: switch on Message Content Intent at "
            f"{PORTAL} > Bot. Until then the bot answers mentions, replies, direct messages "
            "and commands only."
        )
        await _connect(ThreadBot(app, message_content=False), token)


async def _connect(bot: ThreadBot, token: str) -> None:
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
