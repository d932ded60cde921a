"""Requests that nobody waits for: ten in a second, of all channels together."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from bot.services.request_pace import A_SECOND, RequestPace


class Clock:
    """A clock that goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds


async def begun(count: int, clock: Clock, takes: float = 0.0) -> list[float]:
    pace, times = RequestPace(clock), list[float]()

    async def request() -> None:
        await pace.turn()
        times.append(clock.now())
        clock.time += takes

    await asyncio.gather(*(request() for _ in range(count)))
    return times


async def test_no_second_has_more_than_ten() -> None:
    times = await begun(100, Clock())
    assert all(later - first >= 1.0 for first, later in zip(times, times[A_SECOND:], strict=False))
    assert times[-1] - times[0] < 12.0


async def test_the_first_ones_begin_at_once() -> None:
    times = await begun(A_SECOND, Clock())
    assert set(times) == {100.0}


async def test_slow_requests_wait_for_nothing() -> None:
    times = await begun(30, Clock(), takes=0.5)
    assert {round(later - first, 6) for first, later in pairwise(times)} == {0.5}
