"""Threads and their answers: added, updated in place, read as one guild sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, StoredAnswer, StoredThread
from bot.store import (
    carried,
    change_feed,
    former_keys,
    imported_messages,
    overrides,
    own_threads,
    upsert,
)
from bot.store.acceptances import accepted_by
from bot.store.rows import (
    THREAD,
    ThreadRows,
    answer_of,
    by_thread,
    digest_of,
    insert_rows,
    row_batches,
    thread_of,
    unpack,
)
from bot.store.tables import IN_FORCE, answers, threads
from bot.store.votes import votes_of


class PutOutcome(StrEnum):
    """The result of putting a thread into the library."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Put:
    """The result of putting a batch: one outcome a thread, in order.

    ``added`` are the ids of those that are new, by key. The feed of changes names them, and
    what else is searched otherwise now, up to ``seq``; 0 where there is nothing of that.
    ``ids`` are those of all threads of the batch, and of those that they were merged into.
    """

    outcomes: list[PutOutcome] = field(default_factory=list)
    added: dict[str, int] = field(default_factory=dict)
    seq: int = 0
    ids: list[int] = field(default_factory=list)


async def put(connection: AsyncConnection, scope: int, batch: Sequence[ThreadRows]) -> Put:
    """Add or update threads of one scope by their source keys, in one transaction.

    The keys of a batch must differ. Unchanged content is left alone; answers that
    are gone from the source are retired with their votes; a thread that was retired
    comes back, a guild's version with the guild's votes, and one that was merged into another
    that is retired; the feed of changes names every thread of which something changed that is
    searched. Votes and acceptances that a thread brings are kept: see ``carried.keep``.
    """
    known = await known_by_key(connection, scope, [thread.key for thread in batch])
    batch, original = await former_keys.stored_keys(connection, scope, known, batch), batch
    if batch != original:
        known = await known_by_key(connection, scope, [thread.key for thread in batch])
    merged = [row.id for row in known.values() if row.merged_into is not None]
    chains = await own_threads.parents(connection, merged) if merged else {}
    left = await overrides.leave_retired(connection, scope, chains) if chains else ()
    if left:
        known = await known_by_key(connection, scope, [thread.key for thread in batch])
    same = await _same(connection, known, batch)
    new, changed, source_updates, outcomes = [], dict[int, ThreadRows](), [], []
    for thread, is_same in zip(batch, same, strict=True):
        row = known.get(thread.key)
        if row is None:
            new.append(thread)
            outcomes.append(PutOutcome.ADDED)
        elif row.merged_into is not None:
            outcomes.append(PutOutcome.UNCHANGED)  # another has its answers
        elif row.curated and row.retired_at is None:
            if not is_same:
                await overrides.propose_imported(connection, scope, row.id, unpack(thread))
            outcomes.append(PutOutcome.UNCHANGED)
        elif not is_same or row.retired_at is not None:
            changed[row.id] = thread
            outcomes.append(PutOutcome.UPDATED)
        else:
            fingerprint = thread.fingerprint or row.fingerprint
            if (row.source, row.fingerprint) != (thread.source, fingerprint):
                source_updates.append(
                    {"of": row.id, "source": thread.source, "fingerprint": fingerprint}
                )
            outcomes.append(PutOutcome.UNCHANGED)
    added = await _add(connection, scope, new)
    touched = await upsert.replace(connection, changed) if changed else []
    await upsert.update_rows(connection, threads, source_updates)
    await change_feed.note(connection, [*added.values()], is_new=True)
    await change_feed.note(connection, touched)
    if scope == SHARED:
        await overrides.propose_shared(connection, touched)
    else:
        if back := [r.id for r in known.values() if r.id in changed and r.retired_at is not None]:
            await overrides.come_back(connection, scope, back)
    # Before authors' choices: what these change must be read back, rather than indexed as it came.
    seq = await change_feed.last_change(connection) if added or touched else 0
    # Few batches bring any of this.
    if said := [thread for thread in batch if thread.tallies or thread.accepted_in]:
        await carried.keep(connection, scope, said)
    if posted := [thread for thread in batch if thread.made_of is not None]:
        await imported_messages.note(connection, scope, posted)
    ids = [*added.values(), *(row.id for row in known.values())]
    ids += {parent for i, chain in chains.items() if i not in left for parent in chain}
    return Put(outcomes, added, seq, ids)


