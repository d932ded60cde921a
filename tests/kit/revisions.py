"""The revisions of a guild's threads, as the database has them."""

from __future__ import annotations

from sqlalchemy import select

from bot.app import App
from bot.curation import Revision
from bot.store.curation_tables import revisions as table
from bot.store.revisions import of_row


async def kept(
    app: App, guild_id: int, thread_id: int | None = None, *, proposed: bool | None = None
) -> list[Revision]:
    """Return a guild's revisions, or those of one thread, the newest first."""
    query = select(table).where(table.c.guild_id == guild_id).order_by(table.c.id.desc())
    if thread_id is not None:
        query = query.where(table.c.thread_id == thread_id)
    if proposed is not None:
        query = query.where(table.c.proposed.is_(proposed))
    async with app.database.read() as connection:
        return [of_row(row) for row in (await connection.execute(query)).all()]
