"""Requests that nobody waits for: ten in a second, of all channels together."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from bot.services.request_pace import A_SECOND, RequestPace
from tests.kit.posts import JumpingClock


async def sent(number: int, clock: JumpingClock, delays: list[float]) -> list[float]:
    """Make requests one after the other, each of which is sent after a delay; return when."""
    pace, times, numbers = RequestPace(clock), list[float](), count()
    for _ in range(number):
        async with pace.turn():
            clock.time += delays[next(numbers) % len(delays)]
            times.append(clock.time)
    return times


@pytest.mark.parametrize("delays", [[0.0], [0.9, 0.0], [0.0] * 9 + [3.0], [0.05]])
async def test_no_second_has_more_than_ten_however_late_each_is_sent(delays: list[float]) -> None:
    times = await sent(100, JumpingClock(), delays)
    pairs = zip(times, times[A_SECOND:], strict=False)
    assert all(later - first >= 1.0 for first, later in pairs)


async def test_the_first_ones_begin_at_once_and_the_others_as_soon_as_they_may() -> None:
    times = await sent(31, JumpingClock(), [0.0])
    assert set(times) == {0.0, 1.0, 2.0, 3.0}


async def test_slow_requests_wait_for_nothing() -> None:
    times = await sent(30, JumpingClock(), [0.5])
    assert times == [0.5 * (n + 1) for n in range(30)]


async def test_ten_are_under_way_at_once_at_most() -> None:
    pace, under_way, most, end = RequestPace(JumpingClock()), 0, 0, asyncio.Event()

    async def request() -> None:
        nonlocal under_way, most
        async with pace.turn():
            under_way += 1
            most = max(most, under_way)
            await end.wait()
            under_way -= 1

    tasks = [asyncio.create_task(request()) for _ in range(25)]
    for _ in range(10):
        await asyncio.sleep(0)
    end.set()
    await asyncio.gather(*tasks)
    assert most == A_SECOND


async def test_a_turn_that_was_given_up_is_another_s() -> None:
    clock = JumpingClock()
    pace = RequestPace(clock)
    for _ in range(A_SECOND):
        async with pace.turn():
            pass

    async def cancelled(_seconds: float) -> None:
        raise asyncio.CancelledError

    real = clock.sleep
    clock.sleep = cancelled  # type: ignore[assignment, method-assign]
    with pytest.raises(asyncio.CancelledError):
        async with pace.turn():
            pass
    clock.sleep = real  # type: ignore[method-assign]
    async with pace.turn():
        assert clock.time == 1.0
