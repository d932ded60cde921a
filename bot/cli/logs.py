"""The log of a running bot: without its token, and of an outage few lines.

Apart from the other commands, which have no log and needn't load Discord's library.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator

import aiohttp
import discord
from rich.logging import RichHandler

from bot.cli.console import err
from bot.cli.json_lines import JsonLines
from bot.errors import counted
from bot.log_throttle import LogThrottle

PLAIN = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"

CHATTY = ("aiosqlite", "alembic", "asyncio", "sqlalchemy")
"""Libraries that log each step they take; of them only warnings are shown."""

MAX_LINES = 3
"""Lines of one kind that are shown in a row, before others of it are only counted: an outage of
20 s, in which discord.py tries some five times, takes at most 10 lines in all."""

QUIET = 60.0
"""Seconds after which the next line of a kind is shown again, with the count of those left out."""

NETWORK_ERRORS = (
    aiohttp.ClientError,
    discord.ConnectionClosed,
    discord.DiscordServerError,
    discord.GatewayNotFound,
    ConnectionError,
    TimeoutError,
)
"""What is raised where the network or Discord is down; none of it is a fault of a program."""


def set_up(level: str, token: str | None, *, as_json: bool = False) -> None:
    """Log from ``level`` up; ``token`` is replaced wherever it would appear."""
    handler: logging.Handler
    if as_json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JsonTokenHidden(token))
    elif sys.stderr.isatty():
        handler = RichHandler(console=err(), show_path=False, markup=False, highlighter=None)
        handler.setFormatter(_TokenHidden("%(name)s: %(message)s", token, datefmt="%H:%M:%S"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_TokenHidden(PLAIN, token))
    handler.addFilter(OutageFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _TokenHidden(logging.Formatter):
    """A formatter that removes the token from the finished line, tracebacks included."""

    def __init__(self, form: str | None, token: str | None, datefmt: str | None = None):
        super().__init__(form, datefmt)
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line.replace(self._token, "***") if self._token else line


class _JsonTokenHidden(_TokenHidden, JsonLines):
    """The same for lines of JSON; a token has no character that JSON escapes."""

    def __init__(self, token: str | None):
        super().__init__(None, token)


class OutageFilter(logging.Filter):
    """Shortens lines about the network: no tracebacks, and few of a kind.

    discord.py logs each try to connect with a traceback, and tries every few seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic):
        super().__init__()
        self._now = now
        self._throttle = LogThrottle(QUIET, burst=MAX_LINES)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is shown; one about the network loses its traceback."""
        error = _network_error(record)
        if error is None or record.levelno < logging.WARNING:
            return True
        left_out = self._throttle.admit((record.name, str(record.msg)), self._now())
        if left_out is None:
            return False
        _shorten(record, error, left_out)
        return True


def _shorten(record: logging.LogRecord, error: BaseException, left_out: int) -> None:
    message = record.getMessage()
    if record.exc_info:  # else the line names the error itself
        message += f" ({str(error) or type(error).__name__})"
    if left_out:
        message += f"; {counted(left_out, 'more such lines were left out')}"
    record.msg, record.args = message, ()
    record.exc_info = record.exc_text = None
    if record.levelno > logging.WARNING:
        record.levelno, record.levelname = logging.WARNING, "WARNING"


def _network_error(record: logging.LogRecord) -> BaseException | None:
    """Return the network's error that a line is about, if it is about one."""
    return next((error for error in _errors(record) if _is_network(error, record.name)), None)


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1] is not None:
        yield record.exc_info[1]
        if record.exc_info[1].__cause__ is not None:
            yield record.exc_info[1].__cause__
    args = record.args if isinstance(record.args, tuple) else ()
    yield from (argument for argument in args if isinstance(argument, BaseException))


def _is_network(error: BaseException, logger: str) -> bool:
    if isinstance(error, NETWORK_ERRORS):
        return True
    # Names that can't be resolved, for example; in other loggers it may be a file or a disk.
    return isinstance(error, OSError) and logger.partition(".")[0] in ("discord", "aiohttp")
