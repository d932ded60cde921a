"""Queues that take turns: of events by key, of questions by server, of embedding by scope."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from bot.errors import ThreadwiseError
from bot.i18n import gettext as _
from bot.models import VectorStage

EVENTS_AT_ONCE = 200
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

    def __len__(self) -> int:
        """Return how many events wait, of all keys."""
        return sum(map(len, self._queues.values()))

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
                batch = [queue.popleft() for _ in range(min(EVENTS_AT_ONCE, len(queue)))]
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


P = ParamSpec("P")
T = TypeVar("T")

WORKERS = 4
"""Searches at the same time: the model and the index use every core themselves."""

QUESTIONS_WAITING = 256
"""Questions that wait: some seconds of work on a small machine."""


class Busy(ThreadwiseError):
    """A full queue; the text says so to the person who asked."""

    exit_code = 1

    def __str__(self) -> str:  # made where it is read: another's task may have raised it
        return _("I have a lot of questions to answer just now. Please ask me again soon.")


class FairQueue:
    """Runs work in threads: ``at_once`` at a time, and at most ``most`` waiting.

    The next to be done is the oldest of the server whose turn it is, so that one question
    waits for one of each other server at most. When the queue is full, the newest of the
    server that has most in it goes.
    """

    def __init__(self, at_once: int = WORKERS, most: int = QUESTIONS_WAITING):
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="search")
        self._free, self._most = at_once, most
        self._closed = False
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}  # in the order of their turns

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(map(len, self._waiting.values()))

    @property
    def is_full(self) -> bool:
        """Return whether something has to go before more can wait."""
        return len(self) >= self._most

    async def run(self, scope: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work for a server when its turn comes. Raises Busy, also when closed."""
        await self._turn(scope)
        if self._closed:
            raise Busy
        loop = asyncio.get_running_loop()
        doing = loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        doing.add_done_callback(self._done)
        # Who leaves meanwhile leaves a thread that is still at it: its place is not free yet.
        return await asyncio.shield(doing)

    def close(self) -> None:
        """Take no more work, and wait for none."""
        self._closed = True
        for turns in self._waiting.values():
            for turn in turns:
                if not turn.done():
                    turn.set_exception(Busy())
        self._waiting.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, scope: int) -> None:
        if self._free:
            self._free -= 1
            return
        if self.is_full:
            self._make_room(scope)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(scope, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled() and turn in self._waiting.get(scope, ()):
                self._waiting[scope].remove(turn)
                if not self._waiting[scope]:
                    del self._waiting[scope]
            elif not turn.cancelled() and turn.exception() is None:
                self._next()  # it was our turn just now
            raise

    def _make_room(self, scope: int) -> None:
        """Turn away the newest of the server that has most. Raises Busy if that is ours."""
        longest = max(self._waiting, key=lambda other: len(self._waiting[other]))
        if len(self._waiting[longest]) <= len(self._waiting.get(scope, ())) + 1:
            raise Busy
        newest = self._waiting[longest].pop()
        if not newest.done():  # whoever waited may have left just now
            newest.set_exception(Busy())

    def _done(self, doing: asyncio.Future[T]) -> None:
        if not doing.cancelled():
            doing.exception()  # whoever asked has left perhaps, and nobody else looks
        self._next()

    def _next(self) -> None:
        """Give the place that is free to whoever waits next."""
        while self._waiting:
            scope = next(iter(self._waiting))
            queue = self._waiting.pop(scope)
            turn = queue.popleft()
            if queue:
                self._waiting[scope] = queue  # behind the others now
            if not turn.done():  # whoever waited may have left just now
                turn.set_result(None)
                return
        self._free += 1


BODY_COST = 4
"""Titles that are taken together in the place of one body, which the model reads for longer."""


class ToEmbed(NamedTuple):
    """A thread that waits for vectors; the least ``rank`` is first. ``phrasings`` counts texts."""

    rank: int
    thread_id: int
    phrasings: int = 0

    def cost(self, stage: VectorStage) -> int:
        """Return about as how many titles the texts of a stage count."""
        costs = {VectorStage.BODY: BODY_COST, VectorStage.PHRASINGS: max(1, self.phrasings)}
        return costs.get(stage, 1)


@dataclass(slots=True)
class Work:
    """The next threads to embed, with their scopes: all for the same stage."""

    stage: VectorStage
    threads: list[tuple[int, ToEmbed]] = field(default_factory=list)


class EmbeddingQueue:
    """Threads whose vectors are to be made, by stage and scope.

    A stage waits for the former one of all scopes; in it, one thread of each scope is taken in
    its turn, those of a scope by rank. ``seq`` is the change of the library up to which the
    queue knows what there is to do.
    """

    def __init__(self) -> None:
        self.seq = 0
        # Heaps by scope, in the order of their turns.
        self._stages: dict[VectorStage, dict[int, list[ToEmbed]]] = {s: {} for s in VectorStage}

    def add(self, stage: VectorStage, scope: int, one: ToEmbed) -> None:
        """Have a thread of a scope wait for a stage."""
        heappush(self._stages[stage].setdefault(scope, []), one)

    def take(self, most: int, last: VectorStage = VectorStage.BODY) -> Work | None:
        """Return the next to be done, about as much as so many titles; ``None``: nothing.

        What waits for stages after the ``last`` is left.
        """
        stage = next((stage for stage, waiting in self._stages.items() if waiting), None)
        if stage is None or stage > last:
            return None
        waiting, work = self._stages[stage], Work(stage)
        while most > 0 and waiting:
            scope = next(iter(waiting))
            heap = waiting.pop(scope)
            one = heappop(heap)
            work.threads.append((scope, one))
            most -= one.cost(stage)
            if heap:
                waiting[scope] = heap  # behind the others now
        return work

    def put_back(self, work: Work) -> None:
        """Have what was taken wait again."""
        for scope, one in work.threads:
            self.add(work.stage, scope, one)

    def clear(self) -> None:
        """Forget all that waits, and how far that was known."""
        for waiting in self._stages.values():
            waiting.clear()
        self.seq = 0
