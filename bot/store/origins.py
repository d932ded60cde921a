"""The messages of Discord that threads and answers are, their authors, and authors' choices."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import AuthorChoice, Origin
from bot.following import PostState
from bot.models import Posting
from bot.store.curation_tables import (
    answer_messages,
    author_choices,
    followed_channels,
    followed_posts,
    thread_messages,
)
from bot.store.postings import posting_of
from bot.store.rows import id_batches
from bot.store.tables import answers, postings, threads


async def unchecked(connection: AsyncConnection, answer_id: int, before: int) -> Origin | None:
    """Return the message that an answer is, if it was last looked at before a time (Unix µs)."""
    m = answer_messages.c
    query = select(m.channel_id, m.message_id, m.author_id)
    old = (m.answer_id == answer_id, m.checked_at < before, m.channel_id != 0)
    row = (await connection.execute(query.where(*old))).first()
    return None if row is None else Origin(**row._asdict())


async def set_checked(connection: AsyncConnection, answer_id: int) -> None:
    """Note that the message that an answer is was looked at now."""
    this = update(answer_messages).where(answer_messages.c.answer_id == answer_id)
    await connection.execute(this.values(checked_at=time.time_ns() // 1000))


async def thread_of_answer(connection: AsyncConnection, answer_id: int) -> int:
    """Return the id of the thread that an answer is of."""
    query = select(answers.c.thread_id).where(answers.c.id == answer_id)
    return int(await connection.scalar(query) or 0)


class Author(NamedTuple):
    """The author of an answer: as its source names them, and their id (0: not known)."""

    name: str | None
    user_id: int

    def is_member(self, user_id: int) -> bool:
        """Return whether a member is the author: by their id, or a mention of theirs as the name.

        By no other name: whoever is called like an author from elsewhere is somebody else.
        """
        mentions = (f"<@{user_id}>", f"<@!{user_id}>")
        by_id = self.user_id == user_id != 0
        return by_id or (self.name or "").strip() in mentions


async def set_thread(
    connection: AsyncConnection, guild_id: int, thread_id: int, origin: Origin
) -> None:
    """Note the message that a thread's question is."""
    await _set(connection, thread_messages, thread_id, guild_id, origin)


async def set_answer(
    connection: AsyncConnection, guild_id: int, answer_id: int, origin: Origin
) -> None:
    """Note the message that an answer is, which is there now."""
    await _set(connection, answer_messages, answer_id, guild_id, origin)


async def of_thread(connection: AsyncConnection, thread_id: int, guild_id: int) -> Origin | None:
    """Return the message that the question of a guild's thread is, if it is one."""
    m = thread_messages.c
    query = select(m.channel_id, m.message_id, m.author_id)
    mine = (m.thread_id == thread_id, m.guild_id == guild_id)
    row = (await connection.execute(query.where(*mine))).first()
    return None if row is None else Origin(**row._asdict())


async def of_answers(
    connection: AsyncConnection, answer_ids: Collection[int]
) -> Mapping[int, Origin]:
    """Return the messages that answers are, by the answers' ids."""
    m = answer_messages.c
    query = select(m.answer_id, m.channel_id, m.message_id, m.author_id)
    rows = (await connection.execute(query.where(m.answer_id.in_(answer_ids)))).all()
    return {
        row.answer_id: Origin(
            channel_id=row.channel_id, message_id=row.message_id, author_id=row.author_id
        )
        for row in rows
    }


async def answers_of_message(
    connection: AsyncConnection, guild_id: int, message_id: int
) -> list[int]:
    """Return the ids of the answers in force that a guild's message is."""
    mine = (answer_messages.c.guild_id == guild_id, answer_messages.c.message_id == message_id)
    query = select(answers.c.id).join(answer_messages, answer_messages.c.answer_id == answers.c.id)
    query = query.where(*mine, answers.c.retired.is_(False)).order_by(answers.c.id)
    return list((await connection.scalars(query)).all())


async def answers_among(
    connection: AsyncConnection, guild_id: int, message_ids: Collection[int]
) -> list[int]:
    """Return those of a guild's messages that are answers, and not of a solved post.

    That is looked at as a whole when one of its messages changes, while its channel is followed.
    """
    m, p, found = answer_messages.c, followed_posts.c, list[int]()
    is_followed = exists().where(
        followed_channels.c.guild_id == p.guild_id, followed_channels.c.channel_id == p.channel_id
    )
    post = select(p.post_id).where(
        p.post_id == m.channel_id,
        p.thread_id == answers.c.thread_id,  # it may have been saved for another one as well
        p.state == PostState.SOLVED.value,
        is_followed,
    )
    for ids in id_batches(message_ids):
        query = select(m.message_id).join(answers, answers.c.id == m.answer_id).distinct()
        query = query.where(m.guild_id == guild_id, m.message_id.in_(ids), ~post.exists())
        found += (await connection.scalars(query)).all()
    return found


