"""Reports of an import: refusals, warnings, counts, progress."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from bot.errors import InputError, InputPlace

MAX_UNKNOWN_KEYS = 1_000
"""Distinct unknown keys that are counted apart; later ones count as ``OTHER_KEYS``."""

OTHER_KEYS = "(other keys)"

MAX_NAMED = 20
"""Refusals, and warnings, of one file that are named, and the last; the rest are counted."""

_SHOWN = 40
"""Characters of a wrong value, or of an unknown key, that a message shows."""

_ProblemGroup = tuple[bool, str]


class NoThreads(InputError):
    """A file that may be fine, but has no thread in it; in folders it is passed over.

    ``called`` is what such files are called, in the plural.
    """

    def __init__(self, reason: str, path: Path, called: str = "pages without a question"):
        super().__init__(reason, path)
        self.called = called


@dataclass
class Findings:
    """Refusals, warnings and counts of an import.

    ``rejected`` did not get in; ``warned`` tell what did, but not just as it stood. The
    first of each file and the last are named there, and the ``more_`` counters say by file
    how many there were between. ``unknown_keys`` are keys that a format doesn't have,
    ``passed_over`` what a source holds beside threads, by what it is. ``hints`` say what
    could be done better another time.
    """

    rejected: list[InputError] = field(default_factory=list)
    warned: list[InputError] = field(default_factory=list)
    more_rejected: Counter[str] = field(default_factory=Counter)
    more_warned: Counter[str] = field(default_factory=Counter)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    hints: list[str] = field(default_factory=list, compare=False)

    @property
    def refused(self) -> int:
        """Return how much was not accepted, named or not."""
        return len(self.rejected) + self.more_rejected.total()

    @property
    def warnings(self) -> int:
        """Return how much got in otherwise, named or not."""
        return len(self.warned) + self.more_warned.total()

    def take_over(self, seen: Findings) -> None:
        """Add the findings of another report."""
        for field_ in fields(Findings):
            mine = getattr(self, field_.name)
            mine += getattr(seen, field_.name)  # lists and counters, in place


@dataclass
class SourceReport(Findings):
    """Filled while threads are read: what was refused, what was passed over, how far we are.

    ``sources`` says which file each source that may not come twice is from. ``stage`` says
    what is being done, of which ``done`` of ``size`` are, once a reader knows: bytes or
    threads. ``histories`` are files that have what was changed of their threads.
    """

    histories: list[Path] = field(default_factory=list)
    sources: dict[str, Path] = field(default_factory=dict)
    stage: str = ""
    size: int = 0
    done: int = 0
    _named: Counter[_ProblemGroup] = field(default_factory=Counter, repr=False, compare=False)
    _last: dict[_ProblemGroup, InputError] = field(default_factory=dict, repr=False, compare=False)

    def reject(self, reason: str, path: Path, where: InputPlace | None = None) -> None:
        """Note that ``path``, or what is there at a place, was not accepted."""
        self._note(self.rejected, self.more_rejected, InputError(reason, path, where))

    def warn(self, reason: str, path: Path, where: InputPlace | None = None) -> None:
        """Note that something in ``path``, at a place, got in otherwise than it stands there."""
        self._note(self.warned, self.more_warned, InputError(reason, path, where))

    def count_unknown(self, name: str) -> None:
        """Count a key that the format does not have."""
        # Data whose keys are values (an id a key) must not fill the memory.
        if name not in self.unknown_keys and len(self.unknown_keys) >= MAX_UNKNOWN_KEYS:
            name = OTHER_KEYS
        self.unknown_keys[name] += 1

    def pass_over(self, what: str, times: int = 1) -> None:
        """Count something that is no thread, or not one that is wanted; plural, for people."""
        self.passed_over[what] += times

    def hint(self, what: str) -> None:
        """Tell what an option would do for this import, in words."""
        self.hints.append(what)

    def begin(self, stage: str, size: int) -> None:
        """Say what is done from now on, and how much of it there is."""
        self.stage, self.size, self.done = stage, size, 0

    def _note(self, named: list[InputError], more: Counter[str], problem: InputError) -> None:
        # A million damaged rows must fill neither the memory nor the screen.
        which = (named is self.rejected, str(problem.path))
        self._named[which] += 1
        if self._named[which] > MAX_NAMED + 1:
            last = self._last[which]
            if named[-1] is last:  # mistakes of one file come together, and files are many
                named.pop()
            else:
                named.remove(last)
            more[which[1]] += 1
        self._last[which] = problem
        named.append(problem)


def quoted(value: object) -> str:
    """Return a value as a message shows it: short, and printable on any terminal."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return json.dumps(printable(value), ensure_ascii=False)
    return printable(json.dumps(value))


def printable(text: str) -> str:
    """Return a text as a message shows it: short, and half surrogates escaped."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return short.encode(errors="backslashreplace").decode()
