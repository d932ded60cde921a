"""A SimCord on which a year passes within an hour: time jumps, and all clocks follow it.

Beside ``tests.kit.simcord``, the only module of the tests that uses SimCord's private names.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any
from weakref import WeakSet

import aiosqlite
import pytest
import simcord
from simcord._runtime import _CallbackRecord
from simcord._settlement import _active_callbacks, _is_parked, _run_due_virtual_callbacks

AHEAD = 100_000_000.0
"""Seconds on the simulated monotonic clock at the start: more than a real one ever shows, so that
what was noted by that, outside of the bot's tasks, is long ago and never to come."""

TURNS = 6
"""Turns of the event loop in which nothing may be left to do before the bot counts as settled."""

LOOK = 0.001
"""Real seconds between looks at whether work in threads has ended."""

STUCK, PACE = 5.0, 0.1
"""Real seconds after which the clock goes on by itself, and those that a simulated one takes then:
what is waited for may wait for the clock itself, as who has a lock and tries a request again."""


class VirtualEnv(simcord.Env):
    """A SimCord in which timers fire when the clock is moved, and never before.

    SimCord's own waits in real time for what sleeps for a short while, and looks at every task
    every half a millisecond.
    """

    def __init__(self, bot: Any, *, patience: float = 120.0, stuck: float = STUCK):
        super().__init__(bot, check_errors=False, settle_timeout=patience)
        self._stuck = stuck
        # It has a list of them, in which each is looked for by comparing field by field.
        _CallbackRecord.__eq__ = object.__eq__  # type: ignore[method-assign]
        self.backend.clock.elapsed = AHEAD
        self.backend.clock._epoch = datetime.fromtimestamp(
            self.backend.clock._epoch.timestamp() - AHEAD, UTC
        )

    def _schedule_timer(self, *_args: Any) -> None:
        """Leave a timer to the simulated clock alone."""

    async def _settle_internal(self, **_options: Any) -> None:
        """Wait until the bot has nothing to do but to wait for the clock."""
        began, quiet = time.perf_counter(), 0
        goes_on = began + self._stuck
        while quiet < TURNS:
            _run_due_virtual_callbacks(self._settlement_state(), float("inf"))
            await asyncio.sleep(0)
            if not (busy := self._busy()):
                quiet += 1
                continue
            if quiet:  # what has just begun may end within the same turn
                quiet = 0
                continue
            await asyncio.sleep(LOOK)
            now = time.perf_counter()
            if now > goes_on:
                self.drift(1.0)
                goes_on = now + PACE
            if now > began + self.settle_timeout:
                where = "".join(map(_stack, self._work.tasks))
                raise TimeoutError(f"the bot did not settle: {busy}; its tasks wait at{where}")

    def _busy(self) -> list[str]:
        """Return what is at work, or can't be told to wait for the clock."""
        state = self._settlement_state()
        sleeping, due = set[int](), list[str]()
        for record in _active_callbacks(state):
            if record.when is not None and record.when > state.virtual_time:
                assert record.handle is not None
                sleeping.update(id(each) for each in record.handle._args or ())
            else:
                due.append(record.label)
        if due or self._work.executors:
            return due or [each.label for each in self._work.executors.values()]
        waiting = [
            task
            for task in self._work.tasks
            if not task.done() and id(getattr(task, "_fut_waiter", None)) not in sleeping
        ]
        return [task.get_name() for task in waiting if not _is_parked(state, task, float("inf"))]

    async def jump(self, seconds: float) -> None:
        """Move the clock, then let all happen that is due by then: each timer fires once."""
        self.drift(seconds)
        await self._settle_internal()

    def drift(self, seconds: float) -> None:
        """Move the clock alone: what is due happens with the next settling."""
        self.backend.clock.advance(seconds)

    async def turn(self, count: int = 1) -> None:
        """Let the bot go on for some turns of the event loop, with whatever it is about."""
        for _ in range(count):
            await asyncio.sleep(0)

    @contextmanager
    def bot_scope(self) -> Iterator[None]:
        """Begin work that counts as the bot's: its timers and clocks are the simulated ones."""
        with self._bot_scope():
            yield

    def forget_history(self) -> list[BaseException]:
        """Drop SimCord's records, which grow for ever; return the errors that were among them."""
        self.backend.transcript.clear()
        self.backend.http_requests.clear()
        errors = list(self._errors)
        self._errors.clear()
        self._error_ids.clear()
        return errors

    def forget_messages(self, channel_id: int, most: int) -> list[int]:
        """Drop the oldest messages of a channel, of which no event tells; return which."""
        messages = self.backend.messages[channel_id]
        old = list(messages)[: max(0, len(messages) - most)]
        for message_id in old:
            del messages[message_id]
        return old

    async def drop_gateway(self) -> None:
        """End the connection; ``simcord.new_session`` begins another."""
        bot: Any = self.bot
        await bot.shards[0].disconnect()

    async def detach(self) -> None:
        """Cancel all of the bot's work, as its end does."""
        await self._detach_bot()


def _stack(task: asyncio.Task[Any]) -> str:
    """Return where a task waits, the innermost place last."""
    places = list[str]()
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None)) is not None:
        places.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        waiting = getattr(waiting, "cr_await", None)
    return f"\n{task.get_name()}: {' > '.join(places[-8:])} ({waiting!r})"


@contextmanager
def everywhere(env: VirtualEnv) -> Iterator[None]:
    """Have all modules of the program take the time and the date from a SimCord's clock.

    SimCord does so for ``time.monotonic`` and discord.py alone.
    """
    real_time, real_ns = time.time, time.time_ns

    def now() -> float:
        return env.backend.clock.now().timestamp()

    class Virtual(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(now(), tz)

    patched = list[Any]()
    modules: list[tuple[str, Any]] = list(sys.modules.items())
    for name, module in modules:
        if name.startswith(("bot.", "cogs.")) and vars(module).get("datetime") is datetime:
            module.datetime = Virtual
            patched.append(module)
    time.time, time.time_ns = now, lambda: int(now() * 1e6) * 1000
    try:
        yield
    finally:
        time.time, time.time_ns = real_time, real_ns
        for module in patched:
            module.datetime = datetime


class _InTurn:
    """Runs what aiosqlite would run in a thread at once; the loop has a turn before the result."""

    daemon = True

    def start(self) -> None:
        """Begin nothing."""

    def put_nowait(self, work: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """Do a piece of work."""
        future, function = work
        done: Callable[..., None] = aiosqlite.core.set_result
        try:
            result = function()
        except BaseException as error:
            done, result = aiosqlite.core.set_exception, error
        if future is not None:
            asyncio.BaseEventLoop.call_soon(future.get_loop(), done, future, result)  # type: ignore[arg-type]


@contextmanager
def without_database_threads() -> Iterator[WeakSet[aiosqlite.Connection]]:
    """Run SQLite in the thread of the loop: handing over to another takes longer than the work.

    Gives the connections that there are.
    """
    begin = aiosqlite.Connection.__init__
    connections: WeakSet[aiosqlite.Connection] = WeakSet()

    def begin_here(self: Any, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        self._tx = self._thread = _InTurn()
        connections.add(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "__init__", begin_here)
        yield connections
