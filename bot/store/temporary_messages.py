"""Messages of the bot that it deletes after a while, unless somebody presses something on them."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.message_records import TemporaryMessage
from bot.store.rows import EPOCH, from_micros, to_micros
from bot.store.tables import temporary_messages as messages


async def put(connection: AsyncConnection, message: TemporaryMessage) -> None:
    """Record a message that is to be deleted."""
    row = message._asdict() | {"delete_at": to_micros(message.delete_at)}
    await connection.execute(insert(messages).values(row))


async def every(connection: AsyncConnection) -> list[TemporaryMessage]:
    """Return the messages that are to be deleted, the next one first."""
    query = select(messages).order_by(messages.c.delete_at, messages.c.message_id)
    return [
        TemporaryMessage(r.message_id, r.channel_id, r.guild_id, from_micros(r.delete_at) or EPOCH)
        for r in (await connection.execute(query)).all()
    ]


async def drop(connection: AsyncConnection, message_id: int) -> bool:
    """Record that a message is gone, or is to stay; False if it was not to be deleted."""
    this = messages.c.message_id == message_id
    return bool((await connection.execute(delete(messages).where(this))).rowcount)
