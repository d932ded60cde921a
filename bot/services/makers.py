"""Making threads of drafts: here where there are few, in other processes where there are many.

Converting texts is work for the processor, and this process has the store and the index to
feed. The others are plain Python programs that read drafts and write threads; each ends
when its input does, so none is left when this one is killed.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple, cast

import bot
from bot.errors import ThreadwiseError
from bot.models import Thread
from bot.sources import Draft
from bot.store.rows import digest_of

FEW = 1_000
"""Drafts that are made here before another process is worth its start."""

MOST = 4
"""Processes at most; the store takes in no more than those make."""


class Made(NamedTuple):
    """A thread with its digest, which is work as well."""

    thread: Thread
    digest: str


def make(drafts: Sequence[Draft]) -> list[Made | str]:
    """The drafts' threads in order; a text in its place says why one can't be made."""
    return [_made(draft.make) for draft in drafts]


class Makers:
    """The processes of one import, started when they are needed."""

    def __init__(self) -> None:
        self._count = 0
        self._starting = threading.Lock()
        self._all: list[subprocess.Popen[bytes]] = []
        # ``None`` stands for one that is gone: its share is made here.
        self._free: queue.SimpleQueue[subprocess.Popen[bytes] | None] = queue.SimpleQueue()

    def make(self, drafts: Sequence[Draft]) -> list[Made | str]:
        """The same as ``make``; may be called from several threads at a time."""
        self._count += len(drafts)
        if self._count <= FEW:
            return make(drafts)
        self._start()
        maker = self._free.get()
        made = None
        try:
            made = _ask(maker, drafts) if maker else None
        except (OSError, EOFError, pickle.UnpicklingError):  # killed, or out of memory
            maker = None
        finally:
            self._free.put(maker)
        return make(drafts) if made is None else made

    def close(self) -> None:
        """Let the processes end."""
        for maker in self._all:
            for stream in (maker.stdin, maker.stdout):
                with suppress(OSError):  # of one that is gone, something may still wait
                    cast("IO[bytes]", stream).close()
            maker.wait()

    def _start(self) -> None:
        with self._starting:
            if not self._all:
                self._all = [_started() for _ in range(max(1, min(MOST, _processors() - 1)))]
                for maker in self._all:
                    self._free.put(maker)


def serve() -> None:
    """Be such a process: read drafts, write what they make, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the import; we end with it
    drafts, threads = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever is printed must not get between the threads
    try:
        while True:
            pickle.dump([*map(_made, pickle.load(drafts))], threads)
            threads.flush()
    except EOFError:
        return
    except BrokenPipeError:  # there is nobody to read the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), threads.fileno())


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from bot.services.makers import serve; serve()"]
    path = os.pathsep.join([str(Path(bot.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ask(maker: subprocess.Popen[bytes], drafts: Sequence[Draft]) -> list[Made | str]:
    tell, hear = cast("IO[bytes]", maker.stdin), cast("IO[bytes]", maker.stdout)
    pickle.dump([draft.make for draft in drafts], tell)
    tell.flush()
    made: list[Made | str] = pickle.load(hear)
    return made


def _made(make_thread: Callable[[], Thread]) -> Made | str:
    try:
        thread = make_thread()
        return Made(thread, digest_of(thread))
    except ThreadwiseError as error:
        return str(error)
    except (ValueError, RecursionError, MemoryError) as error:
        return f"its text can't be read ({type(error).__name__})"
