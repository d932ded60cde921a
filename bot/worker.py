"""Work outside the event loop: in a thread, or in another process where one Python is too few.

The other process is a plain Python program that reads pickled questions from its input and
writes the answers to its output. It ends when its input does, so none is left when this
process is killed.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import IO, Any, NamedTuple, ParamSpec, TypeVar, cast

from bot.errors import ThreadwiseError

NICENESS = 5
"""How much a worker lets others go first: its answers are asked for ahead and can wait, while
whoever works on them should not."""

_PIPE = 1024 * 1024  # bytes that a side may write before it has to wait for the other
_ROOT = str(Path(__file__).parents[1])
_MAIN = f"import sys; sys.path.insert(0, {_ROOT!r}); from bot.worker import serve; serve()"

P = ParamSpec("P")
T = TypeVar("T")

_processes: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


class WorkerDied(Exception):
    """The process has ended before it answered; the text names its status."""


class Limits(NamedTuple):
    """Limits of a worker that reads what nobody vouches for, as ``resource.setrlimit`` has them.

    Seconds of processor time, bytes of memory, bytes of a file that it writes.
    """

    cpu_seconds: int
    memory: int
    file_size: int


class Worker:
    """A process that answers questions one by one; safe to ask from several threads.

    ``target`` names a function, as ``module:name``. It is called there with the arguments, and
    returns a context manager, which gives the function that is called with each question. With
    ``limits``, the process is held to them, gives way even to other workers, and prints nothing.
    """

    def __init__(self, target: str, *arguments: object, limits: Limits | None = None):
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            # With -P, so that nothing is imported from the folder that somebody stands in.
            [sys.executable, "-P", "-c", _MAIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if limits else None,
            bufsize=_PIPE,
            pipesize=_PIPE,
            process_group=0,  # Ctrl-C is for whoever asks; the worker ends with it
        )
        _processes.add(self._process)
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)
        with suppress(OSError):  # of a process that is dead already, the first question tells
            self._send((target, limits))
            self._send(arguments)

    def ask(self, *question: object) -> Any:
        """Return the answer. Raises the ThreadwiseError that was raised there, or WorkerDied."""
        with self._turn:
            try:
                self._send(question)
                answer = pickle.load(self._output)
            except Exception as error:
                self.kill()
                raise WorkerDied(f"status {self._process.returncode}") from error
        if isinstance(answer, ThreadwiseError):
            raise answer
        return answer

    def kill(self) -> None:
        """End the process at once; whoever waits for an answer gets WorkerDied."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let the process end, once it has answered what it was asked."""
        with self._turn:
            with suppress(OSError):
                self._input.close()
            self._process.wait()
            self._output.close()

    def _send(self, what: object) -> None:
        pickle.dump(what, self._input, pickle.HIGHEST_PROTOCOL)
        self._input.flush()


def kill_all() -> None:
    """End the processes of all workers: this one ends, and nobody will read their answers."""
    for process in list(_processes):
        with suppress(OSError):
            process.kill()


def serve() -> None:
    """Answer questions from the standard input until it ends: the main function of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where there are no groups of processes
    # Streams of our own: Python's may be unbuffered, and then lose what a pipe doesn't take at
    # once, as when a process is stopped and goes on.
    questions, answers = os.fdopen(os.dup(0), "rb", _PIPE), os.fdopen(os.dup(1), "wb", _PIPE)
    sys.stdout = sys.stderr  # whatever is printed must not get between the answers
    try:
        target, limits = pickle.load(questions)
        with suppress(AttributeError, OSError):
            os.nice(2 * NICENESS if limits else NICENESS)
        if limits:
            _set_limits(limits)
        with resolve_name(target)(*pickle.load(questions)) as answer:
            while True:
                question = pickle.load(questions)
                try:
                    result = answer(*question)
                except ThreadwiseError as error:
                    result = error
                pickle.dump(result, answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
    except EOFError:
        pass
    except BrokenPipeError:  # there is nobody to read the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())


async def in_thread(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do a step of work in a thread; who is cancelled meanwhile leaves when it is done.

    A thread can't be stopped. Left behind, it would go on using what is then taken
    from under it.
    """
    work = asyncio.ensure_future(asyncio.to_thread(step, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with suppress(asyncio.CancelledError):  # cancelled a second time
                await asyncio.wait([work])
        raise


def _set_limits(limits: Limits) -> None:
    with suppress(ImportError, ValueError, OSError):  # where the system can't limit a process
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
