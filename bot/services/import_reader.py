"""Read an import's files in batches: here if they are small, else in a worker.

Reading is work for a processor, and this process has a bot to run. A batch has threads that are
prepared for store and index, and drafts, of which only those that the library doesn't have
just so are prepared, when it asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, cast

from bot.errors import InputError, ThreadwiseError
from bot.models import Thread
from bot.search.documents import Pieces, pieces_of
from bot.sources import Draft, Options, SourceReport, find_all
from bot.store.rows import ThreadRows, pack
from bot.worker import Worker, WorkerDied

THREADS_A_BATCH = 1_000
"""Threads of a batch, which is stored in one transaction: an import that is stopped keeps its
finished ones."""

PROGRESS_SECONDS = 0.2
"""Seconds after which a batch ends while a reader finds nothing: so that its progress is seen."""

INDEXED_BYTES = 2_000
"""Bytes that an id, and a source, may have: both are indexed, and PostgreSQL has room for 2,704
bytes, a third of a page, in a row of an index."""

WORKER_BYTES = 4 * 1024 * 1024
"""Bytes of files from which on a worker is worth its start."""


class Prepared(NamedTuple):
    """A thread as store and index take it in; or why it can't be made.

    Of a draft that was not asked for, ``rows`` have what tells it from others, and no more.
    """

    rows: ThreadRows
    text: Pieces | None = None
    problem: str = ""

    @property
    def is_draft(self) -> bool:
        """True while it is a draft that nobody asked for."""
        return self.text is None and not self.problem


class Batch(NamedTuple):
    """The next threads, and the report's fields: how far we are or, with the last, all."""

    threads: list[Prepared]
    is_last: bool
    report: dict[str, Any]


class LocalReader:
    """A reader of what is found one by one in this process."""

    def __init__(self, found: Iterable[Thread | Draft | None], report: SourceReport):
        self._found, self._report = iter(found), report
        self._drafts: dict[int, Draft] = {}  # of the last batch, by their places

    def next(self) -> Batch:
        """Return the next batch; threads that are no drafts are prepared at once."""
        threads, self._drafts = list[Prepared](), {}
        until, is_last = monotonic() + PROGRESS_SECONDS, True
        for one in self._found:
            if isinstance(one, Draft):
                self._drafts[len(threads)] = one
                threads.append(_unprepared(one))
            elif one is not None:
                threads.append(prepare(one))
            if len(threads) >= THREADS_A_BATCH or (one is None and monotonic() > until):
                is_last = False
                break
        report = vars(self._report)
        fields = report if is_last else {name: report[name] for name in ("stage", "size", "done")}
        return Batch(threads, is_last, fields)

    def prepare(self, wanted: Sequence[int]) -> list[Prepared]:
        """Return drafts of the last batch, prepared."""
        return [prepare(self._drafts[place]) for place in wanted]

    def close(self) -> None:
        """Let go of the files."""
        if isinstance(self._found, Generator):
            self._found.close()


class WorkerReader:
    """A reader in another process. Where that dies, InputError is raised."""

    def __init__(self, paths: Sequence[Path], options: Options, report: SourceReport):
        self._report = report
        self._worker = Worker(f"{__name__}:serve_reader", paths, options, report)

    def next(self) -> Batch:
        """Return the next batch, and bring the report up to it."""
        batch = cast("Batch", self._ask("next"))
        vars(self._report).update(batch.report)
        return batch

    def prepare(self, wanted: Sequence[int]) -> list[Prepared]:
        """Return drafts of the last batch, prepared."""
        return cast("list[Prepared]", self._ask("prepare", wanted))

    def close(self) -> None:
        """Let the worker end, after what it was asked last."""
        self._worker.close()

    def _ask(self, *question: object) -> object:
        try:
            return self._worker.ask(*question)
        except WorkerDied as death:
            raise InputError(
                f"the process that reads the files has ended too early ({death}; -9 is often "
                "want of memory); what was taken in stays, so import them again"
            ) from None


Reader = LocalReader | WorkerReader


def open_reader(paths: Sequence[Path], options: Options, report: SourceReport) -> Reader:
    """Return the reader of files and folders; the report is filled as ``find_all`` does."""
    if _size(paths) >= WORKER_BYTES:
        return WorkerReader(paths, options, report)
    return LocalReader(find_all(paths, report, options), report)


@contextmanager
def serve_reader(
    paths: Sequence[Path], options: Options, report: SourceReport
) -> Iterator[Callable[..., object]]:
    """Give the function that answers a WorkerReader: it calls the method that is named."""
    with closing(LocalReader(find_all(paths, report, options), report)) as reader:
        yield lambda method, *arguments: getattr(reader, method)(*arguments)


def prepare(found: Thread | Draft) -> Prepared:
    """Return a thread as store and index take it in, or why that can't be."""
    fingerprint = found.fingerprint if isinstance(found, Draft) else None
    try:
        _check_indexed(found)
        thread = found.make() if isinstance(found, Draft) else found
        return Prepared(pack(thread, fingerprint), pieces_of(thread))
    except ThreadwiseError as error:
        problem = str(error)
    except (ValueError, RecursionError, MemoryError) as error:
        problem = f"its text can't be read ({type(error).__name__})"
    return _unprepared(found, problem)


def _check_indexed(found: Thread | Draft) -> None:
    """Raise InputError if what databases index is too long for that."""
    for name, value in (("id", found.key), ("source", found.source)):
        if value and len(value.encode()) > INDEXED_BYTES:
            raise InputError(f"its {name} is longer than {INDEXED_BYTES:,} bytes; shorten it")


def _unprepared(found: Thread | Draft, problem: str = "") -> Prepared:
    fingerprint = found.fingerprint if isinstance(found, Draft) else None
    return Prepared(ThreadRows(found.key, found.source, "", fingerprint), problem=problem)


def _size(paths: Sequence[Path]) -> int:
    """Return how many bytes there are to read; what can't be looked at, the readers will name."""
    size = 0
    with suppress(OSError):
        for path in paths:
            files = path.rglob("*") if path.is_dir() else [path]
            size += sum(file.stat().st_size for file in files if file.is_file())
    return size
