"""Histories of a guild's threads: read for exports, and taken in from them.

Ids of an export are those of the library that it is from; ``Taken`` says what they are here.

An import takes several transactions. Until the last one its revisions have the negative of the
guild's id, so that nobody is shown them; those that a killed import left are deleted by the next.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import KeptHistory, Revision, ThreadState
from bot.errors import StoreError
from bot.models import SHARED, Answer, Thread
from bot.store import change_feed, overrides, revisions, thread_states, threads
from bot.store.curation_tables import revisions as table
from bot.store.facts import drop_fact, fact, set_fact
from bot.store.rows import columns, pack
from bot.store.tables import answers
from bot.store.tables import threads as thread_table

_TAKING = "histories:{}"
"""The fact that a guild's histories are being taken in: its name, with the import's id as value."""


@dataclass
class Taken:
    """The ids here of what an export names by its own ids, and what has come of it.

    ``keys`` are those of the threads, ``out`` the ids of answers that are not shown. ``left`` are
    threads that have a history here, or other answers than the export.
    """

    threads: dict[int, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    changes: dict[int, int] = field(default_factory=lambda: {0: 0})
    names: dict[int, KeptHistory] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    out: set[int] = field(default_factory=set)
    newest: dict[int, ThreadState] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)
    newest_change: int = 0
    states: int = 0
    import_id: str = field(default_factory=lambda: uuid.uuid4().hex)


async def named(
    connection: AsyncConnection, guild_id: int, after: int, limit: int
) -> list[KeptHistory]:
    """Return the next of a guild's threads by id that have a history; none that was removed."""
    t, shared = thread_table.c, thread_table.alias()
    query = select(t.id, t.key, t.title, t.merged_into, shared.c.key.label("shared"))
    query = query.outerjoin(shared, shared.c.id == t.overrides)
    states = (table.c.thread_id == t.id, table.c.guild_id == guild_id)
    kept = select(table.c.id).where(*states).exists()
    mine = (t.scope == guild_id, t.removed.is_(False), t.id > after)
    rows = (await connection.execute(query.where(*mine, kept).order_by(t.id).limit(limit))).all()
    found = list[KeptHistory]()
    for row in rows:
        state = await thread_states.present(connection, row.id)
        found.append(
            KeptHistory(
                thread_id=row.id,
                key=row.key,
                title=row.title,
                answer_ids=tuple(i for i in state.answer_ids if i is not None),
                merged_into=row.merged_into,
                overrides=row.shared,
            )
        )
    return found


async def page(
    connection: AsyncConnection, guild_id: int, after: int, limit: int
) -> list[Revision]:
    """Return the next of a guild's revisions by id; none of threads that were removed."""
    query = select(table).join(thread_table, thread_table.c.id == table.c.thread_id)
    mine = (table.c.guild_id == guild_id, table.c.id > after, thread_table.c.removed.is_(False))
    rows = await connection.execute(query.where(*mine).order_by(table.c.id).limit(limit))
    return [revisions.of_row(row) for row in rows.all()]


async def begin(connection: AsyncConnection, guild_id: int, taken: Taken) -> None:
    """Begin to take histories in; delete the revisions that a killed import left."""
    await connection.execute(delete(table).where(table.c.guild_id == -guild_id))
    await set_fact(connection, _TAKING.format(guild_id), taken.import_id)


async def check_is_latest(connection: AsyncConnection, guild_id: int, taken: Taken) -> None:
    """Raise StoreError if another import of the guild's histories began after this one."""
    if await fact(connection, _TAKING.format(guild_id)) != taken.import_id:
        raise StoreError(
            "another import began to take in the histories of the same server, or the server was "
            "forgotten; when that is done, the same command takes in what is missing"
        )


