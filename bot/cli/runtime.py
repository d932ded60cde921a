"""Running a command: the library opened for it, and stopping in time.

A program that is told to stop ends within five seconds. Usually everything is closed in order,
which takes a moment. But a thread can't be stopped: Python waits for each at its end, and one
may be in the middle of a model's work, of writing an index or of unpacking an archive. So a
timer ends the process if it is still there. What was acknowledged is on disk by then, and what
isn't is taken up at the next start, as after any crash.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from bot import worker
from bot.app import App
from bot.cli.console import INTERRUPTED, print_note, print_warning, progress
from bot.models import VectorStage
from bot.observing import UNOBSERVED, Observer
from bot.settings import Settings, load_settings

T = TypeVar("T")

EXIT_SECONDS = 4.0
"""Time for closing everything before the process is ended: five seconds with some to spare."""

MAX_VECTORS = 500
"""Threads whose vectors a command makes before its own work: some seconds' work."""


@asynccontextmanager
async def open_app(
    settings: Settings | None = None, observer: Observer = UNOBSERVED
) -> AsyncIterator[App]:
    """Open the library of ``settings`` (those in force without any), and close it at the end.

    Raises ThreadwiseError when the settings or the library can't be used.
    """
    app = await App.open(settings or load_settings(), observer)
    try:
        yield app
    finally:
        await app.close()


@asynccontextmanager
async def open_with_seeds() -> AsyncIterator[App]:
    """Open the library, load seeds that changed, and make vectors if only a few are missing.

    So a fresh checkout has something to say.
    """
    async with open_app() as app:
        await load_seeds(app)
        if await app.embedding.unfinished(MAX_VECTORS + 1) <= MAX_VECTORS:
            await make_vectors(app)
        yield app


async def load_seeds(app: App) -> None:
    """Load the seed threads, and name on stderr those that can't be read."""
    with progress("Loading seeds") as advance:
        report = await app.load_seeds(advance)
    for problem in report.rejected:
        print_warning(str(problem))


async def make_vectors(app: App) -> None:
    """Make the vectors that are missing, with progress bars; stopped, it goes on later."""
    waiting = app.embedding.waiting
    if waiting:
        with progress("Making vectors of titles", waiting) as advance:
            await app.embedding.make(advance, VectorStage.TITLE)
    unfinished = await app.embedding.unfinished(len(app.engine))
    if unfinished:
        with progress("Making vectors of texts", unfinished) as advance:
            await app.embedding.make(advance)


def run(work: Coroutine[Any, Any, T], message: str = "stopped") -> T:
    """Run a command's work as ``asyncio.run`` does; Ctrl-C stops it in time.

    ``message`` is printed if the process has to be ended.
    """

    async def stoppable() -> T:
        cancel = signal.getsignal(signal.SIGINT)  # that of asyncio.run, which cancels the work
        if threading.current_thread() is not threading.main_thread() or not callable(cancel):
            return await work  # no signals come here, or they are ignored
        with stop_in_time((signal.SIGINT,), cancel, INTERRUPTED, message):
            return await work

    return asyncio.run(stoppable())


@contextmanager
def stop_in_time(
    signals: tuple[signal.Signals, ...],
    cancel: Callable[[int, FrameType | None], Any],
    code: int,
    message: str,
) -> Iterator[None]:
    """Call ``cancel`` at each of the signals; the first one also starts the timer.

    ``code`` and ``message`` are those of ``exit_in_time``. To be used in the main thread, inside
    the event loop that is to be stopped.
    """
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            exit_in_time(code, message)
        cancel(number, frame)

    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        # The loop's own handlers would wait for whatever holds the loop. But with one, every
        # signal wakes the loop: Python calls handlers in its main thread, when that runs, and
        # one that the system gives to another thread, or just before the loop begins to wait,
        # would be seen only at the loop's next event. Windows has loops that see to it.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, lambda: None)
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in former.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


def exit_in_time(code: int, message: str) -> None:
    """End the process with ``code`` in EXIT_SECONDS, if it hasn't ended by itself until then.

    ``message`` is printed then, as it would be at an ordinary end.
    """
    timer = threading.Timer(EXIT_SECONDS, _exit, (code, message))
    timer.daemon = True  # a process that ends in time doesn't wait for it
    timer.start()


def _exit(code: int, message: str) -> None:
    with suppress(Exception):
        print_note(message)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    worker.kill_all()
    os._exit(code)
