"""Postings: which Discord message shows which answer, and to whose question."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import PRIVATE, Posting, VoteEmoji
from bot.store.rows import from_micros, id_batches, to_micros
from bot.store.tables import postings

MAX_REDRAWN = 20
"""Messages that show a thread and are drawn anew after a change, the newest."""

_IDS = ("message_id", "channel_id", "guild_id", "thread_id", "answer_id", "asker_id")
"""The columns that are fields of a posting as they are."""


async def put(connection: AsyncConnection, posting: Posting) -> None:
    """Record a posting; one that shows another answer now replaces the old."""
    await forget(connection, [posting.message_id])
    emoji = posting.emoji
    row = {name: getattr(posting, name) for name in _IDS} | {
        "alternatives": list(posting.alternatives),
        "posted_at": to_micros(posting.posted_at or datetime.now(UTC)),
        "up_emoji": emoji and emoji.up,
        "down_emoji": emoji and emoji.down,
    }
    await connection.execute(insert(postings).values(row))


async def get(connection: AsyncConnection, message_id: int) -> Posting | None:
    """Return the posting that this message is, if it is one."""
    query = select(postings).where(postings.c.message_id == message_id)
    row = (await connection.execute(query)).first()
    return None if row is None else posting_of(row)


async def of(connection: AsyncConnection, message_ids: Collection[int]) -> Mapping[int, Posting]:
    """Return the postings among these messages, by message id."""
    known: dict[int, Posting] = {}
    for ids in id_batches(message_ids):
        query = select(postings).where(postings.c.message_id.in_(ids))
        rows = (await connection.execute(query)).all()
        known |= {row.message_id: posting_of(row) for row in rows}
    return known


async def forget(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """Delete postings that show no answer any more; votes given on them stay."""
    await connection.execute(delete(postings).where(postings.c.message_id.in_(message_ids)))


async def forget_channel(connection: AsyncConnection, channel_id: int) -> list[int]:
    """Delete the postings of a channel that is gone; return the ids of their messages."""
    there = postings.c.channel_id == channel_id
    gone = list((await connection.scalars(select(postings.c.message_id).where(there))).all())
    if gone:
        await connection.execute(delete(postings).where(there))
    return gone


async def set_emoji(connection: AsyncConnection, message_id: int, emoji: VoteEmoji) -> None:
    """Record what a message was posted with, where that is not recorded yet."""
    this = (postings.c.message_id == message_id, postings.c.up_emoji.is_(None))
    values = {"up_emoji": emoji.up, "down_emoji": emoji.down}
    await connection.execute(update(postings).where(*this).values(values))


async def mark_due(connection: AsyncConnection, message_ids: Collection[int], now: int) -> None:
    """Mark postings whose votes may differ from what Discord shows; ``now`` in Unix µs."""
    for ids in id_batches(message_ids):
        these = postings.c.message_id.in_(ids)
        await connection.execute(update(postings).where(these).values(due_at=now))


async def unmark_due(connection: AsyncConnection, message_id: int, marked_until: int) -> bool:
    """Take back marks made until then (Unix µs), as the votes agree; False if there was none."""
    this = (postings.c.message_id == message_id, postings.c.due_at <= marked_until)
    done = await connection.execute(update(postings).where(*this).values(due_at=None))
    return bool(done.rowcount)


async def latest_in(
    connection: AsyncConnection, channel_id: int, answer_id: int, since: datetime
) -> Posting | None:
    """Return the newest posting of an answer in a channel since a moment."""
    there = (postings.c.channel_id == channel_id, postings.c.answer_id == answer_id)
    newest = await _newest(connection, 1, *there, postings.c.posted_at >= to_micros(since))
    return newest[0] if newest else None


async def any_in(connection: AsyncConnection, channel_id: int) -> bool:
    """Return whether an answer stands in a channel, whoever asked."""
    query = select(postings.c.message_id).where(postings.c.channel_id == channel_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def between(
    connection: AsyncConnection, channel_id: int, first_id: int, last_id: int
) -> list[Posting]:
    """Return the postings of a channel with these message ids or ids between them."""
    ids = postings.c.message_id.between(first_id, last_id)
    return await _newest(connection, None, postings.c.channel_id == channel_id, ids)


async def asked_by(
    connection: AsyncConnection, user_id: int, guild_id: int, answer_id: int
) -> Posting | None:
    """Return the newest posting of an answer to a member's question in a guild."""
    there = (_in_guild(guild_id), postings.c.answer_id == answer_id)
    newest = await _newest(connection, 1, *there, postings.c.asker_id == user_id)
    return newest[0] if newest else None


async def recent(connection: AsyncConnection, limit: int) -> list[Posting]:
    """Return the newest postings that others see as well, newest first."""
    return await _newest(connection, limit, postings.c.channel_id != PRIVATE)


async def of_thread(connection: AsyncConnection, thread_id: int, guild_id: int) -> list[int]:
    """Return the newest messages of a guild that show a thread to others as well, newest first."""
    there = (postings.c.thread_id == thread_id, _in_guild(guild_id))
    newest = await _newest(connection, MAX_REDRAWN, *there, postings.c.channel_id != PRIVATE)
    return [posting.message_id for posting in newest]


async def due(connection: AsyncConnection) -> list[Posting]:
    """Return the postings that are marked as due, newest first."""
    return await _newest(connection, None, postings.c.due_at.is_not(None))


def _in_guild(guild_id: int) -> ColumnElement[bool]:
    """Return the condition that a posting is in a guild, beside a narrower one.

    Of a bare column SQLite would use the index, and read all that the guild was ever shown.
    """
    return postings.c.guild_id + 0 == guild_id


async def _newest(
    connection: AsyncConnection, limit: int | None, *conditions: ColumnElement[bool]
) -> list[Posting]:
    query = select(postings).where(*conditions).limit(limit)
    newest = (postings.c.posted_at.desc(), postings.c.message_id.desc())
    return [posting_of(row) for row in (await connection.execute(query.order_by(*newest))).all()]


def posting_of(row: Row[Any]) -> Posting:
    """Return the posting of a row of the table."""
    return Posting(
        **{name: getattr(row, name) for name in _IDS},
        alternatives=tuple(row.alternatives),
        posted_at=from_micros(row.posted_at),
        emoji=None if row.up_emoji is None else VoteEmoji(row.up_emoji, row.down_emoji),
    )
