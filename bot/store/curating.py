"""Changes that helpers make to a guild's own threads; each keeps what was before.

Every function runs inside the caller's transaction. But for ``own_version`` and ``override``
they are given ids of the guild's own threads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import Action, AnswerPair, Revision, ThreadState
from bot.models import MAX_PHRASINGS, SHARED, Thread
from bot.store import moved_votes, overrides, own_threads, revisions, thread_states, threads
from bot.store.rows import pack
from bot.store.tables import threads as table


@dataclass(frozen=True, slots=True)
class Change:
    """A change in the making: its guild, what it is, who makes it, and its number."""

    guild_id: int
    action: Action
    user_id: int
    number: int

    @classmethod
    async def begin(
        cls, connection: AsyncConnection, guild_id: int, action: Action, user_id: int
    ) -> Change:
        """Return a change with a number that no other has."""
        return cls(guild_id, action, user_id, await revisions.begin_change(connection))

    async def record(self, connection: AsyncConnection, thread_id: int, state: ThreadState) -> None:
        """Keep a state that the change made."""
        await revisions.record(
            connection,
            self.guild_id,
            thread_id,
            state,
            action=self.action,
            user_id=self.user_id,
            change=self.number,
        )


async def own_version(connection: AsyncConnection, change: Change, thread_id: int) -> int:
    """Return the guild's own version of a thread that it sees, made if it is a shared one."""
    mine = await own_threads.own_id(connection, change.guild_id, thread_id)
    if mine == thread_id:
        return thread_id
    made = await override(connection, change, thread_id)
    assert made is not None, "a thread that was just seen"
    return made


async def add(connection: AsyncConnection, change: Change, thread: Thread) -> int:
    """Add a thread to a guild's own, or put it in place of the one with its key; return its id."""
    same = (table.c.scope == change.guild_id, table.c.key == thread.key)
    thread_id = await connection.scalar(select(table.c.id).where(*same))
    if thread_id is not None:
        await _set(connection, table.c.id == thread_id, merged_into=None)
        state = await thread_states.paired(connection, thread_id, thread)
        if change.action is Action.SAVED:
            state = _with_others(state, await thread_states.present(connection, thread_id))
        await put(connection, change, thread_id, state)
        return int(thread_id)
    stored = await threads.put(connection, change.guild_id, [pack(thread)])
    thread_id = stored.added[thread.key]
    await _set(connection, table.c.id == thread_id, curated=True)
    await change.record(connection, thread_id, await thread_states.present(connection, thread_id))
    return thread_id


def _with_others(state: ThreadState, there: ThreadState) -> ThreadState:
    """Return a state with the answers that the thread has beside those of the state."""
    more = [pair for pair in there.pairs if pair[1] not in state.answer_ids]
    return replace(state.with_pairs((*state.pairs, *more)), merged=there.merged)


async def put(
    connection: AsyncConnection, change: Change, thread_id: int, state: ThreadState
) -> ThreadState:
    """Put a state of a thread in force, and keep it and the one before; return it as it is now.

    Threads that are merged into it, but not in that state, are their own again.
    """
    was = await thread_states.present(connection, thread_id)
    await _keep_first(connection, change, thread_id, was)
    others = sorted(set(was.merged) - set(state.merged))
    guild_id = change.guild_id
    unmerged = await overrides.unmerge(connection, guild_id, thread_id, others) if others else {}
    now = await thread_states.put_in_force(connection, thread_id, state)
    if was.retired != now.retired:
        await overrides.move_votes(connection, guild_id, [thread_id])
    for made_id, made in {thread_id: now, **unmerged}.items():
        await revisions.settle(connection, made_id)
        await change.record(connection, made_id, made)
    return now


async def _keep_first(
    connection: AsyncConnection, change: Change, thread_id: int, state: ThreadState
) -> None:
    """Keep the state that a thread had before its first change here."""
    if await revisions.newest_id(connection, thread_id) == 0:
        imported = replace(change, action=Action.IMPORTED, user_id=0, number=0)
        await imported.record(connection, thread_id, state)


async def override(connection: AsyncConnection, change: Change, shared_id: int) -> int | None:
    """Return the guild's own version of a shared thread, made as a copy if there is none.

    The guild's votes on its answers go along. ``None`` if the shared library has no such thread.
    """
    shared = (await threads.fetch(connection, [shared_id], SHARED)).get(shared_id)
    if shared is None:
        return None
    copied = replace(change, action=Action.OVERRIDDEN)
    original = await thread_states.present(connection, shared_id)
    mine = (table.c.scope == change.guild_id, table.c.overrides == shared_id)
    query = select(table.c.id, table.c.retired_at, table.c.merged_into).where(*mine)
    known = (await connection.execute(query)).first()
    if known is None:
        return await _copy(connection, copied, shared_id, original)
    if known.merged_into is not None:
        merged = await own_threads.seen(connection, change.guild_id, known.id)
        if merged is not None:
            return merged[0]
        await _set(connection, table.c.id == known.id, merged_into=None)
    if known.retired_at is not None:
        state = await overrides.own_state(connection, known.id, original)
        await put(connection, copied, known.id, state)
        await overrides.link(connection, known.id, shared_id)
    return int(known.id)


