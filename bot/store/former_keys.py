"""Threads that the library has under another key than the one that is brought.

There are two kinds. Ids that differ in outer spaces or invisible characters alone are one;
readers normalise them (``models.plain_key``), but libraries made before may hold other
spellings. And ids in other programs' JSON and tables were keys of their own once; now they are
part of a key with the file's name (``helpdesk#7``), since another file counts from 1 as well,
and their reader names the former key. Either way the thread that is there keeps its key, with
its votes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.models import plain_key
from bot.store.rows import ThreadRows, pack, unpack
from bot.store.tables import threads

_MAY_DIFFER = "*[^!-~]*"
"""A GLOB pattern for keys that may be no plain ones: they hold a space or more than ASCII."""

_spellings: WeakKeyDictionary[AsyncEngine, dict[int, dict[str, str]]] = WeakKeyDictionary()
"""By database and scope, the keys that are not plain, by their plain forms.

They are looked for once: none are added later but those that ``stored_keys`` has seen.
"""


async def stored_keys(
    connection: AsyncConnection, scope: int, known: Mapping[str, Any], batch: Sequence[ThreadRows]
) -> list[ThreadRows]:
    """Return the batch, each thread with the key under which the library has it.

    ``known`` are the rows that the library has under the batch's keys as they are. A thread is
    found under another spelling of its key; or under its former key if it is from the same
    source, and either that is the file whose name begins the new key, or its title is the same:
    in a folder, other files have such keys as well.
    """
    spellings = await _spellings_of(connection, scope)
    stored = await _own_spellings(connection, scope, known, batch, spellings)
    new = [thread for thread in batch if thread.key not in known]
    if new:
        stored |= await _found_keys(connection, scope, new, batch, spellings)
    return [_renamed(thread, stored.get(thread.key)) for thread in batch]


async def _own_spellings(
    connection: AsyncConnection,
    scope: int,
    known: Mapping[str, Any],
    batch: Sequence[ThreadRows],
    spellings: Mapping[str, str],
) -> dict[str, str]:
    """Return the stored keys of threads whose plain key belongs to another source's thread.

    Such a thread is under another spelling, from before these were one, if its own source has
    it there.
    """
    foreign = {
        spellings[thread.key]: thread
        for thread in batch
        if thread.key in spellings
        and (row := known.get(thread.key)) is not None
        and row.source != thread.source
    }
    if not foreign:
        return {}
    t = threads.c
    query = select(t.key, t.source).where(t.scope == scope, t.key.in_(foreign))
    rows = (await connection.execute(query)).all()
    return {foreign[r.key].key: r.key for r in rows if r.source == foreign[r.key].source}


async def _found_keys(
    connection: AsyncConnection,
    scope: int,
    new: Sequence[ThreadRows],
    batch: Sequence[ThreadRows],
    spellings: dict[str, str],
) -> dict[str, str]:
    """Return the stored keys of those of the ``new`` threads that the library has, by their own."""
    mine = {thread.key for thread in batch}
    wanted: dict[str, list[ThreadRows]] = defaultdict(list)
    for thread in new:
        plain = plain_key(thread.key)
        if plain != thread.key:
            wanted[plain].append(thread)
        wanted[spellings.get(plain, thread.key)].append(thread)
        if thread.former_key is not None:
            wanted[spellings.get(thread.former_key, thread.former_key)].append(thread)
        if plain != thread.key:
            spellings.setdefault(plain, thread.key)
    t = threads.c
    query = select(t.key, t.source, t.title).where(t.scope == scope, t.key.in_(wanted))
    stored: dict[str, str] = {}
    for row in (await connection.execute(query)).all():
        if row.key in mine:
            continue
        found = _same_thread(row.key, row.source, row.title, wanted[row.key])
        if found is not None:
            stored.setdefault(found.key, row.key)
    return stored


async def _spellings_of(connection: AsyncConnection, scope: int) -> dict[str, str]:
    scopes = _spellings.setdefault(connection.engine, {})
    if scope not in scopes:
        t = threads.c
        query = select(t.key).where(t.scope == scope, t.key.op("GLOB")(_MAY_DIFFER))
        keys = (await connection.scalars(query.order_by(t.id))).all()
        # In a thread: where keys are not written in ASCII, all of them are looked at.
        scopes[scope] = await asyncio.to_thread(_other_spellings, keys)
    return scopes[scope]


def _other_spellings(keys: Sequence[str]) -> dict[str, str]:
    """Return those of some keys that are not plain by their plain forms, the first of each."""
    forms = ((plain_key(key), key) for key in reversed(keys))
    return {plain: key for plain, key in forms if plain != key}


def _same_thread(
    key: str, source: str | None, title: str, candidates: Sequence[ThreadRows]
) -> ThreadRows | None:
    """Return the candidate that a thread of the library is."""
    form = plain_key(key)
    for thread in candidates:
        if plain_key(thread.key) == form:
            return thread
    same = [thread for thread in candidates if source and thread.source == source]
    named = (thread for thread in same if thread.key == f"{source}#{form}")
    titled = (thread for thread in same if unpack(thread).title == title)
    return next(named, None) or next(titled, None)


def _renamed(thread: ThreadRows, key: str | None) -> ThreadRows:
    if key is None or key == thread.key:
        return thread
    return pack(replace(unpack(thread), key=key), thread.fingerprint)
