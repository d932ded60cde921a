"""Facts that the program keeps about the library and about guilds, by their names."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import facts

LIBRARY_ID = "library_id"
"""The fact by which an index knows its database; a copy of a library gets another."""

MOVE = "unfinished_move"
"""The fact of a library into which another is being moved: it is not whole yet."""

COMMAND_TREE_HASH = "command_tree_hash"
"""The fact that has the hash of the commands that were last sent to Discord."""


async def fact(connection: AsyncConnection, name: str) -> str | None:
    """Return a fact; ``None`` if there is none of this name."""
    return await connection.scalar(select(facts.c.value).where(facts.c.name == name))


async def set_fact(connection: AsyncConnection, name: str, value: str) -> None:
    """Write a fact, in place of a former one of its name."""
    await drop_fact(connection, name)
    await connection.execute(insert(facts).values(name=name, value=value))


async def drop_fact(connection: AsyncConnection, name: str) -> None:
    """Delete a fact, if there is one of this name."""
    await connection.execute(delete(facts).where(facts.c.name == name))
