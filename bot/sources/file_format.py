"""Kinds of files that can be read: how one is recognised, and what its reader gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot import __version__
from bot.models import Thread
from bot.sources.decoding import FileHead
from bot.sources.files import Options
from bot.sources.report import SourceReport

VERSION = f"{__version__}/4"
"""Part of fingerprints; raised when the same files make other threads than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A thread that is made when it is needed: making takes longer than reading what it is of.

    ``fingerprint`` is a digest of all that the thread is made of, the manner included:
    where the library has the key with the same one, nothing needs to be made.
    """

    key: str
    source: str
    fingerprint: str
    make: Callable[[], Thread]
    score: int = 0
    tags: tuple[str, ...] = ()


Found = Thread | Draft


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format with its reader, declared as ``FORMAT`` in the reader's module.

    ``looks_like`` tells by a file's beginning whether it may be in this format. ``read`` yields
    its threads, and ``None`` now and then while it is busy; it names in the report what it
    refuses, and raises InputError for the file as a whole.

    ``packed``: also read from gzip; ``utf16``: also from UTF-16, as all is by what ``decoding``
    has to read files with. ``defers``: a suffix of another format outweighs its looks.
    ``unique_keys``: its reader sees to it that no two files have threads with the same key, for
    there may be millions. ``is_certain``: no other file looks so, hence its looks outweigh every
    suffix, and a suffix alone says nothing.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    looks_like: Callable[[FileHead], bool]
    read: Callable[[Path, SourceReport, Options], Iterator[Found | None]]
    packed: bool = True
    utf16: bool = True
    defers: bool = False
    unique_keys: bool = False
    is_certain: bool = False
