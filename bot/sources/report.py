"""What reading sources leaves behind beside the threads: refusals and unknown keys."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import InputError

MAX_UNKNOWN_KEYS = 1_000
"""Distinct unknown keys told apart; later ones are counted under ``OTHER_KEYS``."""

OTHER_KEYS = "(other keys)"


@dataclass
class SourceReport:
    """Filled while threads are read: what was refused, what was passed over, how far we are.

    ``warned`` tell what got in, but not just as it stood; ``unknown_keys`` are keys
    that a format doesn't have, ``passed_over`` what a source holds beside threads, by what
    it is. ``size`` and ``done`` are bytes, once a reader knows them.
    """

    rejected: list[InputError] = field(default_factory=list)
    warned: list[InputError] = field(default_factory=list)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    size: int = 0
    done: int = 0

    def reject(self, reason: str, path: Path, line: int | None = None) -> None:
        """Note that ``path``, or its ``line`` (from 1), was not accepted."""
        self.rejected.append(InputError(reason, shown_path(path), line))

    def warn(self, reason: str, path: Path, line: int | None = None) -> None:
        """Note that something in ``path``, at ``line``, got in otherwise than it stands there."""
        self.warned.append(InputError(reason, shown_path(path), line))

    def count_unknown(self, name: str) -> None:
        """Count a key that the format does not have."""
        # Data whose keys are values (an id a key) must not fill the memory.
        if name not in self.unknown_keys and len(self.unknown_keys) >= MAX_UNKNOWN_KEYS:
            name = OTHER_KEYS
        self.unknown_keys[name] += 1

    def pass_over(self, what: str, times: int = 1) -> None:
        """Count something that is no thread, or not one that is wanted; plural, for people."""
        self.passed_over[what] += times


def shown_path(path: Path) -> Path | str:
    """The path as it may be printed: bytes of a name that are not UTF-8 are escaped."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path).decode(errors="backslashreplace")
    return path