async def take_name(
    connection: AsyncConnection, guild_id: int, one: KeptHistory, taken: Taken
) -> None:
    """Find a thread of an export here; it is added, retired, if it isn't there.

    One that is named a second time is left as it is.
    """
    if one.thread_id in taken.names or one.key in taken.keys:
        taken.left.add(one.thread_id)
        return
    same = (thread_table.c.scope == guild_id, thread_table.c.key == one.key)
    thread_id = await connection.scalar(select(thread_table.c.id).where(*same))
    if thread_id is None and not one.answer_ids:
        put = await threads.put(connection, guild_id, [pack(Thread(key=one.key, title=one.title))])
        thread_id = put.added[one.key]
        this = update(thread_table).where(thread_table.c.id == thread_id)
        await connection.execute(this.values(retired_at=time.time_ns() // 1000))
    if thread_id is None:
        taken.left.add(one.thread_id)
        return
    there = await thread_states.present(connection, thread_id)
    has_history = await revisions.newest_id(connection, thread_id) != 0
    if has_history or len(there.answer_ids) != len(one.answer_ids):
        taken.left.add(one.thread_id)
        return
    taken.threads[one.thread_id], taken.names[one.thread_id] = thread_id, one
    taken.keys.add(one.key)
    here = (i for i in there.answer_ids if i is not None)
    taken.answers.update(zip(one.answer_ids, here, strict=True))


async def take_state(
    connection: AsyncConnection, guild_id: int, one: Revision, taken: Taken
) -> None:
    """Keep a state of an export, in the order in which they come."""
    thread_id = taken.threads.get(one.thread_id)
    if thread_id is None:  # it is left, or has no name in the file
        taken.left.add(one.thread_id)
        return
    state = await _with_ids(connection, thread_id, one.state, taken)
    if one.change not in taken.changes:
        taken.newest_change = max(await revisions.begin_change(connection), taken.newest_change + 1)
        taken.changes[one.change] = taken.newest_change
    await revisions.record(
        connection,
        -guild_id,
        thread_id,
        state,
        action=one.action,
        user_id=0,
        change=taken.changes[one.change],
        proposed=one.is_proposed,
        made_at=one.made_at,
    )
    taken.states += 1
    if not one.is_proposed:
        taken.newest[one.thread_id] = state


async def finish(connection: AsyncConnection, guild_id: int, taken: Taken) -> None:
    """Make the threads what they were: changed by helpers, merged, versions of shared ones.

    Those that helpers have changed since the import began stay as they are.
    """
    await _leave_changed(connection, guild_id, taken)
    pending = update(table).where(table.c.guild_id == -guild_id)
    await connection.execute(pending.values(guild_id=guild_id))
    await drop_fact(connection, _TAKING.format(guild_id))
    for number, thread_id in taken.threads.items():
        one, newest = taken.names[number], taken.newest.get(number)
        if newest is None:  # the file is cut off
            continue
        values: dict[str, object] = {"curated": True}
        if newest.retired:
            values |= columns(replace(newest.thread, key=one.key)) | {"content_hash": ""}
            values |= {"retired_at": time.time_ns() // 1000}
            values |= {"merged_into": _target(taken, number)}
        shared_id = None
        if one.overrides is not None:
            shared_id = await threads.id_of(connection, one.overrides, SHARED)
            values["overrides"] = shared_id
        this = update(thread_table).where(thread_table.c.id == thread_id)
        await connection.execute(this.values(values))
        if shared_id is not None:
            await overrides.link(connection, thread_id, shared_id)
    await change_feed.note(connection, [*taken.threads.values()])


async def _leave_changed(connection: AsyncConnection, guild_id: int, taken: Taken) -> None:
    """Take what is of threads away that have a history by now."""
    changed = select(table.c.thread_id).where(
        table.c.guild_id == guild_id, table.c.proposed.is_(False)
    )
    ids = {*(await connection.scalars(changed.distinct()))}
    for number in [n for n, thread_id in taken.threads.items() if thread_id in ids]:
        thread_id = taken.threads.pop(number)
        these = (table.c.guild_id == -guild_id, table.c.thread_id == thread_id)
        taken.states -= (await connection.execute(delete(table).where(*these))).rowcount
        taken.left.add(number)


def _target(taken: Taken, number: int) -> int | None:
    """Return the thread that one was merged into; ``None`` where that leads to itself again."""
    passed, last = {number}, taken.names[number].merged_into
    while last in taken.names:
        if last in passed:
            return None
        passed.add(last)
        last = taken.names[last].merged_into
    return taken.threads.get(taken.names[number].merged_into or 0)


async def _with_ids(
    connection: AsyncConnection, thread_id: int, state: ThreadState, taken: Taken
) -> ThreadState:
    """Return a state with the ids that its answers have here; unknown ones are added, retired."""
    for answer, number in state.pairs:
        if number is not None and number not in taken.answers:
            mine = await _retired_answer(connection, thread_id, answer, taken.out)
            taken.answers[number] = mine
            taken.out.add(mine)
    ids = (None if number is None else taken.answers[number] for number in state.answer_ids)
    merged = (taken.threads[number] for number in state.merged if number in taken.threads)
    return replace(state, answer_ids=tuple(ids), merged=tuple(sorted(merged)))


async def _retired_answer(
    connection: AsyncConnection, thread_id: int, answer: Answer, known: Collection[int]
) -> int:
    """Return the id of an answer that only older states have; it is added, retired, if need be.

    It is there already if a killed import, or this thread's source, left it. It is none of those
    that are known: they are other answers.
    """
    a = answers.c
    same = (a.thread_id == thread_id, a.body == answer.body, a.key.is_not_distinct_from(answer.key))
    query = select(a.id).where(*same, a.retired.is_(True)).order_by(a.id)
    for answer_id in await connection.scalars(query):
        if answer_id not in known:
            return int(answer_id)
    return await thread_states.add_retired(connection, thread_id, answer)
