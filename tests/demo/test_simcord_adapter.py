"""The demo's clock: time passes, and the page is published only when something changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.demo import simcord_adapter
from bot.demo.simcord_adapter import SimulatedClock
from tests.kit.waiting import until

CHANNEL = SimpleNamespace(id=5)


class FakePage:
    """Stands for SimCord's world and page: counts what is done with them."""

    def __init__(self) -> None:
        self.messages: dict[int, SimpleNamespace] = {}
        self.backend = SimpleNamespace(messages={CHANNEL.id: self.messages})
        self.advanced = 0.0
        self.refreshed = 0
        self.presented = 0
        self.stuck = False
        self.ticks = 0

    async def ticked(self, times: int = 3) -> None:
        """Wait until the clock has ticked so many times from now on."""
        end = self.ticks + times
        await until(lambda: self.ticks >= end)

    def post(self, content: str) -> None:
        number = len(self.messages)
        self.messages[number] = SimpleNamespace(
            id=number, edited_timestamp=None, content=content, reactions=[]
        )

    async def advance_time(self, seconds: float) -> None:
        self.ticks += 1
        if self.stuck:
            raise TimeoutError
        self.advanced += seconds

    async def refresh(self) -> None:
        self.refreshed += 1

    def _advance_presentation_time(self) -> None:
        self.presented += 1

    async def _action(self, context_id: str | None, body: dict[str, Any]) -> dict[str, Any]:
        self.post(body["content"])
        return {"settlement": "settled"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simcord_adapter, "TICK", 0.01)


@asynccontextmanager
async def _running(page: FakePage) -> AsyncIterator[None]:
    fake = cast(Any, page)
    task = asyncio.create_task(SimulatedClock(fake, fake, cast(Any, CHANNEL)).run())
    yield
    await page.ticked()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_time_passes_and_a_quiet_channel_is_left_alone() -> None:
    page, began = FakePage(), time.monotonic()
    async with _running(page):
        pass
    assert 3 * simcord_adapter.TICK * 0.9 < page.advanced <= time.monotonic() - began
    assert page.refreshed == 0


async def test_what_the_bot_does_by_itself_is_published_once() -> None:
    page = FakePage()
    async with _running(page):
        await page.ticked()
        page.post("by the way")
    assert page.refreshed == 1


async def test_what_a_person_did_is_not_published_again() -> None:
    page = FakePage()
    async with _running(page):
        await asyncio.sleep(0)
        done = await page._action("context", {"content": "hello"})
    assert done == {"settlement": "settled"}
    assert len(page.messages) == 1
    assert page.refreshed == 0
    assert page.presented == 1  # relative times are those of the moment


async def test_a_busy_bot_does_not_stop_the_clock(caplog: pytest.LogCaptureFixture) -> None:
    page = FakePage()
    page.stuck = True
    async with _running(page):
        await page.ticked()
        page.stuck = False
    assert page.advanced > 0
    assert "busy" in caplog.text
