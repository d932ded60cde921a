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
from typing import TypeVar

import aiohttp
import discord

from bot.log_throttle import LogThrottle

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between the tries of a request: about half a minute in all."""

QUICK = (0.2, 0.4, 0.8, 1.2)
"""The same where Discord waits for three seconds only."""

LIMIT = 60.0
"""Seconds after which no further try is begun, however long each took."""

REPLY_SECONDS = 30.0
"""Seconds without a reply after which the request is sent once more."""

OUTAGE_LOG_SECONDS = 30.0
"""Seconds in which only the first failure is a line in the log: it is one outage."""

log = logging.getLogger(__name__)

outage_log = LogThrottle(OUTAGE_LOG_SECONDS)
"""Admits the lines of all requests together, since they fail together."""

T = TypeVar("T")


class MalformedReply(aiohttp.ClientError):
    """A reply of Discord that can't be read; the request may have been served."""


FAILURES = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request that was not served raises in the end."""

_UNREADABLE = (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError)
_REPEATED_BY_LIBRARY = {500, 502, 504, 524}


async def retried(
    request: Callable[[], Awaitable[T]], what: str, pauses: Sequence[float] | None = None
) -> T:
    """Do a request, again after each of ``pauses`` while it fails for a passing reason.

    ``what`` names it in the log. The first try that succeeds counts: one without a reply is
    not cancelled, as discord.py would keep a global rate limit for ever if the request that
    waits for its end were. Raises one of FAILURES, the last.
    """
    end = time.monotonic() + LIMIT
    tries: set[asyncio.Future[T]] = set()
    try:
        for pause in (*(PAUSES if pauses is None else pauses), None):
            tries.add(asyncio.ensure_future(once(request)))
            patience = 2 * REPLY_SECONDS if pause is None else REPLY_SECONDS
            done, tries = await asyncio.wait(
                tries, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            failures = [each.exception() for each in done]
            if None in failures or (done and pause is None):
                return min(done, key=lambda each: each.exception() is not None).result()
            failure = failures[0] if failures else TimeoutError("no reply")
            assert failure is not None
            if pause is None or not is_transient(failure) or time.monotonic() > end:
                raise failure
            outage_log.warn(log, "%s: %s; trying again", what, described(failure))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        raise AssertionError("the last try returns or raises")
    except asyncio.CancelledError:
        for each in tries:
            each.cancel()
        raise
    finally:
        for each in tries:  # nobody waits for them any more
            each.add_done_callback(lambda late: late.cancelled() or late.exception())


async def once(request: Callable[[], Awaitable[T]]) -> T:
    """Do a request once; a reply that can't be read raises MalformedReply."""
    try:
        return await request()
    except _UNREADABLE as error:
        raise MalformedReply(f"unreadable reply ({type(error).__name__})") from error


def new_nonce() -> int:
    """Return a number by which Discord recognises one post, however often it is sent."""
    return secrets.randbits(63)


def is_transient(error: BaseException) -> bool:
    """Return whether a request that failed like this may be served when it is made again.

    What discord.py has repeated five times already is not.
    """
    if isinstance(error, discord.DiscordServerError):
        return error.status not in _REPEATED_BY_LIBRARY
    return isinstance(error, aiohttp.ClientError | OSError)


def described(error: BaseException) -> str:
    """Return an error in one short line; pages of HTML are left out."""
    if isinstance(error, discord.HTTPException):
        said = "" if error.text.lstrip().startswith("<") else f": {error.text}"
        return f"{error.status} {error.response.reason} (error code: {error.code}){said}"
    return str(error) or type(error).__name__
