"""Requests that fail for a passing reason are made again; others are not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot import retry
from bot.retry import MalformedReply, described, is_transient, retried
from tests.kit.waiting import HANG

Step = Callable[[], Awaitable[str]] | Exception | str


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PAUSES", (0.001, 0.001, 0.001))


class Requests:
    """A request that goes as the steps say, one for each time it is made."""

    def __init__(self, *steps: Step):
        self.steps, self.made = list(steps), 0

    async def __call__(self) -> str:
        self.made += 1
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, str) else await step()


def refused(status: int, said: Any = "no") -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="Because")
    kind = discord.DiscordServerError if status >= 500 else discord.HTTPException
    return kind(response, said)


UNREADABLE = json.JSONDecodeError("bad", "{", 0)


@pytest.mark.parametrize(
    "error",
    [
        refused(503),
        refused(520),
        ConnectionResetError(104, "reset"),
        aiohttp.ServerDisconnectedError(),
        TimeoutError(),
        UNREADABLE,
        KeyError("id"),
        TypeError("string indices must be integers"),
    ],
    ids=repr,
)
async def test_what_passes_is_tried_again(error: Exception):
    request = Requests(error, error, "done")
    assert await retried(request, "it") == "done"
    assert request.made == 3


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 502, 504, 524])
async def test_what_stays_or_was_repeated_by_the_library_is_not(status: int):
    request = Requests(refused(status), "never")
    with pytest.raises(discord.HTTPException):
        await retried(request, "it")
    assert request.made == 1


async def test_it_ends_with_the_last_failure():
    request = Requests(refused(503), TimeoutError(), UNREADABLE, KeyError("id"), "never")
    with pytest.raises(MalformedReply):
        await retried(request, "it")
    assert request.made == 4


async def test_no_try_begins_after_the_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retry, "LIMIT", -1.0)
    request = Requests(refused(503), "never")
    with pytest.raises(discord.DiscordServerError):
        await retried(request, "it")


async def test_without_a_reply_it_is_sent_again_and_the_first_reply_counts(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(retry, "REPLY_SECONDS", 0.01)
    gate, states = asyncio.Event(), list[str]()

    async def late() -> str:
        try:
            await gate.wait()
        except asyncio.CancelledError:
            states.append("cancelled")
            raise
        states.append("served")
        return "late"

    assert await retried(Requests(late, "second"), "it") == "second"
    gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert states == ["served"]  # discord.py would keep its global rate limit otherwise


async def test_cancelling_ends_all_tries():
    started, ended = asyncio.Event(), asyncio.Event()

    async def never() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    task = asyncio.create_task(retried(Requests(never), "it"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), HANG)


def test_errors_are_one_short_line():
    assert described(refused(503, "<html>\nlong")) == "503 Because (error code: 0)"
    said = {"code": 50013, "message": "Missing Permissions"}
    assert described(refused(403, said)).endswith("50013): Missing Permissions")
    assert described(TimeoutError()) == "TimeoutError"
    assert is_transient(MalformedReply("x"))
