"""Is the library sound, and does the index agree with it? What ``doctor`` asks."""

from __future__ import annotations

from dataclasses import dataclass

from bot.app import App
from bot.store import health
from bot.store.threads import Counts


@dataclass(frozen=True, slots=True)
class Health:
    """How the house is; ``problems`` of the database are empty when it is sound.

    ``indexed`` is the number of threads in the index, ``indexing`` says that another
    program is still adding to them, ``not_indexed`` why they can't be added to, and ``note``
    why it had to be made anew just now, if it had to. ``model`` is the embedding model, or
    ``None`` for the reason ``no_meaning``; ``embedded`` threads have vectors of it.
    """

    revision: str
    problems: tuple[str, ...]
    counts: Counts
    indexed: int
    indexing: bool
    not_indexed: str | None
    note: str | None
    model: str | None
    no_meaning: str | None
    embedded: int


async def examine(app: App) -> Health:
    """Read the whole database and index once; takes seconds for a gigabyte.

    What is damaged of the index is made anew.

    Raises StoreError when it can't be read.
    """
    database, meaning = await health.examine(app.database), app.engine.meaning
    damaged = await app.verify()
    return Health(
        revision=database.revision,
        problems=database.problems,
        counts=await app.library.count(),
        indexed=len(app.engine),
        indexing=app.not_indexed is None and not await app.is_indexed(),
        not_indexed=app.not_indexed,
        note=app.engine.note or "; ".join(damaged) or None,
        model=meaning.model if meaning else None,
        no_meaning=app.no_meaning,
        embedded=meaning.vector_index.threads if meaning else 0,
    )