async def merge(connection: AsyncConnection, change: Change, first_id: int, second_id: int) -> int:
    """Merge two threads into the one that the library has for longer; return its id.

    Answers keep their ids and votes; votes on the same text become one by each member's last.
    """
    kept_id, gone_id = await _oldest_first(connection, first_id, second_id)
    kept = await thread_states.present(connection, kept_id)
    gone = await thread_states.present(connection, gone_id)
    state, same = _merged(kept, gone, gone_id)
    await moved_votes.move(connection, change.guild_id, same, merges=True)
    await moved_votes.move_phrasings(connection, change.guild_id, gone_id, kept_id)
    await _keep_first(connection, change, gone_id, gone)
    await put(connection, change, kept_id, state)
    await _retire_into(connection, change, gone_id, kept_id)
    return kept_id


async def restore(connection: AsyncConnection, change: Change, revision: Revision) -> None:
    """Put a state of a thread in force again, or take a proposed one over.

    Threads that were merged into it then are so again.
    """
    if revision.action is Action.MERGED and revision.state.retired:
        kept = await revisions.merge_of(connection, revision)
        if kept is not None:
            await restore(connection, change, kept)
        return
    thread_id, state = revision.thread_id, revision.state
    there = await thread_states.present(connection, thread_id)
    if revision.is_proposed:
        state = replace(state, merged=there.merged)
    await put(connection, change, thread_id, state)
    for other in sorted(set(state.merged) - set(there.merged)):
        await _merge_again(connection, change, other, thread_id)
    shared_id = await connection.scalar(select(table.c.overrides).where(table.c.id == thread_id))
    if shared_id is not None:
        await overrides.link(connection, thread_id, shared_id)


async def _merge_again(
    connection: AsyncConnection, change: Change, other_id: int, kept_id: int
) -> None:
    """Merge a thread into another that has its answers again, and the votes of its shared one."""
    await _set(connection, table.c.id == other_id, merged_into=kept_id)
    await overrides.move_votes(connection, change.guild_id, [other_id])
    if (gone := await thread_states.read(connection, other_id)) is not None:
        kept = await thread_states.present(connection, kept_id)
        _, same = _merged(kept, gone, other_id)
        await moved_votes.move(connection, change.guild_id, same, merges=True)
        await moved_votes.move_phrasings(connection, change.guild_id, other_id, kept_id)
    await _retire_into(connection, change, other_id, kept_id)


async def _copy(
    connection: AsyncConnection, change: Change, shared_id: int, original: ThreadState
) -> int:
    """Add a guild's own version of a shared thread, and what undoes that: a retired state."""
    key = await _free_key(connection, change.guild_id, original.thread.key)
    copy = replace(original.thread, key=key)
    stored = await threads.put(connection, change.guild_id, [pack(copy)])
    thread_id = stored.added[key]
    await _set(connection, table.c.id == thread_id, curated=True, overrides=shared_id)
    state = await thread_states.present(connection, thread_id)
    await _keep_first(connection, change, thread_id, replace(state, retired=True))
    await change.record(connection, thread_id, state)
    await overrides.link(connection, thread_id, shared_id)
    return thread_id


def _merged(
    kept: ThreadState, gone: ThreadState, gone_id: int
) -> tuple[ThreadState, list[tuple[int, int]]]:
    """Return what two threads make together, and the ids of answers that are the same text."""
    ids = {overrides.folded(answer.body): answer_id for answer, answer_id in kept.pairs}
    keys = {answer.key for answer, _ in kept.pairs}
    is_accepted = any(answer.accepted for answer in kept.thread.answers)
    more, same = list[AnswerPair](), list[tuple[int, int]]()
    for answer, answer_id in gone.pairs:
        known = ids.get(overrides.folded(answer.body))
        if known is not None and answer_id is not None:
            same.append((answer_id, known))
        else:
            key = None if answer.key in keys else answer.key  # of one source, keys differ
            accepted = answer.accepted and not is_accepted
            more.append((replace(answer, key=key, accepted=accepted), answer_id))
    thread, other = kept.thread, gone.thread
    wordings = (*thread.phrasings, other.title, *other.phrasings)
    thread = replace(
        thread,
        tags=tuple(dict.fromkeys((*thread.tags, *other.tags))),
        phrasings=tuple(dict.fromkeys(wordings))[:MAX_PHRASINGS],
    )
    merged = tuple(sorted({*kept.merged, gone_id}))
    state = replace(kept, thread=thread, retired=False, merged=merged)
    return state.with_pairs((*kept.pairs, *more)), same


async def _oldest_first(connection: AsyncConnection, *thread_ids: int) -> list[int]:
    """Return threads, the oldest first; a version of a shared thread is as old as that one."""
    age = func.coalesce(table.c.overrides, table.c.id)
    query = select(table.c.id).where(table.c.id.in_(thread_ids)).order_by(age)
    return list((await connection.scalars(query)).all())


async def _retire_into(
    connection: AsyncConnection, change: Change, gone_id: int, kept_id: int
) -> None:
    gone = await thread_states.read(connection, gone_id)
    if gone is None:  # it was deleted since it was merged the first time
        return
    state = replace(gone.with_pairs(()), retired=True)
    now = await thread_states.put_in_force(connection, gone_id, state)
    await _set(connection, table.c.id == gone_id, merged_into=kept_id)
    await replace(change, action=Action.MERGED).record(connection, gone_id, now)


async def _free_key(connection: AsyncConnection, guild_id: int, key: str) -> str:
    """Return a key that no thread of a guild's own has: a shared one's, as far as possible."""
    taken = select(table.c.key).where(table.c.scope == guild_id, table.c.key.startswith(key))
    there = set((await connection.scalars(taken)).all())
    number, free = 1, key
    while free in there:
        number, free = number + 1, f"{key}~{number}"
    return free


async def _set(connection: AsyncConnection, which: ColumnElement[bool], **values: object) -> None:
    await connection.execute(update(table).where(which).values(**values))
