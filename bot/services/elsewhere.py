"""Reading in another process: that is work for a processor, and this one has a bot to run.

The other is a plain Python program that reads an import's files, tells what it finds, and
makes ready what it is asked for. It ends when its input does, so none is left when this
one is killed; what it unpacks on the way it then removes.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, Any, NamedTuple, cast

import bot
from bot.errors import InputError, ThreadwiseError
from bot.services.reading import Here, Item, Reader, Ready, ready
from bot.sources import Found, Options, SourceReport, find_all

MUCH = 4 * 1024 * 1024
"""Bytes of files from which on another process is worth its start."""

AHEAD = 2
"""Questions for more threads that wait for the reader, so that it need not wait for them."""

SOME = 250
"""Threads that are told of at a time."""

PATIENCE = 0.2
"""Seconds after which a reader that finds nothing says how far it is."""

_PIPE = 1024 * 1024  # bytes that are written before one must wait for the other

_Question = tuple[list[int], list[int]] | None
"""For more threads, or to make those with some numbers and to forget those with others."""


class _Some(NamedTuple):
    """The next threads: all that ``Item`` has. ``report`` says how far we are; the last, all."""

    items: list[tuple[Any, ...]]
    report: dict[str, Any]
    ended: bool


def reader_of(paths: Sequence[Path], options: Options, report: SourceReport) -> Reader:
    """Whoever is to read files and folders; the report is filled as ``find_all`` does."""
    if _is_much(paths):
        return Elsewhere(paths, options, report)
    return Here(find_all(paths, report, options))


class Elsewhere:
    """A reader in another process. Where that dies, InputError is raised."""

    def __init__(self, paths: Sequence[Path], options: Options, report: SourceReport):
        self._report = report
        self._process = _started()
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)
        self._asking = threading.Lock()
        self._asked: deque[Future[Any]] = deque()
        self._gone = False
        self._listening = threading.Thread(target=self._listen, name="listen", daemon=True)
        self._listening.start()
        self._tell((paths, options, report))

    def found(self) -> Iterator[Item | None]:
        """What there is, in order."""
        ahead: deque[Future[_Some]] = deque()
        ended = False
        while not ended:
            while len(ahead) < AHEAD:
                ahead.append(self._ask(None))
            items, report, ended = ahead.popleft().result()
            vars(self._report).update(report)
            yield from map(Item._make, items)
            if not items:
                yield None

    def make(self, wanted: Sequence[Item], known: Sequence[Item]) -> list[Ready | str]:
        """The wanted, made ready."""
        question = [cast("int", i.what) for i in wanted], [cast("int", i.what) for i in known]
        return cast("list[Ready | str]", self._ask(question).result())

    def close(self) -> None:
        """Let the process end, after what it was asked last."""
        with suppress(OSError):
            self._input.close()
        self._listening.join()
        self._output.close()
        self._process.wait()

    def _ask(self, question: _Question) -> Future[Any]:
        answer: Future[Any] = Future()
        with self._asking:
            if self._gone:
                answer.set_exception(self._death())
            else:
                self._asked.append(answer)
                self._tell(question)
        return answer

    def _tell(self, what: object) -> None:
        with suppress(OSError):  # of a process that died, whoever listens will know
            pickle.dump(what, self._input, pickle.HIGHEST_PROTOCOL)
            self._input.flush()

    def _listen(self) -> None:
        """Give the answers, which come in the order of the questions, to who waits for them."""
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            while True:
                answer = pickle.load(self._output)
                asked = self._asked.popleft()
                if isinstance(answer, ThreadwiseError):
                    asked.set_exception(answer)
                else:
                    asked.set_result(answer)
        with self._asking:
            self._gone = True
            for asked in self._asked:
                asked.set_exception(self._death())

    def _death(self) -> InputError:
        return InputError(
            f"the process that reads the files has ended too early ({self._process.wait()}), "
            "perhaps for want of memory; what was taken in stays, so import them again"
        )


class _Serving:
    """One import, as the other process reads it."""

    def __init__(self, paths: Sequence[Path], options: Options, report: SourceReport):
        self._report = report
        self._found = find_all(paths, report, options)
        self._kept: dict[int, Found] = {}
        self._count = 0

    def answer(self, question: _Question) -> _Some | list[Ready | str] | ThreadwiseError:
        """What is asked for; an error where there can't be any more."""
        try:
            return self._some() if question is None else self._made(*question)
        except ThreadwiseError as error:
            return error

    def close(self) -> None:
        """Let go of the files."""
        cast("Any", self._found).close()

    def _some(self) -> _Some:
        items: list[tuple[Any, ...]] = []
        until = monotonic() + PATIENCE
        for one in self._found:
            if one is not None:
                self._count += 1
                self._kept[self._count] = one
                items.append(tuple(Item.of(one, self._count)))
            if len(items) >= SOME or (one is None and monotonic() > until):
                so_far = {name: vars(self._report)[name] for name in ("stage", "size", "done")}
                return _Some(items, so_far, False)
        return _Some(items, vars(self._report), True)

    def _made(self, wanted: Sequence[int], known: Sequence[int]) -> list[Ready | str]:
        for number in known:
            del self._kept[number]
        return [ready(self._kept.pop(number)) for number in wanted]


def serve() -> None:
    """Be the other process: answer questions about an import until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the import; we end with it
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever is printed must not get between the answers
    gc.freeze()
    serving = None
    try:
        serving = _Serving(*pickle.load(questions))
        while True:
            pickle.dump(serving.answer(pickle.load(questions)), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
    except EOFError:
        pass
    except BrokenPipeError:  # there is nobody to read the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())
    finally:
        if serving is not None:
            serving.close()


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from bot.services.elsewhere import serve; serve()"]
    path = os.pathsep.join([str(Path(bot.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, env=environment, bufsize=_PIPE, pipesize=_PIPE
    )


def _is_much(paths: Sequence[Path]) -> bool:
    """Whether there is so much to read; what can't be looked at, the readers will name."""
    size = 0
    for path in paths:
        files = [path]
        if path.is_dir():
            files = [Path(top, name) for top, _, names in os.walk(path) for name in names]
        for file in files:
            with suppress(OSError):
                size += file.stat().st_size
    return size >= MUCH