async def known_by_key(
    connection: AsyncConnection, scope: int, keys: Sequence[str]
) -> dict[str, Any]:
    """Return the rows of the threads of a scope with these keys, with what tells changes.

    Retired ones are among them.
    """
    t = threads.c
    query = select(t.id, t.key, t.content_hash, t.source, t.fingerprint, t.retired_at)
    query = query.add_columns(t.curated, t.merged_into)
    query = query.where(t.scope == scope, t.key.in_(keys))
    return {row.key: row for row in (await connection.execute(query)).all()}


async def fetch(
    connection: AsyncConnection, ids: Sequence[int], guild_id: int | None
) -> dict[int, StoredThread]:
    """Return the threads that ``guild_id`` may see, by id, with its votes.

    With ``None`` they are of every scope, without votes, for writing or comparing them.
    Retired threads are never among them.
    """
    wanted = select(threads).where(threads.c.id.in_(ids), IN_FORCE)
    if guild_id is not None:
        wanted = wanted.where(threads.c.scope.in_((SHARED, guild_id)))
    rows = [row async for part in row_batches(connection, wanted) for row in part]
    seen = [row.id for row in rows]
    phrasings = await upsert.phrasings_of(connection, seen)
    given = await _answers(connection, seen, guild_id)
    return {row.id: thread_of(row, phrasings[row.id], given[row.id]) for row in rows}


async def index_entries(
    connection: AsyncConnection,
    ids: Sequence[int],
    *,
    max_chars: int | None = None,
    with_retired: bool = False,
) -> dict[int, StoredThread]:
    """Return the threads of any scope with the fields that are searched, by id, in ascending order.

    Leaving everything else out is much quicker where there are many. Of bodies and answers
    ``max_chars`` characters are read, if given.
    """
    t, a = threads.c, answers.c
    in_force = () if with_retired else (IN_FORCE,)

    def text(body: Column[str]) -> ColumnElement[str]:
        return body if max_chars is None else func.substr(body, 1, max_chars).label("body")

    query = select(t.id, t.scope, t.key, t.title, text(t.body), t.tags)
    rows = await connection.execute(query.where(t.id.in_(ids), *in_force).order_by(t.id))
    rows_by_id = {row.id: row._asdict() for row in rows.all()}
    phrasings = await upsert.phrasings_of(connection, [*rows_by_id])
    overridden = await overrides.of_threads(connection, [*rows_by_id])
    bodies = select(a.id, a.thread_id, text(a.body)).order_by(a.thread_id, a.position)
    bodies = bodies.where(a.thread_id.in_(rows_by_id), a.retired.is_(False))
    answers_of = await by_thread(
        connection, bodies, lambda row: StoredAnswer(id=row.id, body=row.body)
    )
    for i, values in rows_by_id.items():
        values |= {
            "tags": tuple(values["tags"]),
            "phrasings": phrasings[i],
            "answers": answers_of[i],
            "overrides": overridden.get(i, ()),
        }
    return {i: StoredThread(**values) for i, values in rows_by_id.items()}


async def id_of(connection: AsyncConnection, key: str, guild_id: int) -> int | None:
    """Return the id of the thread with this key; the guild's own before the shared one."""
    t = threads.c
    seen = (t.key == key, t.scope.in_((SHARED, guild_id)), IN_FORCE)
    query = select(t.id).where(*seen).order_by((t.scope == SHARED).asc())
    return (await connection.execute(query)).scalars().first()


