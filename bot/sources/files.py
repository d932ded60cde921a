"""Files on the disk: unpacking, errors of reading, and the walk through folders."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bot.sources.report import SourceReport

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


def reason(error: BaseException) -> str:
    """Return why a file can't be read, in words for people."""
    if isinstance(error, EOFError):
        return "the gzip file is cut off here; what came before was read"
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return "the gzip file is damaged here; what came before was read"
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT:
        return "there is no such file or folder"
    if code == errno.EACCES:
        return "it may not be read (permission denied)"
    if code == errno.ELOOP:
        return "it is a link that leads back to itself"
    return f"it can't be read: {os.strerror(code) if code else error}"


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
