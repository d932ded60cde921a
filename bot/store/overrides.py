"""A guild's own versions of shared threads: what stands in for what, and whose votes are where.

While such a version is in force, the shared thread is hidden in its guild, and the guild's votes
are on the version's answers; otherwise they are on the shared ones.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import Action, ThreadState
from bot.models import Answer, Thread
from bot.store import moved_votes, own_threads, revisions, thread_states, upsert
from bot.store.rows import id_batches
from bot.store.tables import IN_FORCE, answers, threads
from bot.store.upsert import Known


async def of_threads(
    connection: AsyncConnection, thread_ids: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """Return the shared threads that threads stand in for, with those merged into them, by id."""
    found: dict[int, list[int]] = defaultdict(list)
    for target, _, shared_id in await _versions(connection, thread_ids):
        found[target].append(shared_id)
    return {thread_id: tuple(sorted(shared)) for thread_id, shared in found.items()}


async def _versions(
    connection: AsyncConnection, thread_ids: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return versions among threads and what was merged into them: (thread, version, shared).

    Merges into merged threads count as well: undoing the later merge gives those back.
    """
    found, t = list[tuple[int, int, int]](), threads.c
    for ids in id_batches(thread_ids):
        first = select(t.id.label("target"), t.id.label("id")).where(t.id.in_(ids))
        merged = first.cte("merged", recursive=True)
        more = select(merged.c.target, t.id).join(merged, t.merged_into == merged.c.id)
        merged = merged.union_all(more)
        query = select(merged.c.target, t.id, t.overrides).join(threads, t.id == merged.c.id)
        rows = await connection.execute(query.where(t.overrides.is_not(None)).order_by(t.id))
        found += [(row[0], row[1], row[2]) for row in rows]
    return found


async def move_votes(connection: AsyncConnection, guild_id: int, thread_ids: Sequence[int]) -> None:
    """Move a guild's votes to its versions of shared threads, or back, as these are in force.

    The versions are those among the threads and among what was merged into them: a merged version
    counts as in force while the thread that it was merged into is.
    """
    for _, version_id, shared_id in await _versions(connection, thread_ids):
        shown_id = await own_threads.shown_id(connection, guild_id, shared_id)
        if shown_id != shared_id:
            here = answers.c.thread_id.in_({version_id, shown_id})
            pairs = await _linked(connection, guild_id, shared_id, here)
            await moved_votes.move(connection, guild_id, pairs)
            await moved_votes.move_phrasings(connection, guild_id, shared_id, shown_id)
            continue
        hidden = answers.c.retired.is_(True) | threads.c.retired_at.is_not(None)
        pairs = await _linked(connection, guild_id, shared_id, hidden)
        await moved_votes.move(connection, guild_id, [(own, shared) for shared, own in pairs])
        # The shared thread may have been deleted for good.
        if await connection.scalar(select(threads.c.id).where(threads.c.id == shared_id)):
            await moved_votes.move_phrasings(connection, guild_id, version_id, shared_id)


async def unmerge(
    connection: AsyncConnection, guild_id: int, kept_id: int, other_ids: Sequence[int]
) -> dict[int, ThreadState]:
    """Give threads that were merged into another what they had before; return their states."""
    these = threads.c.id.in_(other_ids)
    await connection.execute(update(threads).where(these).values(merged_into=None))
    before = await revisions.before_merging(connection, other_ids)
    # All votes before any answers: one that goes back may have votes of another thread's.
    for state in before.values():
        await moved_votes.give_back(connection, guild_id, kept_id, state.answer_ids)
    now = dict[int, ThreadState]()
    for thread_id, state in before.items():
        now[thread_id] = await thread_states.put_in_force(connection, thread_id, state)
        # A version that the merge itself had made is out of force, as before: its votes go back.
        await move_votes(connection, guild_id, [thread_id])
    return now


