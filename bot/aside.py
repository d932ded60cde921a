"""Work done aside, in another process: this one has a bot to run, and one Python at a time.

The other is a plain Python program that reads questions from its input and writes what it
answers to its output. It ends when its input does, so none is left when this one is killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from bot.errors import ThreadwiseError

LATER = 5
"""How much the other process lets others go first: what it is asked ahead can wait, whoever
works on its answers should not."""

_PIPE = 1024 * 1024  # bytes that are written before one must wait for the other
_ROOT = str(Path(__file__).parents[1])


_children: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


class Died(Exception):
    """The other process has ended before its input did; says with which status."""


class Aside:
    """Another process that answers questions one by one, in their order.

    ``what`` names, as ``module:name``, a function that is called there with the arguments
    and gives a context manager of the function that answers. Everything is pickled.
    """

    def __init__(self, what: str, *arguments: object):
        self._process = follow(_started(what))
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)
        self._asking = threading.Lock()
        self._asked: deque[Future[Any]] = deque()
        self._gone = False
        self._listening = threading.Thread(target=self._listen, name=what, daemon=True)
        self._listening.start()
        self._tell(arguments)

    def ask(self, question: object) -> Future[Any]:
        """What will be the answer. Its result raises the ThreadwiseError met there, or Died."""
        answer: Future[Any] = Future()
        with self._asking:
            if self._gone:
                answer.set_exception(self._death())
            else:
                self._asked.append(answer)
                self._tell(question)
        return answer

    def close(self) -> None:
        """Let the process end, once it has answered what it was asked."""
        with suppress(OSError):
            self._input.close()
        self._listening.join()
        self._output.close()
        self._process.wait()

    def _tell(self, what: object) -> None:
        with suppress(OSError):  # of a process that died, whoever listens will know
            pickle.dump(what, self._input, pickle.HIGHEST_PROTOCOL)
            self._input.flush()

    def _listen(self) -> None:
        """Give the answers, as they come, to those who wait for them."""
        try:
            while True:
                answer = pickle.load(self._output)
                asked = self._asked.popleft()
                if isinstance(answer, ThreadwiseError):
                    asked.set_exception(answer)
                else:
                    asked.set_result(answer)
        except (OSError, EOFError, pickle.UnpicklingError):
            pass  # its end
        finally:
            self._process.kill()  # if it goes on all the same: nobody hears it any more
            with self._asking:
                self._gone = True
                for asked in self._asked:
                    asked.set_exception(self._death())

    def _death(self) -> Died:
        return Died(f"status {self._process.wait()}")


def follow(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Have a process ended by ``kill_all``, if it is still there then."""
    _children.add(process)
    return process


def kill_all() -> None:
    """End all other processes at once: this one ends, and nobody will read their answers."""
    for process in list(_children):
        with suppress(OSError):
            process.kill()


def serve(what: str) -> None:
    """Be the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where there are no groups of processes
    with suppress(AttributeError, OSError):
        os.nice(LATER)
    # Streams of our own: Python's may be unbuffered, and then lose what a pipe doesn't take at
    # once, as when a process is stopped and goes on.
    questions, answers = os.fdopen(os.dup(0), "rb", _PIPE), os.fdopen(os.dup(1), "wb", _PIPE)
    sys.stdout = sys.stderr  # whatever is printed must not get between the answers
    module, _, name = what.partition(":")
    answering = getattr(import_module(module), name)
    try:
        with answering(*pickle.load(questions)) as answer:
            while True:
                question = pickle.load(questions)
                try:
                    said = answer(question)
                except ThreadwiseError as error:
                    said = error
                pickle.dump(said, answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
    except EOFError:
        pass
    except BrokenPipeError:  # there is nobody to read the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())


def _started(what: str) -> subprocess.Popen[bytes]:
    # With -P, so that nothing is imported from the folder that somebody happens to stand in.
    command = [sys.executable, "-P", "-c", f"from bot.aside import serve; serve({what!r})"]
    path = os.pathsep.join([_ROOT, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        env=os.environ | {"PYTHONPATH": path},
        bufsize=_PIPE,
        pipesize=_PIPE,
        process_group=0,  # Ctrl-C is for whoever asks; we end with it
    )
