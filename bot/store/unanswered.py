"""Questions of ask channels that the bot had nothing on, until somebody answers them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.message_records import UnansweredQuestion
from bot.store.rows import EPOCH, from_micros, id_batches, to_micros
from bot.store.tables import unanswered


async def put(connection: AsyncConnection, question: UnansweredQuestion) -> None:
    """Record a question that has no answer."""
    await drop(connection, [question.message_id])
    row = asdict(question) | {"asked_at": to_micros(question.asked_at)}
    await connection.execute(insert(unanswered).values(row))


async def get(connection: AsyncConnection, message_id: int) -> UnansweredQuestion | None:
    """Return the question that a message is, if it is recorded."""
    found = await _found(connection, unanswered.c.message_id == message_id)
    return found[0] if found else None


async def known(connection: AsyncConnection, message_ids: Collection[int]) -> list[int]:
    """Return those of these messages that are recorded."""
    found = list[int]()
    for ids in id_batches(message_ids):
        query = select(unanswered.c.message_id).where(unanswered.c.message_id.in_(ids))
        found += (await connection.scalars(query)).all()
    return found


async def recent(connection: AsyncConnection, since: datetime) -> list[UnansweredQuestion]:
    """Return the questions of all channels since a moment, oldest first."""
    return await _found(connection, unanswered.c.asked_at >= to_micros(since))


async def drop(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """Forget questions: they are answered, deleted, or were none."""
    for ids in id_batches(message_ids):
        await connection.execute(delete(unanswered).where(unanswered.c.message_id.in_(ids)))


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Forget the questions of a member."""
    await connection.execute(delete(unanswered).where(unanswered.c.asker_id == user_id))


async def drop_before(connection: AsyncConnection, moment: datetime) -> None:
    """Forget the questions that were asked before a moment."""
    await connection.execute(delete(unanswered).where(unanswered.c.asked_at < to_micros(moment)))


async def _found(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> list[UnansweredQuestion]:
    query = select(unanswered).where(*conditions)
    oldest = (unanswered.c.asked_at, unanswered.c.message_id)
    return [_question(row) for row in (await connection.execute(query.order_by(*oldest))).all()]


def _question(row: Row[Any]) -> UnansweredQuestion:
    return UnansweredQuestion(
        message_id=row.message_id,
        channel_id=row.channel_id,
        guild_id=row.guild_id,
        asker_id=row.asker_id,
        asked_at=from_micros(row.asked_at) or EPOCH,
        emoji=row.emoji,
    )
