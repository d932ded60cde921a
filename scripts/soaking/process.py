"""The bot's process: opened, restarted, killed; and what it has said in its log."""

from __future__ import annotations

import gc
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakSet

import aiosqlite

from bot.app import App
from bot.client import ThreadBot
from bot.errors import ThreadwiseError
from bot.retry import FAILURES
from bot.services import leases
from bot.settings import Settings
from tests.kit.virtual_time import VirtualEnv


class Log(logging.Handler):
    """Collects what the bot logs as errors, and counts its warnings.

    While ``excused``, errors that a fault of ours explains are counted only.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[str] = []
        self.warnings = self.expected = 0
        self.excused = False

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a line."""
        if record.levelno < logging.ERROR:
            self.warnings += 1
            return
        cause = record.exc_info[1] if record.exc_info else None
        is_torn = record.name.startswith("sqlalchemy.pool")  # what a kill cancels
        if self.excused and (cause is None or is_torn or is_expected(cause)):
            self.expected += 1
            return
        said = f"log: {record.name}: {record.getMessage()}"
        self.errors.append(said + (f" ({cause!r})" if cause else ""))

    def take(self) -> list[str]:
        """Return the errors since the last time."""
        errors, self.errors = self.errors, []
        return errors


def is_expected(error: BaseException | None) -> bool:
    """Return whether an error is what Discord or a database that fails makes of a request."""
    while error is not None:
        if isinstance(error, (*FAILURES, ThreadwiseError, sqlite3.Error)):
            return True
        error = getattr(error, "original", None) or error.__cause__
    return False


def is_refusal(error: BaseException) -> bool:
    """Return whether an error only tells a member why something isn't done."""
    return isinstance(getattr(error, "original", error), ThreadwiseError)


@dataclass
class Process:
    """The bot on the simulated Discord, in a data folder; ``starts`` counts both kinds."""

    folder: Path
    model: str
    connections: WeakSet[aiosqlite.Connection]
    log: Log = field(default_factory=Log)
    starts: int = 0
    kills: int = 0
    app: App = field(init=False)
    env: VirtualEnv = field(init=False)

    @property
    def data(self) -> Path:
        """Return the data folder: another one after each kill."""
        return self.folder / f"data{self.kills}"

    @property
    def database(self) -> Path:
        """Return the database."""
        return self.data / "threadwise.db"

    async def begin(self) -> None:
        """Start for the first time."""
        logging.getLogger().addHandler(self.log)
        self.app = await self._open()
        self.env = VirtualEnv(self._bot())
        await self.env.start()
        self._follow()

    async def end(self) -> None:
        """Stop, and close the library."""
        await self.env.shutdown()
        await self.app.close()
        logging.getLogger().removeHandler(self.log)

    async def stop(self) -> None:
        """End as a host ends the bot; ``resume`` goes on."""
        await self.env.settle()
        with self.env.bot_scope():
            await self.env.bot.close()
            await self.app.close()
        await self.env.detach()

    async def kill(self) -> None:
        """End as by SIGKILL: only what was on the disk at this moment is left.

        No commit comes in between while it is copied: the database is used in this thread.
        """
        old, app = self.data, self.app
        with self.log_excused():
            self.kills += 1
            shutil.copytree(old, self.data, ignore=shutil.ignore_patterns("*.db-shm"))
            self.env.inject_error("*", "*", status=503, times=None)
            await self.env.detach()
            self.env.backend.faults.clear()
            await app.close()
            leases._OURS.discard(app.leases._holder)  # as if its process were gone
            gc.collect()
        shutil.rmtree(old)

    async def resume(self) -> None:
        """Start again on what is there."""
        with self.env.bot_scope():
            self.app = await self._open()
        await self.env.restart_bot(self._bot())
        self._follow()
        await self.env.settle()

    @contextmanager
    def log_excused(self) -> Iterator[None]:
        """Expect errors in the log that a fault of ours explains."""
        before, self.log.excused = self.log.excused, True
        try:
            yield
        finally:
            self.log.excused = before

    async def _open(self) -> App:
        self.starts += 1
        self.data.mkdir(parents=True, exist_ok=True)
        model = self.model
        return await App.open(
            Settings(data_dir=self.data, embedding_model=model, seeds_dir=None, _env_file=None)
        )

    def _bot(self) -> ThreadBot:
        return ThreadBot(self.app, shard_count=1)

    def _follow(self) -> None:
        with self.env.bot_scope():
            self.app.follow()
