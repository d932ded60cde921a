"""Measurement of an event loop's lag, beyond that of an idle loop in the same seconds.

The idle one is in a second process: whatever else keeps the machine busy delays both, and
only what is more is ours.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.watchdog import Stall, Watchdog
from tests.kit.paths import ROOT

ROOM = 0.5
"""Seconds that a loop may be later than the idle one, on a machine that others keep busy."""

PAUSE = 0.01
"""Seconds between two signs of life."""

Waits = list[tuple[float, float]]
"""When a sign of life was asked for, and when it came (``time.monotonic``, as for all)."""


class Pulse:
    """Asks a loop for signs of life in a thread of its own, and notes when they come."""

    def __init__(self) -> None:
        self.waits: Waits = []
        self._loop = asyncio.get_running_loop()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="pulse", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        while not self._ended.wait(PAUSE):
            asked, came = time.monotonic(), threading.Event()
            self._loop.call_soon_threadsafe(came.set)
            came.wait()
            self.waits.append((asked, time.monotonic()))

    async def end(self) -> Waits:
        """Ask no more."""
        self._ended.set()
        await asyncio.to_thread(self._thread.join)
        return self.waits


@dataclass
class Lag:
    """A measured lag in ``seconds``, and what ``held`` the loop as far as is known."""

    seconds: float = 0.0
    held: list[Stall] = field(default_factory=list)

    def __str__(self) -> str:
        longest = sorted(self.held, key=lambda hold: -hold.seconds)[:5]
        by = ", ".join(f"{hold.seconds:.2f} s by {hold.place}" for hold in longest)
        return f"{self.seconds:.2f} s; held for {by}" if by else f"{self.seconds:.2f} s"


@asynccontextmanager
async def measured_lag() -> AsyncIterator[Lag]:
    """Measure the lag of this loop during the block; it is known when that has ended."""
    idle = await asyncio.to_thread(_start)
    lag, pulse = Lag(), Pulse()
    try:
        with Watchdog(report=lag.held.append):
            yield lag
            waits = await pulse.end()
    finally:
        await pulse.end()
        said, _ = await asyncio.to_thread(idle.communicate)
    lag.seconds = beyond(waits, [(a, b) for a, b in json.loads(said)])


def beyond(waits: Waits, idle: Waits) -> float:
    """The longest wait, less the longest that the idle loop had while it lasted."""

    def also(asked: float, came: float) -> float:
        return max((b - a for a, b in idle if a < came and b > asked), default=0.0)

    long = [(asked, came) for asked, came in waits if came - asked > 2 * PAUSE]
    return max((came - asked - also(asked, came) for asked, came in long), default=0.0)


def _start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.kit.loop_lag"]
    pipe = subprocess.PIPE
    idle = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert idle.stdout is not None
    assert idle.stdout.readline() == "ready\n"
    return idle


async def _be_idle() -> Waits:
    """Do nothing until the input ends."""
    pulse = Pulse()
    await asyncio.sleep(0.05)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    return await pulse.end()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_be_idle())))
