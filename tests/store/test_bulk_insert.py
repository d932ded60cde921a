"""Rows that are handed to the driver as they are stand in the tables like others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from bot.store.database import Database
from bot.store.rows import THREAD, columns, insert_rows, pack
from bot.store.tables import answers, changes, threads
from tests.store.test_threads import BREAD

MORE = {"scope": 7, "content_hash": "x", "text_version": 1, "removed": True}


async def rows(database: Database) -> list[Any]:
    async with database.write() as connection:
        found = [row[1:] for row in (await connection.execute(select(threads))).all()]
        await connection.execute(delete(threads))
    return found


@pytest.mark.parametrize("step", [1, -1])
async def test_they_are_the_same(database: Database, step: int) -> None:
    names = (*THREAD, *MORE)[::step]
    row = (*pack(BREAD).row, *MORE.values())
    other = ("other", *row[1:])
    async with database.write() as connection:
        await insert_rows(connection, threads, names, [row[::step], other[::step]])
    found = await rows(database)
    async with database.write() as connection:
        plain = columns(BREAD) | MORE
        await connection.execute(insert(threads), [plain, plain | {"key": "other"}])
    assert found == await rows(database)


async def test_of_a_single_column(database: Database) -> None:
    async with database.write() as connection:
        await insert_rows(connection, changes, ["thread_id"], [(5,), (6,)])
        found = (await connection.execute(select(changes))).all()
    assert [(row.seq, row.thread_id, row.text) for row in found] == [(1, 5, True), (2, 6, True)]


async def test_none_are_none(database: Database) -> None:
    async with database.write() as connection:
        await insert_rows(connection, answers, ["body"], [])
        assert (await connection.execute(select(answers))).all() == []
