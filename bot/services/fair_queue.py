"""A pool of a few threads behind a bounded queue in which servers take turns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from bot.errors import ThreadwiseError

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 4
"""Searches at the same time: the model and the index use every core themselves."""

WAITING = 256
"""Questions that wait: some seconds of work on a small machine."""


class Busy(ThreadwiseError):
    """A full queue; the text says so to the person who asked."""

    exit_code = 1

    def __init__(self) -> None:
        super().__init__("I have a lot of questions to answer just now. Please ask me again soon.")


class FairQueue:
    """Runs work in threads: ``at_once`` at a time, and at most ``most`` waiting.

    The next to be done is the oldest of the server whose turn it is, so that one question
    waits for one of each other server at most. When the queue is full, the newest of the
    server that has most in it goes.
    """

    def __init__(self, at_once: int = AT_ONCE, most: int = WAITING):
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
