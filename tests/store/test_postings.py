"""Postings: by which index they are found."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import postings
from bot.store.database import Database


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("ask", "column"),
    [
        (lambda c: postings.of_thread(c, 1, 1), "thread_id"),
        (lambda c: postings.asked_by(c, 1, 1, 1), "(answer_id|asker_id)"),
    ],
)
async def test_postings_are_not_found_by_their_guild(
    database: Database, ask: Callable[[AsyncConnection], Awaitable[Any]], column: str
) -> None:
    """A guild that was shown much has some hundred thousand; a thread and a member have few."""
    asked: list[Any] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2:4])

    event.listen(database._readers.sync_engine, "before_cursor_execute", note)
    async with database.read() as connection:
        await ask(connection)
        sql, values = asked[-1]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        assert re.search(rf"USING INDEX ix_postings_{column} ", str(plan.all()))