async def unmerge_all(connection: AsyncConnection, kept_ids: Collection[int]) -> list[int]:
    """Give all threads that were merged into some what they had before; return their ids."""
    rows, t = list[Any](), threads.c
    for ids in id_batches(kept_ids):
        merged = select(t.id, t.scope, t.merged_into).where(t.merged_into.in_(ids))
        rows += (await connection.execute(merged)).all()
    by_kept = defaultdict[tuple[int, int], list[int]](list)
    for row in rows:
        by_kept[row.scope, row.merged_into].append(row.id)
    for (scope, kept_id), other_ids in by_kept.items():
        await unmerge(connection, scope, kept_id, other_ids)
    return [row.id for row in rows]


async def leave_retired(
    connection: AsyncConnection, guild_id: int, chains: Mapping[int, Sequence[int]]
) -> Collection[int]:
    """Take merged threads out of those that have their answers, where these are out of force.

    ``chains`` are the threads with their ``own_threads.parents``. They get their answers and votes
    back and stay retired, for an import to bring them back. Returns which ones that were.
    """
    last = {chain[-1] for chain in chains.values() if chain}
    shown = set[int]()
    for ids in id_batches(last):
        in_force = select(threads.c.id).where(threads.c.id.in_(ids), IN_FORCE)
        shown.update(await connection.scalars(in_force))
    left = {i: chain for i, chain in chains.items() if chain and chain[-1] not in shown}
    # The answers of all of a chain are at its end: what was merged last gets them back first.
    for thread_id, chain in sorted(left.items(), key=lambda pair: len(pair[1])):
        kept_id = next((parent for parent in chain if parent in left), chain[-1])
        await unmerge(connection, guild_id, kept_id, [thread_id])
    now = {"retired_at": time.time_ns() // 1000, "removed": False}
    for ids in id_batches(left):
        await connection.execute(update(threads).where(threads.c.id.in_(ids)).values(now))
    return left.keys()


async def come_back(connection: AsyncConnection, guild_id: int, thread_ids: Sequence[int]) -> None:
    """Have a guild's threads that an import brings back stand alone, with their votes.

    What was merged into them has no part in that. It stays out of force until it is brought too;
    shared threads that it stood in for are shown again.
    """
    merged = threads.c.merged_into.in_(thread_ids)
    parts = (await connection.scalars(select(threads.c.id).where(merged))).all()
    await connection.execute(update(threads).where(merged).values(merged_into=None))
    await move_votes(connection, guild_id, [*thread_ids, *parts])


async def _linked(
    connection: AsyncConnection, guild_id: int, shared_id: int, which: ColumnElement[bool]
) -> list[tuple[int, int]]:
    """Return those answers of a guild that stand in for a shared thread's: (shared, own)."""
    a, original = answers.c, answers.alias()
    query = select(original.c.id, a.id).join(answers, a.overrides == original.c.id)
    query = query.join(threads, threads.c.id == a.thread_id)
    mine = (original.c.thread_id == shared_id, threads.c.scope == guild_id, which)
    rows = await connection.execute(query.where(*mine).order_by(a.retired, a.id))
    return [(row[0], row[1]) for row in rows]


async def link(connection: AsyncConnection, thread_id: int, shared_id: int) -> None:
    """Note which answers stand in for which of a shared thread, as far as that isn't known yet.

    A guild's votes on those go along.
    """
    a = answers.c
    shared = await _unlinked(connection, shared_id, thread_id)
    query = select(a.id, a.key, a.body, threads.c.scope).join(threads)
    mine = (a.thread_id == thread_id, a.overrides.is_(None), a.retired.is_(False))
    new = (await connection.execute(query.where(*mine))).all()
    pairs = upsert.pair(shared, [Answer(key=row.key, body=row.body) for row in new])
    linked = [(row, known) for row, known in zip(new, pairs, strict=True) if known is not None]
    for row, known in linked:
        await connection.execute(update(answers).where(a.id == row.id).values(overrides=known.id))
    if linked:
        await move_votes(connection, linked[0][0].scope, [thread_id])


async def shown_answer(connection: AsyncConnection, guild_id: int, answer_id: int) -> int:
    """Return the answer that a guild is shown in the place of one, or that itself.

    It is that of the guild's version, which may be retired, or the same text in the thread that
    this, or the guild's own thread, was merged into.
    """
    a, t = answers.c, threads.c
    same = (t.scope == guild_id, (a.overrides == answer_id) | (a.id == answer_id))
    query = select(a.id, a.body, a.thread_id, IN_FORCE.label("in_force")).join(threads)
    query = query.where(*same).order_by(IN_FORCE.desc(), a.retired, a.id)
    row = (await connection.execute(query.limit(1))).first()
    if row is None or row.in_force:
        return answer_id if row is None else int(row.id)
    kept_id = await own_threads.own_id(connection, guild_id, row.thread_id)
    shown = select(a.id, a.body).join(threads).where(a.thread_id == kept_id, IN_FORCE)
    shown = shown.where(a.retired.is_(False)).order_by(a.position, a.id)
    others = (await connection.execute(shown)).all()
    alike = (other.id for other in others if folded(other.body) == folded(row.body))
    return int(next(alike, answer_id))


def folded(body: str) -> str:
    """Return what is the same for answers' texts that differ in case and spaces alone."""
    return " ".join(body.casefold().split())


async def own_state(
    connection: AsyncConnection, thread_id: int, shared: ThreadState
) -> ThreadState:
    """Return a state of a shared thread as one of a guild's version of it, by the answers' ids."""
    a = answers.c
    query = select(a.overrides, a.id).where(a.thread_id == thread_id, a.overrides.is_not(None))
    own = {row.overrides: row.id for row in (await connection.execute(query)).all()}
    ids = (None if answer_id is None else own.get(answer_id) for answer_id in shared.answer_ids)
    return replace(shared, answer_ids=tuple(ids), merged=())


async def propose(
    connection: AsyncConnection,
    guild_id: int,
    thread_id: int,
    state: ThreadState,
    *,
    action: Action = Action.IMPORTED,
    shared_ids: Sequence[int | None] = (),
) -> None:
    """Keep what the source of a thread that helpers changed says now, once, for them to take over.

    An older proposal goes. Its new answers are among the thread's from now on, retired, so that
    their authors are known and what these choose holds for them. ``shared_ids`` are the answers of
    a shared thread that the state's stand in for; a guild's votes on those go along.
    """
    digest, has_new = revisions.digest(state.thread), None in state.answer_ids
    if not has_new and await revisions.has(connection, thread_id, digest, proposed=True):
        return
    if await revisions.has(connection, thread_id, digest, proposed=False):
        await revisions.settle(connection, thread_id)  # the source took back what it said
        return
    await revisions.settle(connection, thread_id)
    if has_new:
        originals = shared_ids or (None,) * len(state.answer_ids)
        state = await thread_states.with_ids(connection, thread_id, state, originals)
        await move_votes(connection, guild_id, [thread_id])
    number = await revisions.begin_change(connection)
    await revisions.record(
        connection,
        guild_id,
        thread_id,
        state,
        action=action,
        user_id=0,
        change=number,
        proposed=True,
    )


async def propose_imported(
    connection: AsyncConnection, guild_id: int, thread_id: int, new: Thread
) -> None:
    """Keep what an import brought for a guild's own thread that helpers changed."""
    await propose(
        connection, guild_id, thread_id, await thread_states.paired(connection, thread_id, new)
    )


async def propose_shared(connection: AsyncConnection, shared_ids: Sequence[int]) -> None:
    """Keep what an import made of shared threads for the guilds that have versions of their own."""
    t = threads.c
    for ids in id_batches(shared_ids):
        query = select(t.id, t.scope, t.overrides).where(t.overrides.in_(ids), IN_FORCE)
        for row in (await connection.execute(query)).all():
            shared = await thread_states.present(connection, row.overrides)
            state = await own_state(connection, row.id, shared)
            await propose(connection, row.scope, row.id, state, shared_ids=shared.answer_ids)


async def _unlinked(connection: AsyncConnection, shared_id: int, thread_id: int) -> list[Known]:
    """Return the answers of a shared thread that none of a guild's version stands in for."""
    a = answers.c
    mine = select(a.overrides).where(a.thread_id == thread_id, a.overrides.is_not(None))
    query = select(a.id, a.key, a.body).where(a.thread_id == shared_id, a.id.not_in(mine))
    rows = (await connection.execute(query.where(a.retired.is_(False)).order_by(a.position))).all()
    return [Known(*row) for row in rows]
