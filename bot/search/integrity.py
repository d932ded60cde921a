"""Telling damage of a text index's files from everything else that may go wrong.

Every file of a tantivy segment is written once and ends in a footer with the CRC-32 of what
stands before it. So damage can be proven: a file that the index names is missing or its
checksum is wrong. What can't be read for another reason, such as a missing permission, is
not damage and raises OSError.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

COMPONENTS = ("term", "idx", "pos", "fast", "fieldnorm", "store")
"""The suffixes of the files that every segment has."""

CHUNK = 1 << 20
"""Bytes that are read at a time."""

_MAGIC = 1337
_TAIL = struct.Struct("<II")  # length of the footer, magic number
_LONGEST_FOOTER = 4_096

Signature = tuple[int, int, int]
"""A file's inode, size and time of change: while they stay, its content does."""


class Checker:
    """Checks the files of one index; what was checked once is not read again.

    Safe from one thread at a time.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._checked: dict[str, Signature] = {}
        self._sizes: dict[str, int] = {}

    def problem(self, most_bytes: int | None = None) -> str | None:
        """Return what is damaged, or None. Raises OSError for what can't be read.

        At most about ``most_bytes`` that were not checked before are read, at least one file:
        the rest is left for the next call.
        """
        for _ in range(3):
            names = _files(self._folder)
            if isinstance(names, str):
                return names
            found = self._first_problem(names, most_bytes)
            # A merge may have replaced a file since its name was read.
            if found is None or _files(self._folder) == names:
                return found
        return None

    def remember_sizes(self) -> None:
        """Remember the sizes of the files as an index that is opened now maps them.

        To be called before it is opened: a file that is cut short after that is noticed.
        """
        names = _files(self._folder)
        self._sizes = {} if isinstance(names, str) else _sizes(self._folder, names)

    def shrunk(self) -> str | None:
        """Return which file became shorter since ``remember_sizes``, or None.

        Reading the lost part of a file that is mapped into memory ends the process (SIGBUS).
        Takes a few microseconds a file. Files that are gone can still be read.
        """
        now = _sizes(self._folder, self._sizes)
        for name, size in now.items():
            if size < self._sizes[name]:
                return f"{name} was cut short"
        return None

    @property
    def is_done(self) -> bool:
        """Return whether every file was checked as it is now."""
        names = _files(self._folder)
        try:
            return not isinstance(names, str) and all(
                self._checked.get(name) == _signature(self._folder / name) for name in names
            )
        except OSError:
            return False

    def _first_problem(self, names: list[str], most_bytes: int | None) -> str | None:
        self._checked = {n: seen for n, seen in self._checked.items() if n in set(names)}
        read = 0
        for name in names:
            try:
                signature = _signature(self._folder / name)
                if self._checked.get(name) == signature:
                    continue
                if most_bytes is not None and read and read + signature[1] > most_bytes:
                    continue
                if not _is_whole(self._folder / name):
                    return f"the checksum of {name} is wrong"
            except FileNotFoundError:
                return f"{name} is missing"
            self._checked[name] = signature
            read += signature[1]
        return None


def _files(folder: Path) -> list[str] | str:
    """Return the files of the segments that an index names, or what is wrong with its list of
    them.
    """
    try:
        described = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return [name for segment in described["segments"] for name in _of_segment(segment)]
    except FileNotFoundError:
        return "meta.json is missing"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "meta.json is not what tantivy wrote"


def _of_segment(segment: dict[str, Any]) -> Iterator[str]:
    name = segment["segment_id"].replace("-", "")
    yield from (f"{name}.{suffix}" for suffix in COMPONENTS)
    if segment["deletes"] is not None:
        yield f"{name}.{segment['deletes']['opstamp']}.del"


def _sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Return the sizes in bytes of those files that are there."""
    sizes = {}
    for name in names:
        with suppress(OSError):
            sizes[name] = os.stat(f"{folder}/{name}").st_size
    return sizes


def _signature(file: Path) -> Signature:
    seen = file.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


def _is_whole(file: Path) -> bool:
    """Return whether a file's content has the checksum that its footer tells. Raises OSError."""
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        tail = _read_at(stream, max(0, size - _LONGEST_FOOTER), _LONGEST_FOOTER)
        if len(tail) < _TAIL.size:
            return False
        length, magic = _TAIL.unpack(tail[-_TAIL.size :])
        end = len(tail) - _TAIL.size
        if magic != _MAGIC or length > end:
            return False
        expected = _checksum_in(tail[end - length : end])
        if expected is None:
            return False
        stream.seek(0)
        left, crc = size - _TAIL.size - length, 0
        while left and (chunk := stream.read(min(CHUNK, left))):
            crc = zlib.crc32(chunk, crc)
            left -= len(chunk)
        return not left and crc == expected


def _checksum_in(footer: bytes) -> int | None:
    """Return the checksum that a footer tells, if it is one that tantivy wrote."""
    try:
        content = json.loads(footer)
        versions = {"major", "minor", "patch", "index_format_version"}
        sound = content.keys() == {"version", "crc"} and content["version"].keys() == versions
        return int(content["crc"]) if sound else None
    except (ValueError, TypeError, AttributeError):
        return None


def _read_at(stream: Any, place: int, size: int) -> bytes:
    stream.seek(place)
    return bytes(stream.read(size))
