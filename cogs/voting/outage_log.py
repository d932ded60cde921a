"""One line in the log for an outage, however much fails meanwhile."""

from __future__ import annotations

import logging
import time

from bot.retry import QUIET


class OutageLog:
    """Logs that something is tried again: a warning once in a while, else for debugging."""

    def __init__(self, log: logging.Logger):
        self._log = log
        self._said_at = float("-inf")

    def say(self, text: str, *args: object) -> None:
        """Log a failure that passes."""
        quiet = time.monotonic() - self._said_at < QUIET
        if not quiet:
            self._said_at = time.monotonic()
        self._log.log(logging.DEBUG if quiet else logging.WARNING, text, *args)
