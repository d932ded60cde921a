"""Whether files are those that were imported before, told by a digest of all that is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.sources.file_format import VERSION
from bot.sources.files import FolderWalk
from bot.sources.formats import has_known_suffix
from bot.sources.options import Options
from bot.sources.report import SourceReport
from bot.sources.stackexchange import beside

SMALLEST = 16 * 1024 * 1024
"""Bytes of files from which on it is worth the while: fewer are read in a second or two."""

_CHUNK = 1024 * 1024


def digest_of(paths: Sequence[Path], options: Options, report: SourceReport) -> str | None:
    """A digest of what an import of these paths reads, and how.

    ``None`` for so little that it may as well be read, for what is read only in part, and
    for what can't be read. The report tells how far it is.
    """
    if options.limit is not None:
        return None
    try:
        files = [*_files(paths)]
        size = sum(file.stat().st_size for file in files)
        if size < SMALLEST:
            return None
        report.begin("Looking for anything new", size)
        return _digest(paths, files, options, report)
    except OSError:
        return None  # the readers find it too, and name it


def _digest(
    paths: Sequence[Path], files: Sequence[Path], options: Options, report: SourceReport
) -> str:
    # What is named, and where it lies, tells the threads' source and goes into their keys.
    named = [str(path.resolve()) for path in paths]
    manner = (
        VERSION,
        options.format,
        sorted(options.columns.items()),
        options.site,
        options.encoding,
    )
    wanted = (options.min_score, sorted(options.tags))
    found = hashlib.blake2b(repr((named, manner, wanted)).encode())
    for file in files:
        found.update(repr((str(file.resolve()), file.stat().st_size)).encode())
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
                report.done += len(chunk)
    return found.hexdigest()[:32]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """All that is read, files of dumps that are read along with their posts included."""
    walk = FolderWalk(SourceReport(), has_known_suffix)
    for path in paths:
        for file in walk.files(path) if path.is_dir() else [path]:
            if not file.is_file():
                raise OSError(f"{file} is no file")
            yield file
            yield from beside(file)
