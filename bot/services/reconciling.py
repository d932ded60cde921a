"""Making the votes of one message what Discord showed, in short transactions.

Thousands may have reacted to one message. So their signs are compared without the write
lock, and what differs is written for some members at a time: live events and other
programs come in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from bot.models import Posting, Vote
from bot.store import postings, threads
from bot.store import reconciling as table
from bot.store.database import Database
from bot.store.reconciling import Sign

__all__ = ["NO_EVENTS", "LiveEvents", "Reconciling", "Sign"]

SLICE_SECONDS = 0.02
"""How long a transaction should take; slices of members grow and shrink accordingly."""

PAUSE = 0.01
"""Seconds between two transactions, beside those that the last one took."""

SMALLEST, FIRST, LARGEST = 50, 100, 300
"""Members in a slice."""

_STEP = 2000
"""Members that are compared before others have a turn on the event loop."""

Signs = Mapping[int, set[Sign]]
IsOwn = Callable[[str | None, int], bool]


class LiveEvents(Protocol):
    """What came through the gateway since Discord was asked for what a message shows."""

    def decides(self, sign: Sign) -> bool:
        """Whether an event was about this member's reaction, or about all of its emoji."""

    def heard_of(self, user_id: int) -> bool:
        """Whether any event was of this member."""


class _NoEvents:
    def decides(self, sign: Sign) -> bool:
        return False

    def heard_of(self, user_id: int) -> bool:
        return False


NO_EVENTS = _NoEvents()


class Reconciling:
    """Compares what is known of a message with what it showed."""

    def __init__(self, database: Database):
        self._database = database

    async def compare(
        self,
        message_id: int,
        shown: Collection[Sign],
        is_own: IsOwn,
        live: LiveEvents = NO_EVENTS,
        since: int | None = None,
    ) -> int:
        """Take in what came, and out what went; returns how many signs that were.

        ``is_own(author, user_id)`` says whose signs don't count. ``live`` decides for what
        it is about; signs of such members are older than their events: of ``since``, in
        Unix microseconds.
        """
        since = since if since is not None else time.time_ns() // 1000
        posting, known = await self._known(message_id)
        if posting is None:
            return 0
        wanted: dict[int, set[Sign]] = {}
        for sign in shown:
            wanted.setdefault(sign.user_id, set()).add(sign)
        users = await _differing(known, wanted)

        async def write(some: Sequence[int]) -> _Written:
            return await self._write(message_id, some, wanted, is_own, live, since)

        return await _in_slices(users, write)

    async def clear(self, message_id: int, value: Vote | None) -> None:
        """Take all signs of a message away, or those of one value."""
        posting, known = await self._known(message_id)
        if posting is None:
            return
        left = {u: {s for s in signs if value not in (None, s.value)} for u, signs in known.items()}
        users = sorted(user for user, signs in known.items() if signs != left[user])

        async def write(some: Sequence[int]) -> _Written:
            return await self._write(message_id, some, left, _everybodys, NO_EVENTS, 0)

        await _in_slices(users, write)

    async def _known(self, message_id: int) -> tuple[Posting | None, Signs]:
        async with self._database.read() as connection:
            posting = await postings.get(connection, message_id)
            if posting is None:
                return None, {}
            return posting, await _standing(connection, posting)

    async def _write(
        self,
        message_id: int,
        users: Sequence[int],
        shown: Signs,
        is_own: IsOwn,
        live: LiveEvents,
        since: int,
    ) -> _Written:
        """Make the signs of some members those that were shown, where no event decides."""
        async with self._database.write() as connection:
            begun = time.monotonic()
            posting = await postings.get(connection, message_id)
            if posting is None:
                return _Written(0.0, 0)
            author = await threads.author_of(connection, posting.answer_id)
            known = await _standing(connection, posting, users)
            gone, new = list[Sign](), list[Sign]()
            for user in users:
                then, now = known.get(user, set()), shown.get(user, set())
                gone += [s for s in then - now if not live.decides(s)]
                if not is_own(author, user):
                    new += [s for s in now - then if not live.decides(s)]
            changed = sorted({sign.user_id for sign in gone + new})
            if changed:
                newest = await table.newest(connection, posting, changed)
                await table.take(connection, posting, gone)
                timed = [(sign, _given_at(sign, newest, live, since)) for sign in new]
                await table.give(connection, posting, timed)
                await table.settle(connection, posting, changed)
        return _Written(time.monotonic() - begun, len(gone) + len(new))


class _Written(NamedTuple):
    """How long a transaction took, and how many signs it changed."""

    seconds: float
    changed: int


async def _in_slices(
    users: Sequence[int], write: Callable[[Sequence[int]], Awaitable[_Written]]
) -> int:
    """Write for some members at a time; returns how many signs changed."""
    size, done, changed = FIRST, 0, 0
    while done < len(users):
        some = users[done : done + size]
        written = await write(some)
        done, changed = done + len(some), changed + written.changed
        if done < len(users):  # other programs look for the lock again and again, not all the time
            await asyncio.sleep(written.seconds + PAUSE)
        if written.seconds > SLICE_SECONDS:
            size = max(SMALLEST, size // 2)
        elif written.seconds < SLICE_SECONDS / 2:
            size = min(LARGEST, size + size // 2)
    return changed


async def _standing(
    connection: Any, posting: Posting, users: Collection[int] | None = None
) -> dict[int, set[Sign]]:
    known: dict[int, set[Sign]] = {}
    async for signs in table.standing(connection, posting, users):
        for sign in signs:
            known.setdefault(sign.user_id, set()).add(sign)
    return known


async def _differing(known: Signs, shown: Signs) -> list[int]:
    """The members of whom other signs are known than were shown."""
    found = list[int]()
    everybody = sorted(known.keys() | shown.keys())
    for start in range(0, len(everybody), _STEP):
        some = everybody[start : start + _STEP]
        found += [u for u in some if known.get(u, set()) != shown.get(u, set())]
        await asyncio.sleep(0)
    return found


def _given_at(sign: Sign, newest: Mapping[int, int], live: LiveEvents, since: int) -> int:
    """When a sign counts as given: last, but before the events that came meanwhile."""
    if live.heard_of(sign.user_id):
        return since
    return max(since, newest.get(sign.user_id, 0) + 1)


def _everybodys(_author: str | None, _user_id: int) -> bool:
    """Let nobody's signs be given: what was left may have been deleted meanwhile."""
    return True
