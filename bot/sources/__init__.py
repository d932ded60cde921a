"""Readers: files and folders in, threads out, and a word on what was not accepted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bot.errors import InputError, shown_path
from bot.models import Thread
from bot.sources.decoding import read_head
from bot.sources.file_format import Draft, Found
from bot.sources.files import Broken, FolderWalk, Options, file_version, reason
from bot.sources.formats import has_known_suffix, recognise
from bot.sources.jsonl import write_thread
from bot.sources.report import NoThreads, SourceReport, printable

__all__ = [
    "Draft",
    "Found",
    "Options",
    "SourceReport",
    "find_all",
    "read",
    "read_all",
    "write_thread",
]

AS_FOUND = Options()
"""Every thread, each file recognised by its content."""


def made(drafts: Iterable[Found | None]) -> Iterator[Thread]:
    """Yield all of them as threads."""
    for one in drafts:
        if one is not None:
            yield one.make() if isinstance(one, Draft) else one


def read(path: Path, report: SourceReport, options: Options = AS_FOUND) -> Iterator[Thread]:
    """Yield the threads of one file or folder; ``report`` names what is refused."""
    return read_all([path], report, options)


def read_all(
    paths: Sequence[Path], report: SourceReport, options: Options = AS_FOUND
) -> Iterator[Thread]:
    """Yield the threads of files and folders, as one import."""
    return made(find_all(paths, report, options))


def find_all(
    paths: Sequence[Path], report: SourceReport, options: Options = AS_FOUND
) -> Iterator[Found | None]:
    """Yield what is in files and folders, as one import; what is refused is named in ``report``.

    Gives threads, drafts of threads that take a while to make, and ``None`` now and then
    while a reader is busy.

    A thread that doesn't say where it is from is said to be from the path named here. A file named
    here is recognised by its content. In folders, hidden files and those with a suffix that no
    format has are passed over. A file that is reached twice is read once. Of two threads in
    different files whose keys are the same, the second is refused. A file that may be
    fine but has no thread in it is refused if it is named, and in folders passed over.
    """
    reading = _Import(report, options)
    left, unanswered = options.limit, 0
    for path in paths:
        for one in reading.threads(path):
            if one is None or not reading.is_wanted(one):
                yield None
                continue
            unanswered += isinstance(one, Thread) and not one.answers
            yield one if one.source else replace(one, source=_name(path))
            if left is not None and (left := left - 1) <= 0:
                return
    if unanswered:
        report.hint(f"threads that have no answer yet: {unanswered}")


def _name(path: Path) -> str:
    """Return a path's name without suffixes: that of a source that has no other."""
    name = str(shown_path(Path(path.resolve().name or path)))
    return name.split(".", 1)[0] or name if path.is_file() else name


class _Import:
    """One import over several paths: which files were read, which keys there were."""

    def __init__(self, report: SourceReport, options: Options) -> None:
        self._report, self._options = report, options
        self._walk = FolderWalk(report, has_known_suffix)
        self._read: set[str] = set()
        self._repeated = 0
        self._keys: dict[str, Path] = {}
        self._capitals: dict[str, str] = {}  # ids with capital letters, by what they are without
        self._named = True

    def threads(self, path: Path) -> Iterator[Found | None]:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            self._report.reject(reason(error), path)
            return
        self._named = not is_folder
        if is_folder:
            yield from self._folder(path)
        else:
            yield from self._file(path)

    def is_wanted(self, thread: Found) -> bool:
        """Return whether the options want this thread; count it if they don't."""
        wanted = self._options.wants(thread.score, thread.tags)
        if not wanted:
            self._report.pass_over("threads that the options leave out")
        return wanted

    def _folder(self, folder: Path) -> Iterator[Found | None]:
        before = self._noticed()
        empty = True
        for path in self._walk.files(folder):
            for thread in self._file(path):
                empty = empty and thread is None
                yield thread
        # What was refused or read before says enough: such a folder is not an empty one.
        if empty and self._noticed() == before:
            self._report.reject("there are no threads in it", folder)

    def _noticed(self) -> int:
        return len(self._report.rejected) + self._repeated + self._walk.skipped

    def _file(self, path: Path) -> Iterator[Found | None]:
        real = os.path.realpath(path)
        if real in self._read:
            self._repeated += 1
            return
        self._read.add(real)
        try:
            # Opening a pipe would wait for its writer, perhaps for ever.
            if not stat.S_ISREG(path.stat().st_mode):
                raise InputError("it is a pipe, socket or device, not a file", path)
            before = file_version(path)
            head = read_head(path, self._options.encoding)
            form = recognise(path, head, self._options.format)
            if head.also_utf8:
                self._report.warn(
                    f"it is UTF-8 as well, and was read as {head.encoding}; if letters are wrong, "
                    "import it without --encoding",
                    path,
                )
            for thread in form.read(path, self._report, self._options):
                if thread is None or form.unique_keys or self._is_new_key(thread.key, path):
                    yield thread
            if file_version(path) != before:
                self._report.reject("it was changed while it was read; import it again", path)
        except NoThreads as error:
            if not self._named:
                self._report.pass_over(error.called)
            else:
                self._report.rejected.append(error)
        except InputError as error:
            self._report.rejected.append(error)
        except Broken as error:
            self._report.reject(reason(error), path)

    def _is_new_key(self, key: str, path: Path) -> bool:
        first = self._keys.setdefault(key, path)
        self._note_case(key, path)
        if first != path:
            self._report.reject(
                f"its thread {printable(key)} is in {shown_path(first)} too: where a file gives "
                "no id, its name is part of the key; rename one, or give an id that no other has",
                path,
            )
        return first == path

    def _note_case(self, key: str, path: Path) -> None:
        """Warn of an id that differs from another's in capital letters alone."""
        small = key.casefold()
        other = self._capitals.get(small, small if small != key and small in self._keys else key)
        if small != key:
            self._capitals.setdefault(small, key)
        if other != key:
            self._report.warn(
                f"the ids {printable(other)} and {printable(key)} differ in capital letters alone, "
                "and are two threads",
                path,
            )
