"""The log of a running bot: on stderr, readable, and never with the token in it."""

from __future__ import annotations

import logging
import sys

from rich.logging import RichHandler

from bot.cli.console import err
from bot.cli.outages import Outages

PLAIN = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"

CHATTY = ("aiosqlite", "alembic", "asyncio", "sqlalchemy")
"""Libraries that tell each step they take; of them only warnings are shown."""


def set_up(level: str, token: str | None) -> None:
    """Log from ``level`` up; ``token`` is blotted out wherever it would appear."""
    handler: logging.Handler
    if sys.stderr.isatty():
        handler = RichHandler(console=err(), show_path=False, markup=False, highlighter=None)
        handler.setFormatter(_Discreet("%(name)s: %(message)s", token, datefmt="%H:%M:%S"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Discreet(PLAIN, token))
    handler.addFilter(Outages())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _Discreet(logging.Formatter):
    """A formatter that blots the token out of the finished line, tracebacks included."""

    def __init__(self, form: str, token: str | None, datefmt: str | None = None):
        super().__init__(form, datefmt)
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line.replace(self._token, "***") if self._token else line
