"""Importing a dump, measured: the first time, and again when nothing has changed."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from bot.app import App
from bot.services.import_pipeline import ImportReport
from bot.settings import load_settings

MEGABYTE = 2**20

Figures = dict[str, Any]


def imported(dump: Path, data: Path) -> Figures:
    """Import a dump into the library in ``data``; embeddings are left to another time."""
    figures: Figures = {}

    async def run() -> ImportReport:
        settings = load_settings(
            _env_file=None, data_dir=data, database_url="", embedding_model="off"
        )
        app = await App.open(settings)
        try:
            with _measured(figures):
                return await app.library.import_paths([dump])
        finally:
            await app.close()

    report = asyncio.run(run())
    return figures | {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.refused,
    }


@contextmanager
def _measured(figures: Figures) -> Iterator[None]:
    """Seconds by the clock and of processors, and the most memory above that at the start.

    Processes that are started meanwhile count. ``resident`` includes what is mapped of
    files, which the system takes back when it needs to: the index while it is merged.
    """
    watch = _Memory()
    started, cpu = time.perf_counter(), _cpu()
    with watch:
        yield
    figures["seconds"] = time.perf_counter() - started
    figures["cpu_seconds"] = _cpu() - cpu
    figures["memory_mb"] = watch.most / MEGABYTE
    figures["resident_mb"] = watch.most_resident / MEGABYTE


def _cpu() -> float:
    """What this process and those that it has waited for have used, in seconds."""
    return sum(os.times()[:4])


class _Memory:
    """The most memory above that at the start, looked at now and then."""

    def __init__(self) -> None:
        self.most = self.most_resident = 0
        self._process = psutil.Process()
        self._start = self._now()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            own, resident = self._now()
            self.most = max(self.most, own - self._start[0])
            self.most_resident = max(self.most_resident, resident - self._start[1])

    def _now(self) -> tuple[int, int]:
        """What is held by this process and its children: of their own, and with files."""
        own = resident = 0
        for process in (self._process, *self._process.children()):
            with suppress(psutil.NoSuchProcess):
                memory = process.memory_info()
                own += memory.rss - getattr(memory, "shared", 0)
                resident += memory.rss
        return own, resident
