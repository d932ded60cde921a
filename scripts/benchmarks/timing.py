"""Times, memory and disk, measured alike for everybody."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from pathlib import Path
from statistics import median
from typing import TypeVar

import psutil

from bot.evaluation.metrics import percentile

WARMING = 10
"""Calls that are not counted, as long as they take little of the time."""

MEGABYTE = 2**20

T = TypeVar("T")


async def timed(
    call: Callable[[str], Awaitable[T]], texts: list[str], seconds: float
) -> tuple[dict[str, float], list[T]]:
    """Median and 99th percentile in ms of one call at a time, as many as fit the time.

    ``n`` says how many were counted: one at least. Also what the calls gave.
    """
    ends = time.perf_counter() + seconds / 10
    for text in texts[:WARMING]:
        if time.perf_counter() < ends:
            await call(text)
    times: list[float] = []
    given: list[T] = []
    while len(times) < len(texts) and sum(times) < seconds * 1000:
        started = time.perf_counter()
        given.append(await call(texts[len(times)]))
        times.append((time.perf_counter() - started) * 1000)
    return {"median": median(times), "p99": percentile(times, 99), "n": len(times)}, given


def found(given: Iterable[Collection[int]], meant: Iterable[int]) -> float:
    """For which share of the questions the thread that was meant is among those given."""
    right = [number in numbers for numbers, number in zip(given, meant, strict=False)]
    return sum(right) / len(right)


def memory_mb() -> float:
    """What this process holds of the machine's memory."""
    return psutil.Process().memory_info().rss / MEGABYTE


def disk_mb(*paths: Path) -> float:
    """What files and folders take, with all that is in them."""
    files = [f for path in paths for f in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file()) / MEGABYTE
