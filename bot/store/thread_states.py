"""States of threads: read, and put in force again.

Answers are never deleted here, but retired: with an older state they come back, with their
votes. An answer of another thread that is in a state moves from there, with what points to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import ThreadState
from bot.models import Answer, Thread
from bot.store import change_feed, upsert
from bot.store.rows import (
    answer_columns,
    answer_fields,
    columns,
    digest_of,
    id_batches,
    thread_fields,
)
from bot.store.tables import acceptances, answers, postings, threads


async def read(connection: AsyncConnection, thread_id: int) -> ThreadState | None:
    """Return the state of a thread, retired or not; ``None`` if there is no such thread."""
    row = (await connection.execute(select(threads).where(threads.c.id == thread_id))).first()
    if row is None:
        return None
    texts = await upsert.phrasings_of(connection, [thread_id])
    shown = (answers.c.thread_id == thread_id, answers.c.retired.is_(False))
    query = select(answers).where(*shown).order_by(answers.c.position, answers.c.id)
    given = (await connection.execute(query)).all()
    merged = select(threads.c.id).where(threads.c.merged_into == thread_id).order_by(threads.c.id)
    return ThreadState(
        thread=Thread(
            **thread_fields(row._asdict()),
            phrasings=texts[thread_id],
            answers=tuple(Answer(**answer_fields(a._asdict())) for a in given),
        ),
        answer_ids=tuple(a.id for a in given),
        retired=row.retired_at is not None,
        merged=tuple((await connection.scalars(merged)).all()),
    )


async def present(connection: AsyncConnection, thread_id: int) -> ThreadState:
    """Return the state of a thread that was found just now."""
    state = await read(connection, thread_id)
    assert state is not None, "a thread that was just found"
    return state


async def paired(connection: AsyncConnection, thread_id: int, new: Thread) -> ThreadState:
    """Return the state that a new text makes of a thread, its answers matched by key or text.

    Retired answers are among those that may come back. Messages of Discord are none of the answers
    without a key, however alike: helpers wrote these.
    """
    known = (await upsert.known_answers(connection, [thread_id]))[thread_id]
    if new.made_of is not None:
        known = tuple(answer for answer in known if answer.key is not None)
    return await asyncio.to_thread(upsert.state_of, new, known)


async def with_ids(
    connection: AsyncConnection,
    thread_id: int,
    state: ThreadState,
    shared_ids: Sequence[int | None],
) -> ThreadState:
    """Return a state with the ids of all its answers; new ones are added to the thread, retired.

    ``shared_ids`` are the answers of a shared thread that they stand in for, in their order.
    """
    ids = [
        await add_retired(connection, thread_id, answer, shared_id) if i is None else i
        for (answer, i), shared_id in zip(state.pairs, shared_ids, strict=True)
    ]
    return replace(state, answer_ids=tuple(ids))


async def add_retired(
    connection: AsyncConnection, thread_id: int, answer: Answer, shared_id: int | None = None
) -> int:
    """Add an answer to a thread that only states of it have which aren't in force; return its id.

    ``shared_id`` is the answer of a shared thread that it stands in for.
    """
    values = answer_columns(answer, 0) | {"thread_id": thread_id, "retired": True}
    values["overrides"] = shared_id
    added = insert(answers).values(values).returning(answers.c.id)
    return int(await connection.scalar(added) or 0)


async def put_in_force(
    connection: AsyncConnection, thread_id: int, state: ThreadState
) -> ThreadState:
    """Make a thread what a state says; return the state with the ids of all its answers.

    Its key stays, and an import is not to replace it any more. The threads merged into it are the
    caller's business. Answers that were deleted since stay so.
    """
    state = await _without_deleted(connection, state)
    await upsert.put_texts(connection, {thread_id: state})
    given = await _ids_by_position(connection, thread_id)
    await _take_along(connection, thread_id, given)
    key = await connection.scalar(select(threads.c.key).where(threads.c.id == thread_id))
    thread = replace(state.thread, key=str(key))
    values = columns(thread) | {
        "content_hash": digest_of(thread),
        "fingerprint": None,
        "text_version": threads.c.text_version + 1,
        "retired_at": time.time_ns() // 1000 if state.retired else None,
        "removed": False,
        "merged_into": None,
        "curated": True,
    }
    await connection.execute(update(threads).where(threads.c.id == thread_id).values(values))
    await change_feed.note(connection, [thread_id])
    return replace(state, thread=thread, answer_ids=tuple(given))


async def _without_deleted(connection: AsyncConnection, state: ThreadState) -> ThreadState:
    """Return a state without the answers that are deleted, as their authors or moderators want."""
    known = [i for i in state.answer_ids if i is not None]
    there = set[int | None]({None})
    for ids in id_batches(known):
        there.update(await connection.scalars(select(answers.c.id).where(answers.c.id.in_(ids))))
    return state.with_pairs(pair for pair in state.pairs if pair[1] in there)


async def _ids_by_position(connection: AsyncConnection, thread_id: int) -> list[int]:
    shown = (answers.c.thread_id == thread_id, answers.c.retired.is_(False))
    query = select(answers.c.id).where(*shown).order_by(answers.c.position, answers.c.id)
    return list((await connection.scalars(query)).all())


async def _take_along(
    connection: AsyncConnection, thread_id: int, answer_ids: Sequence[int]
) -> None:
    """Have postings and acceptances of answers that moved to a thread say so.

    A thread's own acceptance goes before one that comes along.
    """
    for table in (postings, acceptances):
        moved = (table.c.answer_id.in_(answer_ids), table.c.thread_id != thread_id)
        if table is acceptances:
            there = acceptances.alias()
            same = (there.c.guild_id == table.c.guild_id, there.c.thread_id == thread_id)
            await connection.execute(delete(table).where(*moved, exists(select(1).where(*same))))
        await connection.execute(update(table).where(*moved).values(thread_id=thread_id))
