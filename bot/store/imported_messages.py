"""The messages of Discord that imported threads are made of, noted as for followed posts.

So authors find what they wrote, and what they choose holds for it; where the messages are of the
guild that has the threads, those that are deleted are noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import AuthorChoice, MadeOf, Origin
from bot.store import authors, origins
from bot.store.curation_tables import answer_messages, thread_messages
from bot.store.rows import ThreadRows, id_batches
from bot.store.tables import IN_FORCE, answers, threads


async def note(connection: AsyncConnection, scope: int, batch: Sequence[ThreadRows]) -> None:
    """Note which messages threads are that are in the library by now.

    What an author chose while the import was reading is done to what came in of theirs.
    """
    brought = {packed.key: packed.made_of for packed in batch if packed.made_of is not None}
    there = (threads.c.scope == scope, threads.c.key.in_(brought), IN_FORCE)
    found = (await connection.execute(select(threads.c.id, threads.c.key).where(*there))).all()
    made_of = {row.id: brought[row.key] for row in found}
    questions = {i: one.question for i, one in made_of.items() if one.question is not None}
    given = dict[int, Origin]()
    for ids in id_batches(made_of):
        query = select(answers.c.id, answers.c.key, answers.c.thread_id)
        # Retired ones as well: they may be of a state that is proposed to helpers.
        query = query.where(answers.c.thread_id.in_(ids))
        for row in (await connection.execute(query)).all():
            if (origin := made_of[row.thread_id].answers.get(row.key)) is not None:
                given[row.id] = origin
    ours = {one.message_id for one in _of_guild(made_of.values(), scope)}
    for table, messages in ((thread_messages, questions), (answer_messages, given)):
        await _note(connection, table, scope, messages, ours)
    await _as_chosen(connection, made_of.values())


async def _note(
    connection: AsyncConnection,
    table: Table,
    scope: int,
    made_of: dict[int, Origin],
    ours: set[int],
) -> None:
    """Note messages of rows of which it isn't known yet."""
    key, known = next(iter(table.primary_key)), set[int]()
    for ids in id_batches(made_of):
        known.update(await connection.scalars(select(key).where(key.in_(ids))))
    rows = list[dict[str, Any]]()
    for row_id in made_of.keys() - known:
        origin = made_of[row_id]
        if origin.message_id not in ours:
            origin = replace(origin, channel_id=0)
        rows.append(origins.row(table, row_id, scope, origin))
    if rows:
        await connection.execute(insert(table), rows)


async def _as_chosen(connection: AsyncConnection, made_of: Iterable[MadeOf]) -> None:
    nameless = {who for one in made_of for who in one.nameless}
    writers = {who for one in made_of for who in one.author_ids}
    for who, choice in (await origins.choices_of(connection, writers)).items():
        if choice is AuthorChoice.LEAVE_OUT:
            await authors.take_words_out(connection, who)
        elif who not in nameless:
            await authors.take_name_off(connection, who)


def _of_guild(made_of: Iterable[MadeOf], scope: int) -> Iterable[Origin]:
    """Return the origins of a guild's own messages."""
    for one in made_of:
        if one.guild_id == scope:
            yield from one.answers.values()
            if one.question is not None:
                yield one.question
