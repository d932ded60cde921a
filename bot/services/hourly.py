"""Work of a running bot that is due every hour, such as deleting what was kept for long enough."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

PURGE_SECONDS = 3600.0
"""Seconds between two turns: what is to be deleted stays at most this much longer."""

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[object]]


async def run(works: Sequence[Work]) -> None:
    """Do these one after another, now and every hour, for ever.

    What fails is logged and keeps none of the others from being done; the next hour tries again.
    """
    while True:
        for work in works:
            try:
                await work()
            except Exception:
                log.exception("what was kept for long enough could not be deleted; trying again")
        await asyncio.sleep(PURGE_SECONDS)
