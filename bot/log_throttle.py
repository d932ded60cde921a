"""Lines of the log that may come in floods: the first are written, the others are counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from dataclasses import dataclass

from bot.errors import ThreadwiseError


@dataclass(slots=True)
class _Kind:
    """The count of lines of one kind: those admitted since a moment, and those left out."""

    since: float
    admitted: int = 0
    left_out: int = 0


class LogThrottle:
    """Admits ``burst`` lines of each kind in so many seconds."""

    def __init__(self, seconds: float, burst: int = 1):
        self._seconds, self._burst = seconds, burst
        self._kinds: dict[Hashable, _Kind] = {}

    def admit(self, kind: Hashable = None, now: float | None = None) -> int | None:
        """Return how many lines of the kind were left out before; ``None``: leave this one out.

        ``now`` is in seconds of ``time.monotonic``.
        """
        now = time.monotonic() if now is None else now
        known = self._kinds.setdefault(kind, _Kind(now))
        if now - known.since >= self._seconds:
            known.since, known.admitted = now, 0
        if known.admitted >= self._burst:
            known.left_out += 1
            return None
        known.admitted += 1
        left_out, known.left_out = known.left_out, 0
        return left_out

    def warn(self, log: logging.Logger, text: str, *args: object) -> None:
        """Log a warning if one is admitted, else the same line for debugging."""
        level = logging.DEBUG if self.admit() is None else logging.WARNING
        log.log(level, text, *args)


class FailureLog:
    """Logs failures of a task that tries again: not one that is the last one again."""

    def __init__(self, log: logging.Logger, text: str):
        self._log, self._text, self._last = log, text, ""

    def failed(self, error: Exception) -> None:
        """Log a failure; those that are none of ours with their traceback."""
        line = f"{type(error).__name__}: {error}"
        if line != self._last:
            known = isinstance(error, ThreadwiseError)
            self._log.error("%s: %s", self._text, error, exc_info=None if known else error)
        self._last = line

    def worked(self) -> None:
        """Note that the task works: the next failure is logged."""
        self._last = ""
