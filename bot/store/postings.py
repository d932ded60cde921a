"""Postings: which Discord message shows which answer, and to whose question."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Posting
from bot.store.moments import from_micros, to_micros
from bot.store.tables import postings


async def put(connection: AsyncConnection, posting: Posting) -> None:
    """Remember a posting; one that shows another answer now replaces the old."""
    await forget(connection, [posting.message_id])
    row = {
        "message_id": posting.message_id,
        "channel_id": posting.channel_id,
        "guild_id": posting.guild_id,
        "thread_id": posting.thread_id,
        "answer_id": posting.answer_id,
        "asker_id": posting.asker_id,
        "alternatives": list(posting.alternatives),
        "posted_at": to_micros(posting.posted_at or datetime.now(UTC)),
    }
    await connection.execute(insert(postings).values(row))


async def get(connection: AsyncConnection, message_id: int) -> Posting | None:
    """The posting that this message is, if it is one."""
    query = select(postings).where(postings.c.message_id == message_id)
    row = (await connection.execute(query)).first()
    return None if row is None else _posting(row)


async def forget(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """These messages show no answer any more; votes given on them stay."""
    await connection.execute(delete(postings).where(postings.c.message_id.in_(message_ids)))


async def latest_in(
    connection: AsyncConnection, channel_id: int, answer_id: int, since: datetime
) -> Posting | None:
    """The newest posting of an answer in a channel since a moment."""
    query = (
        select(postings)
        .where(
            postings.c.channel_id == channel_id,
            postings.c.answer_id == answer_id,
            postings.c.posted_at >= to_micros(since),
        )
        .order_by(postings.c.posted_at.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _posting(row)


async def asked_by(
    connection: AsyncConnection, user_id: int, guild_id: int, answer_id: int
) -> Posting | None:
    """The newest posting of an answer to a member's question in a guild."""
    query = (
        select(postings)
        .where(
            postings.c.asker_id == user_id,
            postings.c.guild_id == guild_id,
            postings.c.answer_id == answer_id,
        )
        .order_by(postings.c.posted_at.desc(), postings.c.message_id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _posting(row)


async def recent(connection: AsyncConnection, limit: int) -> list[Posting]:
    """The newest postings, newest first."""
    query = (
        select(postings)
        .order_by(postings.c.posted_at.desc(), postings.c.message_id.desc())
        .limit(limit)
    )
    return [_posting(row) for row in (await connection.execute(query)).all()]


def _posting(row: Row[Any]) -> Posting:
    return Posting(
        message_id=row.message_id,
        channel_id=row.channel_id,
        guild_id=row.guild_id,
        thread_id=row.thread_id,
        answer_id=row.answer_id,
        asker_id=row.asker_id,
        alternatives=tuple(row.alternatives),
        posted_at=from_micros(row.posted_at),
    )
