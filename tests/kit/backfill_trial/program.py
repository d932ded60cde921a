"""A bot that goes on with its backfills by itself, by a clock that skips what it would wait.

Run as ``python -m tests.kit.backfill_trial.program FOLDER URL SKIPPED``; it is ended with
SIGKILL, or ends by itself once nothing is left to do.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import psutil

from bot.app import App
from bot.client import ThreadBot
from tests.kit.backfill_trial.requests import CLOCK, SKIPPED
from tests.kit.library import at
from tests.kit.loopback import Loopback, running


class SkippingClock:
    """The computer's clock, ahead by what was waited for so far."""

    def __init__(self, skipped: float):
        self.skipped = skipped

    def now(self) -> float:
        return time.time() + self.skipped

    async def sleep(self, seconds: float) -> None:
        self.skipped += seconds
        await asyncio.sleep(0)


def stamped(clock: SkippingClock) -> aiohttp.TraceConfig:
    """Let each request say when it began."""

    async def stamp(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        request: aiohttp.TraceRequestStartParams,
    ) -> None:
        request.headers[CLOCK] = f"{clock.now():.6f}"
        request.headers[SKIPPED] = f"{clock.skipped:.6f}"

    config = aiohttp.TraceConfig()
    config.on_request_start.append(stamp)
    return config


async def main(folder: Path, url: str, skipped: float) -> None:
    clock = SkippingClock(skipped)
    app = await App.open(at(folder))
    app.backfills.pace.clock = clock
    app.follow()
    bot = ThreadBot(app, shard_count=1)
    bot.http.http_trace = stamped(clock)
    loopback = Loopback()
    loopback.url = url
    async with running(loopback, bot):
        print("ready", psutil.Process().memory_info().rss, flush=True)
        while await app.backfills.unfinished():
            await asyncio.sleep(0.1)
    await app.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
