"""Stopping in time: a program that is told to stop is gone within five seconds.

Usually everything is put down in order, which takes a moment. But a thread can't be stopped:
Python waits for each at its end, and one may be in the middle of a model's work, of writing
an index or of unpacking an archive. So a timer ends the process if it is still there. What
was acknowledged is on disk by then, and what isn't is taken up at the next start, as after
any crash.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from bot import worker
from bot.cli.console import INTERRUPTED, note

T = TypeVar("T")

SECONDS = 4.0
"""How long putting everything down may take before the process is ended."""


def leave_in_time(code: int, said: str) -> None:
    """End the process with ``code`` in ``SECONDS``, if it hasn't ended by itself until then.

    ``said`` is what is told of it, as it would be at an ordinary end.
    """
    timer = threading.Timer(SECONDS, _leave, (code, said))
    timer.daemon = True  # whoever ends in time doesn't wait for it
    timer.start()


def run(work: Coroutine[Any, Any, T], said: str = "stopped") -> T:
    """Do a command's work, as ``asyncio.run`` does; Ctrl-C stops it in time.

    ``said`` is told if the process has to be ended.
    """

    async def stoppable() -> T:
        with _in_time(said):
            return await work

    return asyncio.run(stoppable())


@contextmanager
def _in_time(said: str) -> Iterator[None]:
    """Start the timer at Ctrl-C, and let ``asyncio.run`` do then what it does: cancel."""
    cancel = signal.getsignal(signal.SIGINT)
    if not callable(cancel):  # it is ignored, or somebody else's business
        yield
        return
    told = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if not told:
            told = True
            leave_in_time(INTERRUPTED, said)
        cancel(number, frame)

    try:
        signal.signal(signal.SIGINT, stop)
    except ValueError:  # in another thread than the first no signals come
        yield
        return
    try:
        with waking(asyncio.get_running_loop()):
            yield
    finally:
        signal.signal(signal.SIGINT, cancel)


@contextmanager
def waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Have every signal wake the loop, so that its handler is called at once.

    Python calls handlers in its first thread, when that runs. A signal that the system gives
    to another thread, or that comes just before the loop begins to wait, would be seen only
    at the loop's next event. To be used in the first thread; Windows has loops that see to it.
    """
    if os.name != "posix":
        yield
        return
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    loop.add_reader(ours, ours.recv, 4096)
    former = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        loop.remove_reader(ours)
        ours.close()
        theirs.close()


def _leave(code: int, said: str) -> None:
    with suppress(Exception):
        note(said)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    worker.kill_all()
    os._exit(code)
