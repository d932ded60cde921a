"""Files out of a 7z archive, as a stream: nothing of it is ever written to the disk.

An archive may be made to do harm: its names may lead out of the folder that it is unpacked
into, and a few bytes may unpack to gigabytes. Where nothing is written names do no harm;
those that lead elsewhere are reported and left alone. And an archive that says, or turns out,
to be larger than its limit is not read (on).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from bot.errors import InputError, shown_path
from bot.sources.report import SourceReport

if TYPE_CHECKING:
    import py7zr
    from py7zr.io import WriterFactory

MAGIC = b"7z\xbc\xaf\x27\x1c"

MOST_TIMES = 100
"""How many times its own size an archive may unpack to; dumps unpack to 3 to 30 times."""

ALWAYS_BYTES = 256 * 1024 * 1024
"""What any archive may unpack to, however small it is."""

_PIECE = 1024 * 1024
_BLOCK = 128 * 1024  # bytes unpacked in one go; what comes out is some times larger
_WAITING = 4  # chunks that may wait for their reader

_REASONS = {
    "PasswordRequired": "it needs a password",
    "DecompressionBombError": "it unpacks to more than it may, and was not read on",
    "UnsupportedCompressionMethodError": "it is packed in a way that can't be read here; "
    "unpack it yourself",
}
"""Reasons for people by names of py7zr's errors, which is loaded only where it is needed."""

Chunks = Iterator[bytes]


def parts(
    path: Path, wanted: Callable[[str], bool], report: SourceReport
) -> Iterator[tuple[str, Chunks]]:
    """Yield the files of an archive whose names are ``wanted``, one after the other, as chunks.

    Each must be read before the next is asked for. Raises InputError for an archive that
    can't be read, before the first; one that turns out to be damaged ends there, and the
    report says so.
    """
    with path.open("rb") as raw, _opened(path, raw) as archive:
        names = _names(archive, path, wanted, report)
        unpacking = _Unpacking(archive, raw, names, report)
        try:
            yield from unpacking.files()
        finally:
            unpacking.stop()
        if unpacking.error is not None:
            report.reject(_reason(unpacking.error), path)


def _names(
    archive: py7zr.SevenZipFile, path: Path, wanted: Callable[[str], bool], report: SourceReport
) -> list[str]:
    """Return the names of the wanted files; report those that lead out of the archive's folder."""
    wanted_names = []
    for entry in archive.list():
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in "".join(name.parts[:1]):
            shown = str(shown_path(Path(entry.filename)))
            report.reject(f"{shown!r} in it lies outside its folder, and is left alone", path)
        elif not entry.is_file:
            continue  # a link needs no looking at, it would only lead elsewhere
        elif wanted(name.name):
            wanted_names.append(entry.filename)
    return wanted_names


@contextmanager
def _opened(path: Path, raw: BinaryIO) -> Iterator[py7zr.SevenZipFile]:
    try:
        import py7zr  # takes a while to load, and few need it
    except ModuleNotFoundError:
        why = "reading it needs py7zr: pip install 'threadwise[dumps]', or unpack it yourself"
        raise InputError(why, path) from None
    limit = max(ALWAYS_BYTES, MOST_TIMES * path.stat().st_size)
    try:
        archive = py7zr.SevenZipFile(raw, blocksize=_BLOCK, max_extract_size=limit)
        total = sum(entry.uncompressed for entry in archive.list())
    except Exception as error:  # it trusts what headers say, so it may be any
        raise InputError(_reason(error), path) from error
    with archive:
        if archive.needs_password():
            raise InputError("it needs a password", path)
        if total > limit:
            raise InputError(
                f"it would unpack to {_megabytes(total)}, more than {MOST_TIMES} times its size "
                f"and {_megabytes(ALWAYS_BYTES)}; no dump does",
                path,
            )
        yield archive


class _Unpacking:
    """Unpacks with py7zr in a thread of its own, which hands chunks over through a queue."""

    def __init__(
        self, archive: py7zr.SevenZipFile, raw: BinaryIO, names: list[str], report: SourceReport
    ):
        self._archive, self._raw, self._names, self._report = archive, raw, names, report
        self._queue: queue.Queue[str | bytes | None] = queue.Queue(_WAITING)
        self._next: str | bytes | None = None
        self._stopped = False
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="unpack 7z", daemon=True)

    def files(self) -> Iterator[tuple[str, Chunks]]:
        """Name and chunks of each file."""
        self._thread.start()
        begun = self._report.done
        self._next = self._queue.get()
        while isinstance(self._next, str):
            yield self._next, self._chunks(begun)

    def _chunks(self, begun: int) -> Chunks:
        while isinstance(item := self._queue.get(), bytes):
            self._report.done = begun + self._raw.tell()
            yield item
        self._next = item

    def stop(self) -> None:
        """Stop the thread, also in the middle of the archive."""
        self._stopped = True
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue

    def give(self, item: str | bytes) -> None:
        """Hand a name or a chunk to the reader; wait while many wait for it."""
        if self._stopped:
            raise _Stopped
        self._queue.put(item)

    def _run(self) -> None:
        try:
            if self._names:
                self._archive.extract(targets=self._names, factory=_factory(self.give))
        except _Stopped:
            pass
        except Exception as error:  # it trusts what headers say, so it may be any
            self.error = error
        self._queue.put(None)


def _factory(give: Callable[[str | bytes], None]) -> WriterFactory:
    """Return what py7zr writes into: files that hand on their name and then their pieces."""
    from py7zr.io import Py7zIO, WriterFactory

    class File(Py7zIO):
        def __init__(self, name: str):
            self._size = 0
            give(name)

        def write(self, s: bytes | bytearray) -> int:
            for at in range(0, len(s), _PIECE):  # what is packed well comes in very large ones
                give(bytes(s[at : at + _PIECE]))
            self._size += len(s)
            return len(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return self._size

    class Files(WriterFactory):
        def create(self, filename: str) -> Py7zIO:
            return File(filename)

    return Files()


class _Stopped(Exception):
    """Raised in the thread of py7zr once nobody reads on."""


def _reason(error: Exception) -> str:
    if (why := _REASONS.get(type(error).__name__)) is not None:
        return why
    if isinstance(error, OSError) and error.strerror:
        return f"it can't be read: {error.strerror}"
    return "the archive is cut off or damaged; what came before was read"


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"
