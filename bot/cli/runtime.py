"""Running a command: its log, the library opened for it, and stopping in time.

A program that is told to stop ends within five seconds. Usually everything is closed in order,
which takes a moment. But a thread can't be stopped: Python waits for each at its end, and one
may be in the middle of a model's work, of writing an index or of unpacking an archive. So a
timer ends the process if it is still there. What was acknowledged is on disk by then, and what
isn't is taken up at the next start, as after any crash.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

import aiohttp
import discord
from rich.logging import RichHandler

from bot import worker
from bot.app import App
from bot.cli.console import INTERRUPTED, err, print_note, print_warning, progress
from bot.errors import counted
from bot.log_throttle import LogThrottle
from bot.models import VectorStage
from bot.settings import Settings, load_settings

PLAIN = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"

CHATTY = ("aiosqlite", "alembic", "asyncio", "sqlalchemy")
"""Libraries that log each step they take; of them only warnings are shown."""

MAX_LINES = 3
"""Lines of one kind that are shown in a row, before others of it are only counted: an outage of
20 s, in which discord.py tries some five times, takes at most 10 lines in all."""

QUIET = 60.0
"""Seconds after which the next line of a kind is shown again, with the count of those left out."""

NETWORK_ERRORS = (
    aiohttp.ClientError,
    discord.ConnectionClosed,
    discord.DiscordServerError,
    discord.GatewayNotFound,
    ConnectionError,
    TimeoutError,
)
"""What is raised where the network or Discord is down; none of it is a fault of a program."""


def set_up(level: str, token: str | None) -> None:
    """Log from ``level`` up; ``token`` is replaced wherever it would appear."""
    handler: logging.Handler
    if sys.stderr.isatty():
        handler = RichHandler(console=err(), show_path=False, markup=False, highlighter=None)
        handler.setFormatter(_TokenHidden("%(name)s: %(message)s", token, datefmt="%H:%M:%S"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_TokenHidden(PLAIN, token))
    handler.addFilter(OutageFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _TokenHidden(logging.Formatter):
    """A formatter that removes the token from the finished line, tracebacks included."""

    def __init__(self, form: str, token: str | None, datefmt: str | None = None):
        super().__init__(form, datefmt)
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line.replace(self._token, "***") if self._token else line


class OutageFilter(logging.Filter):
    """Shortens lines about the network: no tracebacks, and few of a kind.

    discord.py logs each try to connect with a traceback, and tries every few seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic):
        super().__init__()
        self._now = now
        self._throttle = LogThrottle(QUIET, burst=MAX_LINES)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is shown; one about the network loses its traceback."""
        error = _network_error(record)
        if error is None or record.levelno < logging.WARNING:
            return True
        left_out = self._throttle.admit((record.name, str(record.msg)), self._now())
        if left_out is None:
            return False
        _shorten(record, error, left_out)
        return True


def _shorten(record: logging.LogRecord, error: BaseException, left_out: int) -> None:
    message = record.getMessage()
    if record.exc_info:  # else the line names the error itself
        message += f" ({str(error) or type(error).__name__})"
    if left_out:
        message += f"; {counted(left_out, 'more such lines were left out')}"
    record.msg, record.args = message, ()
    record.exc_info = record.exc_text = None
    if record.levelno > logging.WARNING:
        record.levelno, record.levelname = logging.WARNING, "WARNING"


def _network_error(record: logging.LogRecord) -> BaseException | None:
    """Return the network's error that a line is about, if it is about one."""
    return next((error for error in _errors(record) if _is_network(error, record.name)), None)


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1] is not None:
        yield record.exc_info[1]
        if record.exc_info[1].__cause__ is not None:
            yield record.exc_info[1].__cause__
    args = record.args if isinstance(record.args, tuple) else ()
    yield from (argument for argument in args if isinstance(argument, BaseException))


def _is_network(error: BaseException, logger: str) -> bool:
    if isinstance(error, NETWORK_ERRORS):
        return True
    # Names that can't be resolved, for example; in other loggers it may be a file or a disk.
    return isinstance(error, OSError) and logger.partition(".")[0] in ("discord", "aiohttp")


T = TypeVar("T")

EXIT_SECONDS = 4.0
"""Time for closing everything before the process is ended: five seconds with some to spare."""

MAX_VECTORS = 500
"""Threads whose vectors a command makes before its own work: some seconds' work."""


@asynccontextmanager
async def open_app(settings: Settings | None = None) -> AsyncIterator[App]:
    """Open the library of ``settings`` (those in force without any), and close it at the end.

    Raises ThreadwiseError when the settings or the library can't be used.
    """
    app = await App.open(settings or load_settings())
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
