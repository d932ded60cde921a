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
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.models import plain_key
from bot.store.portable_sql import not_printable_ascii
from bot.store.rows import ThreadRows, pack, unpack
from bot.store.tables import threads

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
    in a folder, other files have such keys as well. Where another source's thread has its plain
    key, its own source may have it under another spelling, from before these were one.
    """
    spellings = await _spellings_of(connection, scope)
    wanted: dict[str, list[ThreadRows]] = defaultdict(list)
    for thread in batch:
        for key in _other_keys(thread, known.get(thread.key), spellings):
            wanted[key].append(thread)
    stored: dict[str, str] = {}
    if wanted:
        t, mine = threads.c, {thread.key for thread in batch}
        query = select(t.key, t.source, t.title).where(t.scope == scope, t.key.in_(wanted))
        for row in (await connection.execute(query)).all():
            found = None if row.key in mine else _same_thread(row, wanted[row.key], known)
            if found is not None:
                stored.setdefault(found.key, row.key)
    return [_renamed(thread, stored.get(thread.key)) for thread in batch]


def _other_keys(thread: ThreadRows, row: Any, spellings: dict[str, str]) -> set[str]:
    """Return the keys under which the library may have a thread; ``row`` is what has its own."""
    if row is not None:
        other = spellings.get(thread.key) if row.source != thread.source else None
        return set() if other is None else {other}
    plain = plain_key(thread.key)
    keys = {plain, spellings.get(plain, thread.key)}
    if thread.former_key is not None:
        keys.add(spellings.get(thread.former_key, thread.former_key))
    if plain != thread.key:
        spellings.setdefault(plain, thread.key)
    return keys


async def _spellings_of(connection: AsyncConnection, scope: int) -> dict[str, str]:
    scopes = _spellings.setdefault(connection.engine, {})
    if scope not in scopes:
        t = threads.c
        query = select(t.key).where(t.scope == scope, not_printable_ascii(t.key))
        keys = (await connection.scalars(query.order_by(t.id))).all()
        # In a thread: where keys are not written in ASCII, all of them are looked at.
        scopes[scope] = await asyncio.to_thread(_other_spellings, keys)
    return scopes[scope]


def _other_spellings(keys: Sequence[str]) -> dict[str, str]:
    """Return those of some keys that are not plain by their plain forms, the first of each."""
    forms = ((plain_key(key), key) for key in reversed(keys))
    return {plain: key for plain, key in forms if plain != key}


def _same_thread(
    row: Any, candidates: Sequence[ThreadRows], known: Mapping[str, Any]
) -> ThreadRows | None:
    """Return the candidate that a thread of the library, by its row, is."""
    form = plain_key(row.key)
    same = [thread for thread in candidates if row.source and thread.source == row.source]
    spelt = (
        t for t in candidates if plain_key(t.key) == form and (t.key not in known or t in same)
    )
    named = (thread for thread in same if thread.key == f"{row.source}#{form}")
    titled = (thread for thread in same if unpack(thread).title == row.title)
    return next(chain(spelt, named, titled), None)


def _renamed(thread: ThreadRows, key: str | None) -> ThreadRows:
    if key is None or key == thread.key:
        return thread
    return pack(replace(unpack(thread), key=key), thread.fingerprint)
