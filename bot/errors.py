"""The errors that the program raises on purpose, and counts as messages have them.

Their text is written for people.

ThreadwiseError
├── ConfigError        a setting, option or token is wrong          (exit code 2)
├── InputError         a file or a line of it was not accepted      (exit code 1)
├── StoreError         the database can't be used                   (exit code 2)
│   ├── StoreNewer     ... it was written by a newer Threadwise
│   ├── StoreBusy      ... another program holds it for too long
│   └── StoreUnreachable   ... its server doesn't answer just now   (exit code 1)
├── SearchError        the search index can't be used or rebuilt    (exit code 2)
│   └── ModelError     ... the embedding model can't be; words still can
├── Unreachable        Discord doesn't answer just now              (exit code 1)
├── NotFound           a thread, answer or posting is not there     (exit code 1)
└── NotAccepted        what somebody wants to store can't be stored (exit code 1)
"""

from __future__ import annotations

import os
import re
from pathlib import Path

InputPlace = int | str
"""A line's number (from 1), or the place in a file that has no lines to speak of."""


class ThreadwiseError(Exception):
    """Root of the tree; ``str(error)`` is one line that says what to do."""

    exit_code = 2


class ConfigError(ThreadwiseError):
    """A setting, option or token is missing, unknown or out of range."""


class InputError(ThreadwiseError):
    """A file, or one thread of it, was not accepted; the rest goes on.

    ``place`` in the file stands before the reason, where it is no line.
    """

    exit_code = 1

    def __init__(
        self, reason: str, path: Path | str | None = None, place: InputPlace | None = None
    ) -> None:
        line = place if isinstance(place, int) else None
        self.reason = reason if place == line else f"{place}: {reason}"
        self.path = shown_path(path) if isinstance(path, Path) else path
        self.line = line
        where = [str(self.path)] if path is not None else []
        where += [f"line {line}"] if line is not None else []
        super().__init__(": ".join([", ".join(where), self.reason] if where else [reason]))


class StoreError(ThreadwiseError):
    """The database can't be opened, read or written."""


class StoreNewer(StoreError):
    """The database was written by a newer version of the program."""


class StoreBusy(StoreError):
    """Another program has held the database's write lock for too long."""


class SearchError(ThreadwiseError):
    """The search index can't be used, and could not be rebuilt."""


class ModelError(SearchError):
    """The embedding model is missing, incomplete or not the one it should be."""


class StoreUnreachable(StoreError):
    """The server of the database can't be reached just now; another try may do."""

    exit_code = 1


class Unreachable(ThreadwiseError):
    """Discord can't be reached just now; another try may do."""

    exit_code = 1


class NotFound(ThreadwiseError):
    """Something that was asked for is not in the library (any more)."""

    exit_code = 1


class NotAccepted(ThreadwiseError):
    """Raised for what somebody wants to store and can't be stored; the text says why."""

    exit_code = 1


def shown_path(path: Path) -> Path | str:
    """Return the path as it may be printed: bytes of a name that are not UTF-8 are escaped."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path).decode(errors="backslashreplace")
    return path


_NOUN = re.compile(r"\b([a-z]+)s\b")
_VERB = re.compile(r"(?<!['\"])\b(are|belong|end|have|were)\b")
_SINGULAR = {"are": "is", "belong": "belongs", "end": "ends", "have": "has", "were": "was"}


def counted(count: int, plural: str) -> str:
    """Return ``count`` with what is counted, given in the plural and made singular for 1.

    The first word that ends in "s" is taken for the noun, and the first verb agrees with it:
    ``counted(1, "answers that belong to no question")`` is "1 answer that belongs to no
    question". Nouns with another plural than a plain "s" are not supported.
    """
    if count == 1:
        plural = _NOUN.sub(r"\1", plural, count=1)
        plural = _VERB.sub(lambda verb: _SINGULAR[verb[0]], plural, count=1)
    return f"{count:,} {plural}"
