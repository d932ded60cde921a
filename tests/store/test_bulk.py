"""Rows that are handed to the driver as they are stand in the tables like others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select

from bot.store import bulk
from bot.store.database import Database
from bot.store.rows import columns
from bot.store.tables import answers, changes, threads
from tests.store.test_threads import BREAD

THREAD = columns(BREAD) | {"scope": 7, "content_hash": "x", "revision": 1, "removed": True}


async def rows(database: Database, *given: dict[str, Any], plainly: bool) -> list[Any]:
    async with database.write() as connection:
        await connection.execute(delete(threads))
        if plainly:
            await connection.execute(insert(threads), [*given])
        else:
            await bulk.add(connection, threads, [dict(row) for row in given])
        return [row[1:] for row in (await connection.execute(select(threads))).all()]


async def test_they_are_the_same(database: Database) -> None:
    given = THREAD, dict(reversed((THREAD | {"key": "other", "removed": False}).items()))
    assert await rows(database, *given, plainly=False) == await rows(database, *given, plainly=True)


async def test_of_a_single_column(database: Database) -> None:
    async with database.write() as connection:
        await bulk.add(connection, changes, [{"thread_id": 5}, {"thread_id": 6}])
        found = (await connection.execute(select(changes))).all()
    assert [(row.seq, row.thread_id, row.text) for row in found] == [(1, 5, True), (2, 6, True)]


async def test_none_are_none(database: Database) -> None:
    async with database.write() as connection:
        await bulk.add(connection, answers, [])
        assert (await connection.execute(select(answers))).all() == []
