"""Queues in which events wait for their turn, one queue a key; each ends when it is empty."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

AT_ONCE = 200
"""Events that are handled together at most."""

log = logging.getLogger(__name__)

E = TypeVar("E")
Spawn = Callable[[Coroutine[Any, Any, None], str], None]


class EventQueues(Generic[E]):
    """Hands events on in the order in which they were put, those of one key one batch at a time.

    ``handle(key, events)`` is awaited before the next events of the key are handed on; events
    of other keys don't wait for it. ``spawn`` starts a task, which lives as long as a queue
    has events.
    """

    def __init__(
        self, handle: Callable[[int, list[E]], Awaitable[None]], spawn: Spawn, *, name: str
    ):
        self._handle, self._spawn, self._name = handle, spawn, name
        self._queues: dict[int, deque[E]] = {}
        self._in_hand: dict[int, list[E]] = {}
        self._left: list[E] = []  # by workers that were cancelled
        self._stopped = False

    def put(self, key: int, event: E, *, first: bool = False) -> None:
        """Queue an event; ``first``: before all that wait.

        Call it before the first ``await`` of whatever hears the event, or its place is lost.
        """
        if self._stopped:
            return
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque()
            self._spawn(self._work(key, queue), f"{self._name} of {key}")
        (queue.appendleft if first else queue.append)(event)

    def waiting(self, key: int) -> int:
        """Return how many events of a key have not been handed on."""
        return len(self._queues.get(key, ()))

    def active(self) -> list[int]:
        """Return the keys of which events wait or are being handled."""
        return list(self._queues)

    def pending(self) -> list[E]:
        """Return the events that are not handled yet, or of which the handling was cancelled."""
        waiting = (event for queue in self._queues.values() for event in queue)
        in_hand = (event for batch in self._in_hand.values() for event in batch)
        return [*self._left, *in_hand, *waiting]

    def stop(self) -> list[E]:
        """Take nothing more, and drop what waits; return what was pending."""
        self._stopped = True
        pending = self.pending()
        for queue in self._queues.values():
            queue.clear()
        return pending

    async def _work(self, key: int, queue: deque[E]) -> None:
        try:
            while queue:
                batch = [queue.popleft() for _ in range(min(AT_ONCE, len(queue)))]
                self._in_hand[key] = batch
                try:
                    await self._handle(key, batch)
                except Exception:  # later events must not wait for ever
                    log.exception("%s of %d: %d events are lost", self._name, key, len(batch))
                del self._in_hand[key]
                await asyncio.sleep(0)
        finally:
            self._left += [*self._in_hand.pop(key, ()), *queue]
            # A worker that is cancelled leaves with its queue; the next event begins another.
            if self._queues.get(key) is queue:
                del self._queues[key]
