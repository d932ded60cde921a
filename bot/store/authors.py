"""Authors' choices carried out: their messages without their name, or deleted for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import ThreadState
from bot.models import PRIVATE
from bot.store import (
    change_feed,
    origins,
    overrides,
    revisions,
    soft_delete,
)
from bot.store.curation_tables import followed_posts, thread_messages
from bot.store.rows import id_batches
from bot.store.tables import IN_FORCE, answers, learned_phrasings, phrasings, postings, threads
from bot.store.write_locks import lock_votes

MAX_CARDS = 200
"""Posted messages that are drawn anew when what they show is taken out."""


async def count(connection: AsyncConnection, user_id: int) -> int:
    """Count the questions and answers that a member wrote, in all guilds."""
    asked, answered = await origins.of_author(connection, user_id)
    return len(asked) + len(answered)


async def cards(connection: AsyncConnection, user_id: int) -> list[tuple[int, int]]:
    """Return the newest messages that show what a member wrote: (channel, message)."""
    asked, answered = await origins.of_author(connection, user_id)
    found = list[tuple[int, int, int]]()
    for column, ids in ((postings.c.thread_id, asked), (postings.c.answer_id, answered)):
        for batch in id_batches(ids):
            query = select(postings.c.posted_at, postings.c.channel_id, postings.c.message_id)
            shown = (column.in_(batch), postings.c.channel_id != PRIVATE)
            rows = await connection.execute(query.where(*shown))
            found += [(row.posted_at, row.channel_id, row.message_id) for row in rows.all()]
    newest = sorted(set(found), reverse=True)[:MAX_CARDS]
    return [(channel_id, message_id) for _, channel_id, message_id in newest]


async def take_name_off(connection: AsyncConnection, user_id: int) -> int:
    """Take a member's name off what they wrote, in every state; return how many texts that are.

    Their id stays, by which they may have the texts deleted as well.
    """
    asked, answered = await origins.of_author(connection, user_id)
    for table, ids in ((threads, asked), (answers, answered)):
        for batch in id_batches(ids):
            these = update(table).where(table.c.id.in_(batch))
            await connection.execute(these.values(author=None))
    named, given = frozenset(asked), frozenset(answered)

    def nameless(state: ThreadState, thread_id: int) -> ThreadState:
        thread = state.thread
        author = None if thread_id in named else thread.author
        state = replace(state, thread=replace(thread, author=author))
        return state.with_pairs(
            (replace(answer, author=None) if i in given else answer, i) for answer, i in state.pairs
        )

    touched = await _threads_of(connection, asked, answered)
    histories = await revisions.changed_together(connection, touched)
    await revisions.rewrite(connection, sorted(histories), nameless)
    return len(asked) + len(answered)


async def take_words_out(connection: AsyncConnection, user_id: int) -> int:
    """Delete what a member wrote, in every state; return how many texts that were.

    With their question goes the whole thread; a thread that is left without answers stays
    retired. Of posts that they opened nothing is known any more.
    """
    await lock_votes(connection)
    asked, answered = await origins.of_author(connection, user_id)
    touched = await _threads_of(connection, [], answered)
    histories = await revisions.changed_together(connection, {*touched, *asked}) - set(asked)
    questions = await _questions(connection, asked)
    await _delete_learned(connection, user_id)
    left_over = await overrides.unmerge_all(connection, asked)
    for batch in id_batches(asked):
        await change_feed.note(connection, batch, is_deleted=True)
        await connection.execute(delete(threads).where(threads.c.id.in_(batch)))
    gone = frozenset(answered)

    def without(state: ThreadState, _thread_id: int) -> ThreadState:
        phrasings = tuple(text for text in state.thread.phrasings if text not in questions)
        thread = replace(state.thread, phrasings=phrasings)
        return replace(state, thread=thread).without(gone)

    await revisions.rewrite(connection, sorted(histories), without)
    unsaid = await _delete_phrasings(connection, histories, questions)
    left = sorted({*touched, *left_over, *unsaid} - {*asked})
    for batch in id_batches(answered):
        await connection.execute(delete(answers).where(answers.c.id.in_(batch)))
    await _retire_empty(connection, left)
    await change_feed.note(connection, left)
    await connection.execute(delete(followed_posts).where(followed_posts.c.asker_id == user_id))
    return len(asked) + len(answered)


async def _questions(connection: AsyncConnection, asked: Collection[int]) -> frozenset[str]:
    """Return the titles and phrasings of threads, which may be phrasings of merged ones."""
    found = set[str]()
    for batch in id_batches(asked):
        titles = select(threads.c.title).where(threads.c.id.in_(batch))
        texts = select(phrasings.c.text).where(phrasings.c.thread_id.in_(batch))
        found |= set((await connection.scalars(titles.union(texts))).all())
    return frozenset(found)


async def _delete_phrasings(
    connection: AsyncConnection, thread_ids: Collection[int], texts: frozenset[str]
) -> set[int]:
    """Delete phrasings of threads; return the threads that had one."""
    changed = set[int]()
    for batch in id_batches(thread_ids):
        said = (phrasings.c.thread_id.in_(batch), phrasings.c.text.in_(texts))
        changed |= set((await connection.scalars(select(phrasings.c.thread_id).where(*said))).all())
        await connection.execute(delete(phrasings).where(*said))
    return changed


async def _delete_learned(connection: AsyncConnection, user_id: int) -> None:
    """Delete phrasings that were learned from a member's questions, which may be merged ones'."""
    asked = select(thread_messages.c.message_id).where(thread_messages.c.author_id == user_id)
    learned = learned_phrasings.c
    said = (learned.user_id == user_id, learned.message_id.in_(asked))
    await connection.execute(delete(learned_phrasings).where(*said))


async def _threads_of(
    connection: AsyncConnection, asked: Collection[int], answered: Collection[int]
) -> list[int]:
    """Return the ids of threads, and of those that have answers."""
    found = set(asked)
    for batch in id_batches(answered):
        query = select(answers.c.thread_id).where(answers.c.id.in_(batch))
        found |= set((await connection.scalars(query)).all())
    return sorted(found)


async def _retire_empty(connection: AsyncConnection, thread_ids: Collection[int]) -> None:
    """Retire those threads that have no answer in force any more; raise all text versions."""
    for batch in id_batches(thread_ids):
        shown = select(answers.c.thread_id).where(
            answers.c.thread_id.in_(batch), answers.c.retired.is_(False)
        )
        query = select(threads.c.scope, threads.c.id).where(threads.c.id.in_(batch), IN_FORCE)
        empty = defaultdict[int, list[int]](list)
        for scope, thread_id in await connection.execute(query.where(threads.c.id.not_in(shown))):
            empty[scope].append(thread_id)
        for scope, ids in empty.items():
            await soft_delete.retire(connection, scope, ids)
        again = update(threads).where(threads.c.id.in_(batch))
        await connection.execute(
            again.values(text_version=threads.c.text_version + 1, content_hash="")
        )