async def titles_of(
    connection: AsyncConnection, keys: Sequence[str], guild_id: int
) -> dict[str, tuple[str, str | None]]:
    """Return titles and URLs by key, of threads that a guild sees; its own before shared ones."""
    t = threads.c
    seen = (t.key.in_(keys), t.scope.in_((SHARED, guild_id)), IN_FORCE)
    query = select(t.key, t.title, t.url).where(*seen).order_by((t.scope == SHARED).desc())
    return {row.key: (row.title, row.url) for row in (await connection.execute(query)).all()}


async def ids_of(
    connection: AsyncConnection,
    scope: int | None,
    after: int,
    limit: int,
    *,
    with_retired: bool = False,
    sources: Collection[str] | None = None,
) -> list[int]:
    """Return the next ``limit`` ids of the threads in force of a scope, or of all, in order.

    With ``sources``, only those from there.
    """
    query = select(threads.c.id).where(threads.c.id > after).order_by(threads.c.id).limit(limit)
    if not with_retired:
        query = query.where(IN_FORCE)
    if scope is not None:
        query = query.where(threads.c.scope == scope)
    if sources is not None:
        query = query.where(threads.c.source.in_(sources))
    return list((await connection.execute(query)).scalars().all())


async def page(
    connection: AsyncConnection, after: int, limit: int, scope: int | None = None
) -> list[StoredThread]:
    """Return the next ``limit`` threads by id, of one scope or of all."""
    ids = await ids_of(connection, scope, after, limit)
    by_id = await fetch(connection, ids, None)
    return [by_id[i] for i in ids]


async def newest(connection: AsyncConnection) -> int:
    """Return the id of the thread that was added last; 0 without any."""
    return (await connection.scalar(select(func.max(threads.c.id)))) or 0


async def _same(
    connection: AsyncConnection, known: Mapping[str, Any], batch: Sequence[ThreadRows]
) -> list[bool]:
    """Return of each thread whether its content is the library's, by their digests.

    Where one of the two has none, because it was a draft, digests of both are made.
    """
    there = [(known.get(thread.key), thread) for thread in batch]
    unsure = [row.id for row, thread in there if row and not (row.content_hash and thread.digest)]
    old = await fetch(connection, unsure, None) if unsure else {}

    def is_same(row: Any, thread: ThreadRows) -> bool:
        if row is None or row.id not in old:
            return row is not None and bool(row.content_hash == thread.digest)
        return digest_of(old[row.id]) == (thread.digest or digest_of(unpack(thread)))

    return [is_same(row, thread) for row, thread in there]


async def _add(
    connection: AsyncConnection, scope: int, new: Sequence[ThreadRows]
) -> dict[str, int]:
    if not new:
        return {}
    before = await newest(connection)
    names = (*THREAD, "scope", "content_hash", "text_version", "fingerprint")
    rows = [(*thread.row, scope, thread.digest, 1, thread.fingerprint) for thread in new]
    await insert_rows(connection, threads, names, rows)
    # Asking for the ids afterwards lets the driver insert the whole batch at once. Asked for
    # the scope as well, SQLite would read all of it, by the index that begins with it.
    query = select(threads.c.scope, threads.c.key, threads.c.id).where(threads.c.id > before)
    query = query.order_by(threads.c.id)
    added = (await connection.execute(query)).all()
    ids = {key: thread_id for of, key, thread_id in added if of == scope}
    answer_rows = [(*answer, ids[thread.key]) for thread in new for answer in thread.answers]
    await upsert.add_answers(connection, answer_rows)
    phrasings_by_id = {ids[thread.key]: thread.phrasings for thread in new if thread.phrasings}
    await upsert.add_phrasings(connection, phrasings_by_id)
    return ids


async def _answers(
    connection: AsyncConnection, ids: Sequence[int], guild_id: int | None
) -> dict[int, tuple[StoredAnswer, ...]]:
    query: Select[Any] = (
        select(answers, votes_of(guild_id), accepted_by(guild_id))
        .where(answers.c.thread_id.in_(ids), answers.c.retired.is_(False))
        .order_by(answers.c.thread_id, answers.c.position)
    )
    return await by_thread(connection, query, answer_of)
