"""Leases: work that one process alone need do for a library.

A lease spares the others that work; it doesn't keep them from it. Who is held up for longer than
``EXPIRY_SECONDS`` and goes on does what its successor does as well, and that is harmless: all
such work may be done twice.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable

from bot.errors import StoreError
from bot.services.rate_limit import Clock, monotonic
from bot.store import leases
from bot.store.database import Database
from bot.store.leases import Lease

RENEW_SECONDS = 15.0
"""After how long a holder that is still at work renews its lease."""

LOOK_SECONDS = 5.0
"""After how long another process looks again whether it still does."""

EXPIRY_SECONDS = 40.0
"""How long a lease may stay as it is until another process takes it: its holder was killed."""

_OURS = set[str]()
"""The holders of this process."""

log = logging.getLogger(__name__)


class Leases:
    """The leases of one process.

    Each measures by its own clock how long the others' stay as they are, so that those of two
    machines need not agree.
    """

    def __init__(self, database: Database, clock: Clock = monotonic):
        self._database, self._clock = database, clock
        self._holder = f"{_place()}/{os.getpid()}/{uuid.uuid4().hex}"
        _OURS.add(self._holder)
        self._mine: dict[str, tuple[Lease, float]] = {}  # with when it was renewed
        self._others: dict[str, tuple[Lease, float]] = {}  # with since when it is as it is
        self._looked_at: dict[str, float] = {}

    async def hold(self, name: str) -> bool:
        """Return whether this process is to do a work now; asked again and again while it does.

        Raises StoreError.
        """
        now = self._clock()
        if name in self._mine and now - self._mine[name][1] < RENEW_SECONDS:
            return True
        if name in self._others and now - self._looked_at[name] < LOOK_SECONDS:
            return False
        self._looked_at[name] = now
        before = await self._database.reading(leases.seen, name)
        if before is not None and before.holder != self._holder and not self._is_over(name, before):
            self._mine.pop(name, None)
            return False
        lease = Lease(self._holder, 0 if before is None else before.beat + 1)
        if not await self._database.writing(leases.put, name, before, lease):
            self._mine.pop(name, None)
            return False
        if before is not None and before.holder != self._holder:
            log.info("%s: done by this process from now on; its former holder is gone", name)
        self._mine[name] = (lease, now)
        self._others.pop(name, None)
        return True

    async def alone(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do a work, if this process is to do it now. Raises StoreError."""
        if await self.hold(name):
            await work()

    async def release(self) -> None:
        """Leave all work to others, at once."""
        mine = {name: lease for name, (lease, _) in self._mine.items()}
        self._mine.clear()
        if mine:
            try:
                await self._database.writing(leases.release, mine)
            except StoreError as error:
                log.warning("%d leases stay until they expire: %s", len(mine), error)

    def _is_over(self, name: str, lease: Lease) -> bool:
        """Note another process's lease, and return whether it has stayed so for too long."""
        if _is_gone(lease.holder):
            return True
        now = self._clock()
        known, since = self._others.get(name, (None, now))
        if known != lease:
            self._others[name] = (lease, now)
            return False
        return now - since >= EXPIRY_SECONDS


def _place() -> str:
    """Return a name of what shares process ids: this computer, or a container on it."""
    try:
        processes = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        processes = ""
    return re.sub(r"[\s/]", "-", socket.gethostname() + processes)


def _is_gone(holder: str) -> bool:
    """Return whether a holder was a process of this computer that has ended.

    So a bot that was killed and starts again need not wait. A container that starts again may
    have the process id that it had.
    """
    place, process_id, _ = holder.split("/")
    if place != _place() or sys.platform == "win32":
        return False
    if int(process_id) == os.getpid():
        return holder not in _OURS
    try:
        os.kill(int(process_id), 0)
    except OSError as error:  # of another account's, that it may not be asked
        return isinstance(error, ProcessLookupError)
    return False
