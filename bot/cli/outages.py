"""What an outage of the network looks like in the log: some lines, not a page for each try."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aiohttp
import discord

from bot.plurals import counted

MOST = 3
"""Lines of one kind that are shown in a row, before others of it are only counted."""

QUIET = 60.0
"""Seconds after which the next line of a kind is shown again, with how many were left out."""

NETWORK = (
    aiohttp.ClientError,
    discord.ConnectionClosed,
    discord.DiscordServerError,
    discord.GatewayNotFound,
    ConnectionError,
    TimeoutError,
)
"""What is raised where the network or Discord is down; none of it is a fault of a program."""


@dataclass(slots=True)
class _Kind:
    """Lines of one kind: since when they are counted, how many came, how many were left out."""

    since: float
    shown: int = 0
    left_out: int = 0


class Outages(logging.Filter):
    """Shortens lines about the network: no tracebacks, and few of a kind.

    discord.py logs each try to connect with a traceback, and tries every few seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic):
        super().__init__()
        self._now = now
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is shown; one about the network loses its traceback."""
        error = _network_error(record)
        if error is None or record.levelno < logging.WARNING:
            return True
        kind = self._kind(record)
        if kind.shown >= MOST:
            kind.left_out += 1
            return False
        kind.shown += 1
        _shorten(record, error, kind)
        return True

    def _kind(self, record: logging.LogRecord) -> _Kind:
        key, now = (record.name, str(record.msg)), self._now()
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _Kind(now)
        elif now - kind.since >= QUIET:
            kind.since, kind.shown = now, 0
        return kind


def _shorten(record: logging.LogRecord, error: BaseException, kind: _Kind) -> None:
    said = record.getMessage()
    if record.exc_info:  # else the line tells of the error itself
        said += f" ({str(error) or type(error).__name__})"
    if kind.left_out:
        said += f"; {counted(kind.left_out, 'more such lines were left out')}"
        kind.left_out = 0
    record.msg, record.args = said, ()
    record.exc_info = record.exc_text = None
    if record.levelno > logging.WARNING:
        record.levelno, record.levelname = logging.WARNING, "WARNING"


def _network_error(record: logging.LogRecord) -> BaseException | None:
    """The error of the network that a line is about, if it is about one."""
    found = [error for error in _errors(record) if _is_network(error, record.name)]
    return found[0] if found else None


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1] is not None:
        yield record.exc_info[1]
        if record.exc_info[1].__cause__ is not None:
            yield record.exc_info[1].__cause__
    args = record.args if isinstance(record.args, tuple) else ()
    yield from (argument for argument in args if isinstance(argument, BaseException))


def _is_network(error: BaseException, logger: str) -> bool:
    if isinstance(error, NETWORK):
        return True
    # Names that can't be resolved, for example; elsewhere it may be a file or a disk.
    return isinstance(error, OSError) and logger.partition(".")[0] in ("discord", "aiohttp")
