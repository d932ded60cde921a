"""Opening the house for one command, with the seeds in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app import App
from bot.cli.console import progress, warn
from bot.settings import Settings, load_settings

FEW = 500
"""Threads whose vectors one command makes on its way: some seconds' work."""


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[App]:
    """The library of ``settings`` (those in force without any), closed at the end.

    Seeds that changed are loaded first, so that a fresh checkout has something to say;
    where only a few threads have no vectors yet, they get them. Raises ThreadwiseError
    when the settings or the library can't be used.
    """
    app = await App.open(settings or load_settings())
    try:
        await load_seeds(app)
        if app.embedding.waiting <= FEW:
            await make_vectors(app)
        yield app
    finally:
        await app.close()


async def load_seeds(app: App) -> None:
    """Load the seed threads, and name on stderr those that can't be read."""
    with progress("Loading seeds") as advance:
        report = await app.load_seeds(advance)
    for problem in report.rejected:
        warn(str(problem))


async def make_vectors(app: App) -> None:
    """Make the vectors that are missing, with a progress bar; stopped, it goes on later."""
    waiting = app.embedding.waiting
    if waiting:
        with progress("Making vectors", waiting) as advance:
            await app.embedding.make(advance)
