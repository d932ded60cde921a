"""The threads of followed posts: stored, changed with their messages, taken out.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from bot.curation import Action, ThreadState
from bot.following import FollowedPost, PostState
from bot.services.curating import check
from bot.services.post_reader import ReadPost
from bot.services.post_updates import HelpersWords, helpers_words, updated, without_answers
from bot.services.solved_posts import PostThread
from bot.store import (
    curating,
    message_threads,
    origins,
    overrides,
    own_threads,
    postings,
    revisions,
    thread_states,
)
from bot.store.curating import Change


async def put(
    connection: Any,
    known: FollowedPost | None,
    now: FollowedPost,
    made: PostThread,
    read: ReadPost,
    *,
    user_id: int,
    is_new: bool,
    is_wished: bool,
) -> tuple[FollowedPost, tuple[int, ...]]:
    """Store the thread of a solved post; what helpers made of it stays.

    ``is_new`` says that something else solved it before, or nothing; ``is_wished`` that somebody
    marked it just now, so that a thread that was taken out comes back. Returns the post with its
    thread, and the messages that show it.
    """
    check(made.thread)
    target = await own_threads.id_in_force(connection, now.guild_id, made.thread.key)
    was_solved = known is not None and known.state is PostState.SOLVED
    if target is None and was_solved and not is_wished:
        return now, ()  # a helper took it out
    if target is None:
        change = await Change.begin(connection, now.guild_id, Action.SOLVED, user_id)
        thread_id = await message_threads.add(
            connection, change, made.thread, made.question, made.answers
        )
        return replace(now, thread_id=thread_id), await _shown(connection, now, thread_id)
    now = now if now.thread_id is not None else replace(now, thread_id=target)
    gone = await _gone(connection, target, read) | {str(message_id) for message_id in now.rejected}
    if known is not None and str(known.solution_id) not in made.answers:
        gone.add(str(known.solution_id))
    action = Action.SOLVED if is_new else Action.FOLLOWED
    change = await Change.begin(connection, now.guild_id, action, user_id)
    is_whole = await own_threads.is_key_of(connection, target, made.thread.key)
    is_changed = await _update(connection, change, target, made, gone, is_whole=is_whole)
    if known is None:  # its thread was imported, or the channel was followed before
        await message_threads.set_answers(connection, now.guild_id, target, made.answers)
        if is_whole:
            await origins.set_thread(connection, now.guild_id, target, made.question)
    if not is_changed:
        return now, ()
    return now, await _shown(connection, now, target)


async def _update(
    connection: Any,
    change: Change,
    thread_id: int,
    made: PostThread,
    gone: Collection[str],
    *,
    is_whole: bool,
) -> bool:
    """Make of a thread what its post says now; return whether that changed it."""
    current = await thread_states.read(connection, thread_id)
    assert current is not None
    words = await words_of(connection, change.guild_id, thread_id, current)
    update = updated(current, words, made.thread, gone, is_whole=is_whole)
    state = await _with_known_ids(connection, thread_id, update.state)
    if state != current:
        await curating.put(connection, change, thread_id, state)
        await message_threads.set_answers(connection, change.guild_id, thread_id, made.answers)
    if update.proposed is not None:
        wanted = await _with_known_ids(connection, thread_id, update.proposed)
        await overrides.propose(
            connection, change.guild_id, thread_id, wanted, action=Action.FOLLOWED
        )
    return state != current


async def words_of(
    connection: Any, guild_id: int, thread_id: int, state: ThreadState
) -> HelpersWords:
    """Return what helpers wrote of a thread, and of answers before these were merged into it."""
    history = await revisions.of_thread(connection, guild_id, thread_id)
    words = helpers_words(reversed(history))
    waiting = [*state.merged]
    while waiting:
        merged_id = waiting.pop()
        history = await revisions.of_thread(connection, guild_id, merged_id)
        words.answers |= helpers_words(reversed(history)).answers
        waiting += await own_threads.ids_merged_into(connection, merged_id)
    return words


async def _with_known_ids(connection: Any, thread_id: int, state: ThreadState) -> ThreadState:
    """Return a state in which answers that come back have the ids that they had, and votes."""
    if None not in state.answer_ids:
        return state
    paired = await thread_states.paired(connection, thread_id, state.thread)
    taken = set(state.answer_ids)
    ids = tuple(
        known if i is None and known not in taken else i
        for i, known in zip(state.answer_ids, paired.answer_ids, strict=True)
    )
    return replace(state, answer_ids=ids)


async def _gone(connection: Any, thread_id: int, read: ReadPost) -> set[str]:
    """Return the keys of a thread's answers that were messages of a post, and are no more.

    Of a post of which not all is read, that can't be told of the later ones.
    """
    current = await thread_states.read(connection, thread_id)
    assert current is not None
    ids = [i for i in current.answer_ids if i is not None]
    there = {message.id for message in read.messages}
    last = max(there, default=0) if read.is_cut else None
    return {
        str(origin.message_id)
        for origin in (await origins.of_answers(connection, ids)).values()
        if origin.channel_id == read.post.id
        and origin.message_id not in there
        and (last is None or origin.message_id <= last)
    }


async def take_out(
    connection: Any, known: FollowedPost, action: Action, user_id: int
) -> tuple[int, ...]:
    """Take the answers of a post out of the library, and its thread if it has no others."""
    if known.state is not PostState.SOLVED or known.thread_id is None:
        return ()
    target = await own_threads.own_id(connection, known.guild_id, known.thread_id)
    current = None if target is None else await thread_states.read(connection, target)
    if target is None or current is None or current.retired:
        return ()
    ids = [i for i in current.answer_ids if i is not None]
    of_post = {
        str(origin.message_id)
        for origin in (await origins.of_answers(connection, ids)).values()
        if origin.channel_id == known.post_id
    }
    shown = await _shown(connection, known, target)
    change = await Change.begin(connection, known.guild_id, action, user_id)
    await curating.put(connection, change, target, without_answers(current, of_post))
    return shown


async def _shown(connection: Any, post: FollowedPost, thread_id: int) -> tuple[int, ...]:
    """Return the messages that show a post's thread."""
    return tuple(await postings.of_thread(connection, thread_id, post.guild_id))
