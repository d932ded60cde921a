"""The watchdog: what holds the loop is named, and what does not is not."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import time

import pytest

from bot import watchdog
from bot.watchdog import Stall, StallLog, Watchdog
from tests.kit.spinning import hold_the_interpreter, spin
from tests.kit.waiting import HANG, until


@pytest.fixture(autouse=True)
def spinning_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "OURS", ("bot", "cogs", "tests"))


async def test_what_holds_the_loop_is_named_while_it_does() -> None:
    holds: list[Stall] = []
    with Watchdog(limit=0.1, report=holds.append):
        await asyncio.sleep(0.05)
        spin(until=lambda: False, seconds=0.5)
        await until(lambda: holds)
    assert holds[0].place == "tests.kit.spinning:spin"
    assert not holds[0].in_thread
    assert holds[0].seconds > 0.05


async def test_the_functions_around_the_loop_are_not_to_blame() -> None:
    """``asyncio.run`` is called by a function of ours as well, which does not hold the loop."""
    holds: list[Stall] = []
    with Watchdog(limit=0.1, report=holds.append):
        await asyncio.sleep(0.05)
        re.compile("x" * 50).search  # noqa: B018
        time.sleep(0.5)  # in no function of ours but this one
        await until(lambda: holds)
    assert holds[0].place.startswith("tests.test_watchdog:test_the_functions_around")


async def test_a_thread_that_keeps_the_interpreter_is_named() -> None:
    holds: list[Stall] = []
    with Watchdog(limit=0.1, report=holds.append):
        async with asyncio.timeout(HANG):
            while not any(hold.in_thread for hold in holds):
                # What others do at that time may hide it.
                await asyncio.to_thread(hold_the_interpreter)
                await asyncio.sleep(0.1)
    assert Stall(0, "tests.kit.spinning:hold_the_interpreter", 0, True) in [
        Stall(0, hold.place, 0, hold.in_thread) for hold in holds
    ]


async def test_threads_and_waiting_hold_nothing() -> None:
    holds: list[Stall] = []
    ended = threading.Event()
    with Watchdog(limit=5.0, report=holds.append):  # a busy machine is not to blame either
        work = asyncio.create_task(asyncio.to_thread(spin, ended.is_set, HANG))
        await asyncio.sleep(0.3)
        ended.set()
        await work
    assert holds == []


async def test_it_asks_nothing_of_a_loop_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    loop = asyncio.get_running_loop()

    def answers(self: Watchdog) -> bool:
        asked.append(True)
        return True

    monkeypatch.setattr(Watchdog, "_answers", answers)
    looked: list[bool] = []
    real = Watchdog._is_idle

    def is_idle(self: Watchdog) -> bool:
        looked.append(real(self))
        return looked[-1]

    monkeypatch.setattr(Watchdog, "_is_idle", is_idle)
    with Watchdog(loop, limit=0.03):
        done = asyncio.Event()
        loop.call_later(0.5, done.set)
        await done.wait()
    assert looked.count(True) > len(looked) / 2
    assert len(asked) == looked.count(False)


async def test_it_stops_when_told_twice_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with Watchdog() as dog:
        assert threading.active_count() == before + 1
        dog.stop()
    assert threading.active_count() == before


def test_a_closed_loop_ends_it() -> None:
    async def begin() -> Watchdog:
        return Watchdog(limit=0.03).__enter__()

    dog = asyncio.run(begin())
    dog._thread.join(HANG)
    assert not dog._thread.is_alive()
    dog.stop()


def test_the_log_names_a_place_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    logged = StallLog()
    with caplog.at_level(logging.WARNING):
        for n in range(5):
            logged(Stall(0.2 + n / 10, "bot.a:b", 100.0 + n))
        logged(Stall(0.3, "bot.c:d", 104.0, in_thread=True))
        logged(Stall(0.5, "bot.a:b", 100.0 + watchdog.STALL_LOG_SECONDS))
    assert [record.getMessage() for record in caplog.records] == [
        "the loop was held for 200 ms by bot.a:b",
        "the loop was held for 300 ms by bot.c:d in a thread",
        "the loop was held for 500 ms by bot.a:b; 4 times since I last said so, for up to 600 ms",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waited")
def test_time_in_which_others_had_the_processor_is_known() -> None:
    assert watchdog._starved(threading.get_native_id()) > 0.0
    assert watchdog._starved(10**9) == 0.0


async def test_it_stops_just_when_it_is_about_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not wait for the answer of a loop that waits for its end."""
    watch = Watchdog(limit=0.03)
    asking = threading.Event()

    def busy() -> bool:
        asking.set()
        return not watch._stopped.wait(HANG)

    monkeypatch.setattr(watch, "_is_idle", busy)
    rescued: list[bool] = []

    def answer() -> None:
        rescued.append(True)
        watch._answered.set()

    rescue = threading.Timer(10, answer)
    rescue.start()
    with watch:
        assert await asyncio.to_thread(asking.wait, HANG)
    rescue.cancel()
    assert not rescued
