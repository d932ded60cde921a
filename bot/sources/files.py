"""Files on the disk: unpacking, errors of reading, and the walk through folders."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from bot.curation import AuthorChoice
from bot.sources.report import SourceReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of reading files, and of the threads that are wanted.

    ``format`` is a format's name (``None``: recognised by content). ``columns`` says
    which column of a table holds what (``question``, ``answer``, ...). ``site`` is
    where a dump comes from, as ``history.stackexchange.com``. Wanted are threads with
    at least ``min_score``, with one of ``tags`` (if any are named), at most ``limit``.
    ``encoding`` is what all files are in (``None``: told by their bytes). ``upload`` says that
    a member sent them, who has no command line: remarks name no options of it. ``choices`` say
    what members want done with the messages that they wrote on Discord.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    site: str | None = None
    min_score: int | None = None
    tags: frozenset[str] = frozenset()
    limit: int | None = None
    encoding: str | None = None
    upload: bool = False
    choices: Mapping[int, AuthorChoice] = field(default_factory=dict)

    @property
    def wants_all(self) -> bool:
        """Return whether no thread is left out."""
        return self.min_score is None and not self.tags and self.limit is None

    def wants(self, score: int, tags: tuple[str, ...]) -> bool:
        """Return whether a thread with this score and these tags is wanted."""
        if self.min_score is not None and score < self.min_score:
            return False
        return not self.tags or not self.tags.isdisjoint(tags)


SCORES = range(-(2**63), 2**63)
"""Databases keep whole numbers in 64 bits."""

VOTES = range(-(2**31), 2**31)
"""Sums of one guild's votes: far from what databases can't add up."""

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Of a text page, which holds one thread: far more than people write."""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of a line of JSON, which is held in memory as a whole, and parsed to several times as much."""

MAX_TEXT = 512 * 1024
"""Characters of one text in a form that isn't ours: longer ones are no answers but damage,
such as a quote in a table that is never closed."""

MAX_FILE_BYTES = 128 * 1024 * 1024
"""Of a file that is held in memory as a whole, several times over while it is parsed."""

MAX_HTML_BYTES = 16 * 1024 * 1024
"""Of a web page: its tree takes many times as much memory."""


GZIP_MAGIC = b"\x1f\x8b"
Broken = (OSError, EOFError, zlib.error)
"""What reading a file can raise, a broken gzip file included."""


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file for reading, unpacking gzip; gives the stream and whether it was gzip."""
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        gzipped = raw.peek(2)[:2] == GZIP_MAGIC
        stream = stack.enter_context(gzip.GzipFile(fileobj=raw)) if gzipped else raw
        yield cast(BinaryIO, stream), gzipped


_REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "it may not be read (permission denied)",
    errno.ELOOP: "it is a link that leads back to itself",
}


def reason(error: BaseException) -> str:
    """Return why a file can't be read, in words for people."""
    if isinstance(error, EOFError):
        return "the gzip file is cut off here; what came before was read"
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return "the gzip file is damaged here; what came before was read"
    code = (error.errno if isinstance(error, OSError) else None) or 0
    return _REASONS.get(code) or f"it can't be read: {os.strerror(code) if code else error}"


def file_version(path: Path) -> tuple[int, int, int]:
    """Return size, time and number of a file, which change when it is written."""
    now = path.stat()
    return now.st_size, now.st_mtime_ns, now.st_ino


class FolderWalk:
    """Finds the files of folders; each real folder is entered once, however it is reached."""

    def __init__(self, report: SourceReport, wanted: Callable[[str], bool]):
        """Report to ``report``; ``wanted`` tells by a file's name whether to read it."""
        self.skipped = 0
        """Folders passed over because they had been walked already."""
        self._report = report
        self._wanted = wanted
        self._entered: set[str] = set()

    def files(self, top: Path) -> Iterator[Path]:
        """Yield the wanted files below a folder, by name, folders among them; hidden ones left out.

        Names in the report what can't be read, and links that lead back into a folder
        that is being walked.
        """
        # A stack of our own: folders may be nested deeper than Python can recurse.
        walking: dict[str, Iterator[Path]] = {}
        self._enter(top, os.path.realpath(top), walking)
        while walking:
            real, entries = next(reversed(walking.items()))
            entry = next(entries, None)
            if entry is None:
                del walking[real]
            elif self._is_folder(entry):
                inside = os.path.join(real, entry.name)
                self._enter(
                    entry, os.path.realpath(entry) if entry.is_symlink() else inside, walking
                )
            elif self._wanted(entry.name):
                yield entry
            elif (suffix := entry.suffix.lower()) != ".xml":  # dumps are full of those
                ending = f"that end in {suffix}" if suffix else "without a suffix"
                self._report.pass_over(f"files {ending}")

    def _enter(self, folder: Path, real: str, walking: dict[str, Iterator[Path]]) -> None:
        if real in walking:
            self._report.reject("it is a link back to a folder that it lies in (a loop)", folder)
        elif real in self._entered:
            self.skipped += 1
        else:
            self._entered.add(real)
            try:
                names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
            except OSError as error:
                self._report.reject(reason(error), folder)
            else:
                walking[real] = map(folder.joinpath, names)

    def _is_folder(self, entry: Path) -> bool:
        try:
            return stat.S_ISDIR(entry.stat().st_mode)
        except OSError as error:
            # A wanted file is named when it is read. What else can't be looked at may be
            # a folder, so it is named here; a link to nothing holds no threads.
            if error.errno != errno.ENOENT and not self._wanted(entry.name):
                self._report.reject(reason(error), entry)
            return False