async def is_of_post(connection: AsyncConnection, answer_id: int) -> bool:
    """Return whether an answer is a message of a solved post."""
    m, p = answer_messages.c, followed_posts.c
    query = select(p.post_id).join(answer_messages, m.channel_id == p.post_id)
    solved = (m.answer_id == answer_id, p.state == PostState.SOLVED.value)
    return await connection.scalar(query.where(*solved)) is not None


async def author_of(connection: AsyncConnection, answer_id: int) -> Author:
    """Return the author of an answer."""
    m = answer_messages
    query = select(answers.c.author, m.c.author_id)
    query = query.select_from(answers.outerjoin(m, m.c.answer_id == answers.c.id))
    row = (await connection.execute(query.where(answers.c.id == answer_id))).first()
    return Author(None, 0) if row is None else Author(row.author, row.author_id or 0)


async def shown_by(connection: AsyncConnection, message_id: int) -> tuple[Posting, Author] | None:
    """Return the posting that a message is, if it is one, and who wrote the answer it shows."""
    m, p = answer_messages, postings
    shown = p.join(answers, answers.c.id == p.c.answer_id).outerjoin(
        m, m.c.answer_id == p.c.answer_id
    )
    query = select(p, answers.c.author, m.c.author_id).select_from(shown)
    row = (await connection.execute(query.where(p.c.message_id == message_id))).first()
    return None if row is None else (posting_of(row), Author(row.author, row.author_id or 0))


async def choice_of(connection: AsyncConnection, user_id: int) -> AuthorChoice | None:
    """Return what a member wants done with their messages, if they said."""
    query = select(author_choices.c.choice).where(author_choices.c.user_id == user_id)
    choice = await connection.scalar(query)
    return None if choice is None else AuthorChoice(choice)


async def choices_of(
    connection: AsyncConnection, user_ids: Collection[int]
) -> dict[int, AuthorChoice]:
    """Return what those of these members who said it want done with their messages."""
    a = author_choices.c
    found = dict[int, AuthorChoice]()
    for ids in id_batches(user_ids):
        query = select(a.user_id, a.choice).where(a.user_id.in_(ids))
        rows = (await connection.execute(query)).all()
        found |= {row.user_id: AuthorChoice(row.choice) for row in rows}
    return found


async def all_choices(connection: AsyncConnection) -> dict[int, AuthorChoice]:
    """Return what all members who said it want done with their messages."""
    rows = await connection.execute(select(author_choices.c.user_id, author_choices.c.choice))
    return {row.user_id: AuthorChoice(row.choice) for row in rows.all()}


async def choose(connection: AsyncConnection, user_id: int, choice: AuthorChoice | None) -> None:
    """Note what a member wants done with their messages; ``None``: nothing any more."""
    theirs = author_choices.c.user_id == user_id
    await connection.execute(delete(author_choices).where(theirs))
    if choice is not None:
        row = {"user_id": user_id, "choice": choice.value, "chosen_at": time.time_ns() // 1000}
        await connection.execute(insert(author_choices).values(row))


async def of_author(connection: AsyncConnection, user_id: int) -> tuple[list[int], list[int]]:
    """Return the ids of the threads and of the answers that are a member's messages.

    Those that stand in for them in guilds' own versions of shared threads are among them.
    """
    found = []
    for table, rows in ((thread_messages, threads), (answer_messages, answers)):
        key = next(iter(table.primary_key))
        theirs = select(key).where(table.c.author_id == user_id)
        versions = select(rows.c.id).where(rows.c.overrides.in_(theirs))
        found.append(list((await connection.scalars(theirs.union(versions))).all()))
    return found[0], found[1]


def row(table: Table, row_id: int, guild_id: int, origin: Origin) -> dict[str, Any]:
    """Return the row of a message; one that an answer is, is there now."""
    values = {
        next(iter(table.primary_key)).name: row_id,
        "guild_id": guild_id,
        "channel_id": origin.channel_id,
        "message_id": origin.message_id,
        "author_id": origin.author_id,
    }
    if table is answer_messages:
        values["checked_at"] = time.time_ns() // 1000
    return values


async def _set(
    connection: AsyncConnection, table: Table, row_id: int, guild_id: int, origin: Origin
) -> None:
    key = next(iter(table.primary_key))
    await connection.execute(delete(table).where(key == row_id))
    await connection.execute(insert(table).values(row(table, row_id, guild_id, origin)))
