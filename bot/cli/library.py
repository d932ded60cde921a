"""Opening the house for one command, with the seeds in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.cli.console import progress, warn
from bot.services.house import House
from bot.settings import Settings, load_settings

FEW = 500
"""Threads whose vectors one command makes on its way: some seconds' work."""


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[House]:
    """The library of ``settings`` (those in force without any), closed at the end.

    Seeds that changed are loaded first, so that a fresh checkout has something to say;
    where only a few threads have no vectors yet, they get them. Raises ThreadwiseError
    when the settings or the library can't be used.
    """
    house = await House.open(settings or load_settings())
    try:
        await load_seeds(house)
        if house.embedding.waiting <= FEW:
            await make_vectors(house)
        yield house
    finally:
        await house.close()


async def load_seeds(house: House) -> None:
    """Load the seed threads, and name on stderr those that can't be read."""
    with progress("Loading seeds") as advance:
        report = await house.load_seeds(advance)
    for problem in report.rejected:
        warn(str(problem))


async def make_vectors(house: House) -> None:
    """Make the vectors that are missing, with a progress bar; stopped, it goes on later."""
    waiting = house.embedding.waiting
    if waiting:
        with progress("Making vectors", waiting) as advance:
            await house.embedding.make(advance)
