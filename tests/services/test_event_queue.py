"""Queues of events: in order by key, one task a key."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.services.queues import EVENTS_AT_ONCE, EventQueues
from tests.kit.waiting import until


class Handler:
    """Notes what it is handed; waits for ``gate`` each time."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, list[int]]] = []
        self.gate = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.add(asyncio.create_task(work, name=name))

    async def handle(self, key: int, events: list[int]) -> None:
        await self.gate.wait()
        if -1 in events:
            raise RuntimeError("a fault")
        self.seen.append((key, events))

    def of(self, key: int) -> list[int]:
        return [event for k, events in self.seen if k == key for event in events]


@pytest.fixture
async def handler() -> Handler:
    return Handler()


@pytest.fixture
def queues(handler: Handler) -> EventQueues[int]:
    return EventQueues(handler.handle, handler.spawn, name="events")


async def until_idle(queues: EventQueues[int]) -> None:
    await until(lambda: not queues.active())


async def test_events_of_a_key_keep_their_order(queues: EventQueues[int], handler: Handler) -> None:
    for n in range(3 * EVENTS_AT_ONCE):
        queues.put(n % 2, n)
    handler.gate.set()
    await until_idle(queues)
    assert handler.of(0) == list(range(0, 3 * EVENTS_AT_ONCE, 2))
    assert handler.of(1) == list(range(1, 3 * EVENTS_AT_ONCE, 2))
    assert all(len(events) <= EVENTS_AT_ONCE for _, events in handler.seen)


async def test_one_task_a_key_which_ends(queues: EventQueues[int], handler: Handler) -> None:
    for n in range(10):
        queues.put(5, n)
    assert [task.get_name() for task in handler.tasks] == ["events of 5"]
    handler.gate.set()
    await until_idle(queues)
    await asyncio.gather(*handler.tasks)
    queues.put(5, 10)
    await until_idle(queues)
    assert len(handler.tasks) == 2
    assert handler.of(5) == list(range(11))


async def test_what_is_put_first_comes_before_all_that_waits(
    queues: EventQueues[int], handler: Handler
) -> None:
    queues.put(1, 1)
    await asyncio.sleep(0)  # it is being handled
    queues.put(1, 3)
    queues.put(1, 2, first=True)
    handler.gate.set()
    await until_idle(queues)
    assert handler.of(1) == [1, 2, 3]


async def test_a_fault_loses_what_it_met_and_no_more(
    queues: EventQueues[int], handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    handler.gate.set()
    queues.put(1, -1)
    await asyncio.sleep(0)
    queues.put(1, 2)
    await until_idle(queues)
    assert handler.of(1) == [2]
    assert "1 events are lost" in caplog.text


async def test_a_key_that_waits_holds_up_no_other(
    queues: EventQueues[int], handler: Handler
) -> None:
    queues.put(1, 1)
    await asyncio.sleep(0)
    handler.gate.set()
    queues.put(2, 2)
    await until_idle(queues)
    assert handler.of(2) == [2]


async def test_a_cancelled_worker_leaves_room_for_another(
    queues: EventQueues[int], handler: Handler
) -> None:
    queues.put(1, 1)
    await asyncio.sleep(0)
    for task in handler.tasks:
        task.cancel()
    await asyncio.gather(*handler.tasks, return_exceptions=True)
    handler.gate.set()
    queues.put(1, 2)
    await until_idle(queues)
    assert handler.of(1) == [2]


async def test_stopped_they_take_nothing_more(queues: EventQueues[int], handler: Handler) -> None:
    queues.put(1, 1)
    await asyncio.sleep(0)
    queues.put(1, 2)
    queues.stop()
    queues.put(1, 3)
    queues.put(2, 4)
    handler.gate.set()
    await until_idle(queues)
    assert handler.seen == [(1, [1])]


async def test_what_is_not_handled_is_pending(queues: EventQueues[int], handler: Handler) -> None:
    for n in range(EVENTS_AT_ONCE + 1):
        queues.put(1, n)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert queues.pending() == [*range(EVENTS_AT_ONCE + 1)]
    for task in handler.tasks:
        task.cancel()
    await asyncio.gather(*handler.tasks, return_exceptions=True)
    queues.put(2, -2)
    assert queues.stop() == [*range(EVENTS_AT_ONCE + 1), -2]
