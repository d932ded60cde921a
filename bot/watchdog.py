"""A watchdog for the event loop: it logs what stalls the loop, while it happens.

A thread looks several times in a tenth of a second whether the loop waits for something to
happen. If not, it asks for a sign of life, and where that is late, it looks at what the
loop's thread is doing until it comes.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Self

from bot.errors import counted
from bot.log_throttle import LogThrottle

LIMIT = 0.1
"""Seconds that nothing may stall the loop for."""

LOOKS = 3
"""Looks at the loop in that time."""

SAMPLE = 0.01
"""Seconds between two looks at what holds the loop."""

STALL_LOG_SECONDS = 60.0
"""Seconds in which one place is named once; how often it was meanwhile is said later."""

UNKNOWN = "something that was over before it could be seen"

OURS = ("bot", "cogs")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stall:
    """A stall of the loop for so many ``seconds``, until ``end`` (of ``time.monotonic``).

    ``place`` is the ``module:function`` of ours that was seen most often meanwhile; else, of
    whatever it was. ``in_thread`` says that it ran in another thread and kept the interpreter.
    """

    seconds: float
    place: str
    end: float
    in_thread: bool = False


Report = Callable[[Stall], None]


class Watchdog:
    """Watches an event loop from the ``with`` line on, until the block ends.

    ``limit`` is in seconds; holds are measured to a third of it. ``report`` is called for
    each stall, in the watchdog's thread; by default they are logged, but not in floods.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        limit: float = LIMIT,
        report: Report | None = None,
    ):
        self._loop = loop or asyncio.get_running_loop()
        self._limit, self._pause = limit, limit / LOOKS
        self._report = report or StallLog()
        self._answered, self._stopped = threading.Event(), threading.Event()
        self._watched = self._native = 0
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch; called in the loop's own thread."""
        self._watched, self._native = threading.get_ident(), threading.get_native_id()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Watch no longer; safe to call twice."""
        self._stopped.set()
        self._thread.join()  # it doesn't wait for the loop any more, which waits here

    def _watch(self) -> None:
        own = threading.get_native_id()
        while True:
            slept, worked, starved = time.monotonic(), time.process_time(), _starved(own)
            if self._stopped.wait(self._pause):
                return
            late = time.monotonic() - slept - self._pause
            if late > self._limit - self._pause:
                late -= _starved(own) - starved
                self._overslept(late, time.process_time() - worked)
            elif not self._is_idle() and not self._answers():
                return

    def _is_idle(self) -> bool:
        """Return whether the loop waits for something to happen; asking it would only wake it."""
        frame = sys._current_frames().get(self._watched)
        return frame is not None and _is_waiting(frame)

    def _overslept(self, late: float, worked: float) -> None:
        """Report that another thread kept the interpreter, unless the machine is merely busy.

        In the latter case this process has hardly worked meanwhile, and is not to blame.
        """
        if late > self._limit - self._pause and worked > late / 2:
            place, in_thread = self._place() or (UNKNOWN, False)
            self._report(Stall(late, place, time.monotonic(), in_thread))

    def _answers(self) -> bool:
        """Ask the loop for a sign of life and see what holds it; False once it is closed."""
        asked, starved = time.monotonic(), _starved(self._native)
        self._answered.clear()
        try:
            self._loop.call_soon_threadsafe(self._answered.set)
        except RuntimeError:
            return False
        most = self._limit - self._pause
        # The answer may be there at last when this thread can run again, too.
        if not self._answered.wait(most) or time.monotonic() - asked > most:
            self._look(asked, starved)
        return True

    def _look(self, asked: float, starved: float) -> None:
        """See what holds the loop until it answers, and report it if it took long enough.

        The time in which other programs had the processor is not counted.
        """
        seen: Counter[tuple[str, bool]] = Counter()
        while True:
            if (place := self._place()) is not None:
                seen[place] += 1
            if self._answered.wait(SAMPLE) or self._stopped.is_set():
                break
        end = time.monotonic()
        held = end - asked - (_starved(self._native) - starved)
        if not self._stopped.is_set() and held > self._limit - self._pause / 2:
            seen[UNKNOWN, False] += not seen
            ((where, in_thread), _), *_ = seen.most_common(1)
            self._report(Stall(held, where, end, in_thread))

    def _place(self) -> tuple[str, bool] | None:
        """Return what the loop's thread is doing, or what of this program another one is doing."""
        frames = sys._current_frames()
        watched = frames.pop(self._watched, None)
        if watched is None:
            return None
        if not _is_waiting(watched) and (own := _ours(watched)):
            return own, False
        theirs = (_ours(frame) for frame in frames.values())
        if other := next((place for place in theirs if place), None):
            return other, True
        return None if _is_waiting(watched) else (_name(watched), False)


class StallLog:
    """Writes stalls to the log: the same place once a minute, with how often it was since."""

    def __init__(self) -> None:
        self._throttle = LogThrottle(STALL_LOG_SECONDS)
        self._longest: dict[str, float] = {}

    def __call__(self, stall: Stall) -> None:
        """Log a stall, unless its place was named a moment ago."""
        more = self._throttle.admit(stall.place, stall.end)
        if more is None:
            self._longest[stall.place] = max(self._longest.get(stall.place, 0.0), stall.seconds)
            return
        longest = self._longest.pop(stall.place, 0.0) * 1000
        since = (
            f"; {counted(more, 'times')} since I last said so, for up to {longest:.0f} ms"
            if more
            else ""
        )
        log.warning(
            "the loop was held for %.0f ms by %s%s%s",
            stall.seconds * 1000, stall.place, " in a thread" if stall.in_thread else "", since,
        )  # fmt: skip


def _starved(thread: int) -> float:
    """Return the seconds for which a thread could have run, had others not had the processor.

    Only Linux tells; elsewhere it is 0, and what holds the loop on a busy machine is more.
    """
    try:
        statistics = Path(f"/proc/self/task/{thread}/schedstat").read_text()
        return int(statistics.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames of a stack from the inside, as far as the loop that runs them."""
    while frame is not None and frame.f_code.co_name != "run_forever":
        yield frame
        frame = frame.f_back


def _ours(frame: FrameType) -> str | None:
    """Return the innermost function of this program that a thread is in."""
    for caller in _callers(frame):
        module = str(caller.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OURS and module != __name__:
            return _name(caller)
    return None


def _is_waiting(frame: FrameType) -> bool:
    """Return whether a loop's thread waits for something to happen."""
    return frame.f_code.co_name == "select"


def _name(frame: FrameType) -> str:
    code: CodeType = frame.f_code
    return f"{frame.f_globals.get('__name__', '?')}:{code.co_qualname}"
