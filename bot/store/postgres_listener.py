"""The connection that hears of changes: PostgreSQL's LISTEN, as long as anybody watches."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import asyncpg

from bot.store.change_watch import NotificationWatch
from bot.store.write_locks import CHANNEL

RETRY_SECONDS = 2.0
"""Seconds between two tries to listen again; meanwhile changes are looked for as often."""

log = logging.getLogger(__name__)


class Listener:
    """Keeps one connection that listens, from the first watch until ``close``."""

    def __init__(self, connect_args: dict[str, Any]):
        mine = ("prepared_statement_cache_size",)  # SQLAlchemy's own
        self._connect_args = {k: v for k, v in connect_args.items() if k not in mine}
        self._watches = list[NotificationWatch]()
        self._task: asyncio.Task[None] | None = None
        self.listens = False  # at this moment

    def watch(self) -> NotificationWatch:
        """Return a watch that is told from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="listen for changes")
        self._watches.append(NotificationWatch())
        return self._watches[-1]

    async def close(self) -> None:
        """Listen no longer."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.debug("changes can't be listened for: %s", error)
            self._tell()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        """Listen until the connection is lost."""
        lost = asyncio.Event()
        connection = await asyncpg.connect(**self._connect_args)
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._tell())
            self.listens = True
            self._tell()  # of what was changed before it listened
            await lost.wait()
        finally:
            self.listens = False
            connection.terminate()

    def _tell(self) -> None:
        for watch in self._watches:
            watch.tell()
