"""Reading in another process: that is work for a processor, and this one has a bot to run.

The other reads an import's files, tells what it finds, and makes ready what it is asked
for. It ends with this process, also when that is killed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

from bot.aside import Aside, Died
from bot.errors import InputError
from bot.services.reading import Here, Item, Reader, Ready, ready, some
from bot.sources import Found, Options, SourceReport, find_all

MUCH = 4 * 1024 * 1024
"""Bytes of files from which on another process is worth its start."""

AHEAD = 2
"""Questions for more threads that wait for the reader, so that it need not wait for them."""

SOME = 250
"""Threads that are told of at a time."""

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
        self._aside = Aside(f"{__name__}:reading", paths, options, report)

    def found(self) -> Iterator[Item | None]:
        """What there is, in order."""
        ahead: deque[Future[_Some]] = deque()
        ended = False
        while not ended:
            while len(ahead) < AHEAD:
                ahead.append(self._aside.ask(None))
            items, report, ended = _answer(ahead.popleft())
            vars(self._report).update(report)
            yield from map(Item._make, items)
            if len(items) < SOME:
                yield None

    def make(self, wanted: Sequence[Item], known: Sequence[Item]) -> list[Ready | str]:
        """The wanted, made ready."""
        question = [item.what for item in wanted], [item.what for item in known]
        return cast("list[Ready | str]", _answer(self._aside.ask(question)))

    def close(self) -> None:
        """Stop reading, after what was asked last."""
        self._aside.close()


def _answer(asked: Future[Any]) -> Any:
    try:
        return asked.result()
    except Died as death:
        raise InputError(
            f"the process that reads the files has ended too early ({death}; -9 is often want "
            "of memory); what was taken in stays, so import them again"
        ) from None


class _Reading:
    """One import, as the other process reads it."""

    def __init__(self, found: Iterator[Found | None], report: SourceReport):
        self._found, self._report = found, report
        self._kept: dict[int, Found] = {}
        self._count = 0

    def answer(self, question: _Question) -> _Some | list[Ready | str]:
        """What is asked for."""
        return self._some() if question is None else self._made(*question)

    def _some(self) -> _Some:
        found: list[Found]
        found, ended = some(self._found, SOME)
        numbered = dict(enumerate(found, self._count))
        self._kept |= numbered
        self._count += len(found)
        items = [tuple(Item.of(one, number)) for number, one in numbered.items()]
        report = vars(self._report)
        so_far = {name: report[name] for name in ("stage", "size", "done")}
        return _Some(items, report if ended else so_far, ended)

    def _made(self, wanted: Sequence[int], known: Sequence[int]) -> list[Ready | str]:
        for number in known:
            del self._kept[number]
        return [ready(self._kept.pop(number)) for number in wanted]


@contextmanager
def reading(
    paths: Sequence[Path], options: Options, report: SourceReport
) -> Iterator[Callable[[_Question], _Some | list[Ready | str]]]:
    """What the other process does: it answers questions about an import."""
    found = find_all(paths, report, options)
    try:
        yield _Reading(found, report).answer
    finally:
        cast("Any", found).close()


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
