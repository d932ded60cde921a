"""Deletes, every hour of a running bot, what was kept for long enough."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

PURGE_SECONDS = 3600.0
"""Seconds between two turns: what is to be deleted stays at most this much longer."""

log = logging.getLogger(__name__)

Purge = Callable[[], Awaitable[object]]
"""Deletes what is due of one kind."""


async def run(purges: Sequence[Purge]) -> None:
    """Do these one after another, now and every hour; never returns.

    A failure is logged, the others are done all the same, and the next hour tries again.
    """
    while True:
        for purge in purges:
            try:
                await purge()
            except Exception:
                log.exception("what was kept for long enough could not be deleted; trying again")
        await asyncio.sleep(PURGE_SECONDS)
