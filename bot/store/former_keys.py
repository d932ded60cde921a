"""Threads that an older version of the program knew by another key.

Ids in other programs' JSON and tables were keys of their own once; now they are part of a key
with the file's name (``helpdesk#7``), since another file counts from 1 as well. A thread that
is there under the bare id keeps it, with its votes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.serialization import ThreadRows, pack, unpack
from bot.store.tables import threads


def bare_id(key: str) -> str:
    """The id within a key that begins with a file's name; empty if there is none."""
    return key.partition("#")[2]


async def kept(
    connection: AsyncConnection, scope: int, known: Mapping[str, Any], batch: Sequence[ThreadRows]
) -> list[ThreadRows]:
    """The batch, with the former keys of threads that the library has under those.

    Such a thread is from the same source, and either that is the file whose name begins the
    new key, or its title is the same: in a folder, other files have bare keys as well.
    """
    mine = {thread.key for thread in batch}
    wanted: dict[str, list[ThreadRows]] = defaultdict(list)
    for thread in batch:
        former = bare_id(thread.key)
        if former and thread.key not in known and thread.source is not None and former not in mine:
            wanted[former].append(thread)
    if not wanted:
        return [*batch]
    t = threads.c
    query = select(t.key, t.source, t.title).where(t.scope == scope, t.key.in_(wanted))
    former_of: dict[str, str] = {}
    for row in (await connection.execute(query)).all():
        same = [thread for thread in wanted[row.key] if thread.source == row.source]
        named = [thread for thread in same if thread.key == f"{row.source}#{row.key}"]
        found = named or [thread for thread in same if unpack(thread).title == row.title]
        if found:
            former_of[found[0].key] = row.key
    return [_named(thread, former_of.get(thread.key)) for thread in batch]


def _named(thread: ThreadRows, key: str | None) -> ThreadRows:
    if key is None:
        return thread
    return pack(replace(unpack(thread), key=key), thread.fingerprint)
