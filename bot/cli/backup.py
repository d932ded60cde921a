"""``backup`` and ``restore``: the whole library as one file, and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bot.cli import stopping
from bot.cli.console import note, progress
from bot.plurals import counted
from bot.settings import load_settings
from bot.store import backup
from bot.store.sqlite_copy import Content, Progress

T = TypeVar("T")


def back_up(file: Path) -> None:
    """Copy the library into a file, also while the bot runs. Raises ThreadwiseError."""
    url = load_settings().database
    content = _with_bar(lambda step: backup.back_up(url, file, step))
    note(f"Backed up {_told(content)} to {file}")


def restore(file: Path) -> None:
    """Put a backup in the library's place. Raises ThreadwiseError, and then all is as before."""
    url = load_settings().database
    content, former = _with_bar(lambda step: backup.restore(url, file, step))
    note(f"The library is that of {file} now: {_told(content)}.")
    if former is not None:
        note(f"What was there before is kept as {former}; delete it when you don't need it.")
    note("Index and neighbours are made anew at the next start.")


def _with_bar(work: Callable[[Progress], Awaitable[T]]) -> T:
    async def go() -> T:
        with progress("Copying pages") as advance:
            return await work(advance)

    return stopping.run(go())


def _told(content: Content) -> str:
    threads, answers = counted(content.threads, "threads"), counted(content.answers, "answers")
    return f"{threads}, {answers} and {counted(content.votes, 'votes')}"
