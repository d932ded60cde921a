"""``threadwise run`` against a Discord of our own over real sockets."""

from __future__ import annotations

import gc
import re
import signal
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord.http import Route

from bot.cli import logs, run
from bot.client import ThreadBot
from tests.kit import programs
from tests.kit.command_line import Threadwise
from tests.kit.loopback import MESSAGE_CONTENT, TOKEN, Loopback, serving
from tests.kit.programs import Program

PROGRAM = """
import sys, warnings
warnings.simplefilter("ignore")
from discord.http import Route
Route.BASE = sys.argv.pop(1)
from bot.cli import main
main()
"""

HELD = (
    """
import time, types
from bot.client import ThreadBot
held = types.ModuleType("bot.held")
exec("def step():\\n    time.sleep(0.7)", held.__dict__ | {"time": time}, held.__dict__)
step = types.FunctionType(held.step.__code__, held.__dict__ | {"time": time})
async def on_ready(self):
    step()
ThreadBot.on_ready = on_ready
"""
    + PROGRAM
)


async def _start(url: str, *arguments: str, program: str = PROGRAM, **settings: str) -> Program:
    settings = {"DISCORD_TOKEN": TOKEN, "LOG_LEVEL": "INFO"} | settings
    return await programs.start("-c", program, url, *arguments, **settings)


async def _end(process: Program) -> tuple[int, str]:
    code, out, said = await process.end()
    assert not out
    return code, said


def test_the_collector_has_little_to_look_through_while_the_bot_runs() -> None:
    """A full collection looks at all objects, which holds the event loop meanwhile."""
    try:
        run.freeze_garbage_collector()
        assert gc.get_freeze_count() > 50_000
        assert len(gc.get_objects()) < 1_000
    finally:
        gc.unfreeze()


async def test_what_holds_the_loop_of_the_running_bot_is_in_the_log() -> None:
    async with serving(Loopback(TOKEN)) as fake:
        process = await _start(fake.url, "run", program=HELD)
        await process.until("the loop was held for")
        process.signal(signal.SIGTERM)
        code, said = await _end(process)
    assert code == 0, said
    assert re.search(r"the loop was held for \d{3,} ms by bot\.held:step\b", said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_connects_and_leaves_when_told_to(number: signal.Signals) -> None:
    async with serving(Loopback(TOKEN)) as fake:
        process = await _start(fake.url, "run")
        await process.until("connected as threadwise")
        process.signal(number)
        code, said = await _end(process)
    assert code == 0, said
    assert fake.gateway.intents[0] & MESSAGE_CONTENT
    assert {command["name"] for command in fake.commands} >= {"ask", "thread"}
    assert "Traceback" not in said
    # The watchdog warns where the whole machine is held up.
    assert not re.search(r"WARNING(?!.*the loop was held)", said)
    assert said.endswith("Stopped.\n")


async def test_a_token_starts_the_bot_without_a_command() -> None:
    async with serving(Loopback(TOKEN)) as fake:
        process = await _start(fake.url)
        await process.until("connected as threadwise")
        process.signal(signal.SIGINT)
        code, said = await _end(process)
    assert code == 0, said
    assert "DISCORD_TOKEN is set: connecting to Discord" in said


async def test_a_wrong_token_is_one_line_and_exit_code_2() -> None:
    async with serving(Loopback("another")) as fake:
        code, said = await _end(await _start(fake.url, "run"))
    assert code == 2
    assert "error: Discord refused DISCORD_TOKEN" in said
    assert "Traceback" not in said
    assert TOKEN not in said


def test_a_network_that_is_down_is_one_line_and_exit_code_1(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setattr(Route, "BASE", "http://127.0.0.1:9")
    monkeypatch.setattr(logs, "set_up", lambda level, token, **_: None)
    monkeypatch.setattr(run, "freeze_garbage_collector", lambda: None)
    result = threadwise("run")
    assert result.exit_code == 1  # it may pass, so a service manager should try again
    assert "error: Discord can't be reached" in result.stderr
    assert "Traceback" not in result.stderr


RESPONSE: Any = SimpleNamespace(status=503, reason="down")


@pytest.mark.parametrize(
    "trouble",
    [TimeoutError(), discord.DiscordServerError(RESPONSE, "later")],
    ids=lambda trouble: type(trouble).__name__,
)
def test_a_discord_that_is_down_is_one_line_and_exit_code_1(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    async def fail(self: ThreadBot, token: str) -> None:
        raise trouble

    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setattr(ThreadBot, "start", fail)
    monkeypatch.setattr(logs, "set_up", lambda level, token, **_: None)
    result = threadwise("run")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Discord can't be reached (")
    assert "()" not in result.stderr


async def test_without_message_content_it_says_so_and_goes_on() -> None:
    fake = Loopback(TOKEN, grants_message_content=False)
    async with serving(fake):
        process = await _start(fake.url, "run")
        await process.until("connected as threadwise")
        process.signal(signal.SIGINT)
        code, said = await _end(process)
    assert code == 0, said
    assert [bool(intents & MESSAGE_CONTENT) for intents in fake.gateway.intents] == [True, False]
    assert "switch on Message Content Intent" in said
    assert "Traceback" not in said


async def test_the_token_is_in_no_log_even_at_debug() -> None:
    async with serving(Loopback(TOKEN)) as fake:
        process = await _start(fake.url, "run", LOG_LEVEL="DEBUG")
        await process.until("connected as threadwise")
        process.signal(signal.SIGTERM)
        code, said = await _end(process)
    assert code == 0, said
    assert "WebSocket Event" in said
    assert TOKEN not in said
