"""Making a scope's text index anew from the store, without the feed of changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bot.models import Entry
from bot.search.documents import indexed
from bot.search.index import Writing
from bot.services.steps import in_thread
from bot.store import scopes, threads
from bot.store.database import Database

BATCH = 500
"""Threads that are read from the store and indexed at a time."""

COMPACTED = 2_000
"""Threads up to which a scope's index is made anew when some of them were replaced."""

log = logging.getLogger(__name__)


async def put_all(database: Database, writing: Writing, scope: int) -> None:
    """Index all threads of a scope."""
    last = 0
    while True:
        async with database.read() as connection:
            ids = await scopes.ids_of(connection, scope, last, BATCH)
            read = await threads.index_entries(connection, ids) if ids else {}
        if not ids:
            return
        last = ids[-1]
        await in_thread(_put, writing, [read[i] for i in ids if i in read])


async def compact(database: Database, writing: Writing) -> None:
    """Index scopes of a few threads anew in which some were replaced or taken out.

    Those are counted in the statistics until tantivy merges, which nobody can foresee.
    """
    for scope, count in (await in_thread(writing.replaced)).items():
        if count <= COMPACTED:
            await in_thread(writing.clear, scope)
            await put_all(database, writing, scope)


async def start_over(database: Database, writing: Writing) -> None:
    """An older copy of the database was put back: take out what only the newer one had."""
    log.warning("the search index is made anew: the library is an older copy")
    async with database.read() as connection:
        newest = await threads.newest(connection)
        elsewhere = await scopes.not_shared(connection)
    await in_thread(writing.start_over, newest, elsewhere)


def _put(writing: Writing, entries: Iterable[Entry]) -> None:
    writing.put(map(indexed, entries))
