"""Requests to Discord that are tried again when they failed for a passing reason.

discord.py itself waits for rate limits and repeats 500, 502, 504 and 524. Left to us are
503 and other errors of servers in between, connections that break or never answer, and
replies that can't be read. Only requests that may be repeated belong here: those that
set something, and posts with a nonce of their own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import aiohttp
import discord

from bot.log_throttle import LogThrottle

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between the tries of a request: about half a minute in all."""

QUICK = (0.2, 0.4, 0.8, 1.2)
"""The same where Discord waits for three seconds only."""

LIMIT = 60.0
"""Seconds after which no further try is begun, however long each took."""

PATIENCE = 30.0
"""Seconds without a reply after which the request is sent once more."""

QUIET = 30.0
"""Seconds in which only the first failure is a line in the log: it is one outage."""

log = logging.getLogger(__name__)

outage_log = LogThrottle(QUIET)
"""Admits the lines of all requests together, since they fail together."""

T = TypeVar("T")


class MalformedReply(aiohttp.ClientError):
    """Discord replied with something that can't be read; the request may have been served."""


FAILURES = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request that was not served raises in the end."""

_UNREADABLE = (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError)
_REPEATED_BY_LIBRARY = {500, 502, 504, 524}


async def retried(
    request: Callable[[], Awaitable[T]], what: str, pauses: Sequence[float] | None = None
) -> T:
    """Do a request, again after each of ``pauses`` while it fails for a passing reason.

    ``what`` names it in the log. Raises one of FAILURES, the last.
    """
    end = time.monotonic() + LIMIT
    tries = _Tries[T](request)
    try:
        for pause in PAUSES if pauses is None else pauses:
            try:
                return await tries.next(PATIENCE)
            except Exception as failure:
                if not is_transient(failure) or time.monotonic() > end:
                    raise
                outage_log.warn(log, "%s: %s; trying again", what, described(failure))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        return await tries.next(2 * PATIENCE)
    except asyncio.CancelledError:
        tries.cancel()
        raise
    finally:
        tries.leave()


async def once(request: Callable[[], Awaitable[T]]) -> T:
    """Do a request once; a reply that can't be read raises MalformedReply."""
    try:
        return await request()
    except _UNREADABLE as error:
        raise MalformedReply(f"unreadable reply ({type(error).__name__})") from error


def new_nonce() -> int:
    """A number by which Discord knows one post, however often it is sent."""
    return secrets.randbits(63)


def is_transient(error: BaseException) -> bool:
    """Whether a request that failed like this may be served when it is made again.

    What discord.py has repeated five times already is not.
    """
    if isinstance(error, discord.DiscordServerError):
        return error.status not in _REPEATED_BY_LIBRARY
    return isinstance(error, aiohttp.ClientError | OSError)


class _Tries(Generic[T]):
    """The tries of one request; the first that succeeds counts.

    A try that gets no reply is not cancelled: discord.py would keep a global rate limit
    for ever if the request that waits for its end were.
    """

    def __init__(self, request: Callable[[], Awaitable[T]]):
        self._request = request
        self._waiting: set[asyncio.Future[T]] = set()

    async def next(self, patience: float) -> T:
        """Send the request, once more; raises TimeoutError if no try has a reply by then."""
        self._waiting.add(asyncio.ensure_future(once(self._request)))
        done, self._waiting = await asyncio.wait(
            self._waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
        served = [each for each in done if each.exception() is None]
        for each in served or done:
            return each.result()
        raise TimeoutError("no reply")

    def cancel(self) -> None:
        """Stop all of them."""
        for each in self._waiting:
            each.cancel()

    def leave(self) -> None:
        """Wait for none of them any more."""
        for each in self._waiting:
            each.add_done_callback(_ignored)


def _ignored(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def described(error: BaseException) -> str:
    """An error in one short line; pages of HTML are left out."""
    if isinstance(error, discord.HTTPException):
        said = "" if error.text.lstrip().startswith("<") else f": {error.text}"
        return f"{error.status} {error.response.reason} (error code: {error.code}){said}"
    return str(error) or type(error).__name__
