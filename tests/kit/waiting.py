"""Waiting for what a test has caused, however busy the machine is."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

HANG = 60.0
"""Seconds after which nothing comes any more: only a hang takes so long, even on a machine
whose cores are all kept busy by others."""


async def until(true: Callable[[], object | Awaitable[object]], seconds: float = HANG) -> None:
    """Wait until ``true``, or what it returns to be awaited, is true.

    Raises:
        TimeoutError: It has not become true within ``seconds``.
    """
    async with asyncio.timeout(seconds):
        while True:
            result = true()
            if await result if inspect.isawaitable(result) else result:
                return
            await asyncio.sleep(0.005)
