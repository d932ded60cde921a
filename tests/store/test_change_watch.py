"""Watching a file of SQLite for what is written to it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from bot.store import change_watch
from bot.store.database import Database
from bot.store.tables import changes

WRITE = "INSERT INTO changes (thread_id) VALUES (1)"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite+aiosqlite:///{file}")
    yield opened
    await opened.close()


async def test_a_look_is_due_where_something_was_written(database: Database, file: Path):
    watch = database.watch()
    assert await watch.wait(0)  # what was there before
    assert [await watch.wait(0) for _ in range(3)] == [False] * 3
    async with database.write() as connection:
        await connection.execute(insert(changes).values(thread_id=1))
    assert [await watch.wait(0), await watch.wait(0)] == [True, False]
    with closing(sqlite3.connect(file)) as other_program, other_program:
        other_program.execute(WRITE)
    assert [await watch.wait(0), await watch.wait(0)] == [True, False]


async def test_what_was_undone_was_not_written(database: Database):
    watch = database.watch()
    await watch.wait(0)
    async with database.write() as connection:
        await connection.execute(insert(changes).values(thread_id=1))
        await connection.rollback()
    assert not await watch.wait(0)


async def test_each_watch_is_told(database: Database):
    watches = [database.watch() for _ in range(3)]
    assert [await watch.wait(0) for watch in watches] == [True] * 3
    async with database.write() as connection:
        await connection.execute(insert(changes).values(thread_id=1))
    assert [await watch.wait(0) for watch in watches] == [True] * 3


async def test_a_writer_that_is_at_it_holds_nobody_up(database: Database, file: Path):
    watch = database.watch()
    await watch.wait(0)
    with closing(sqlite3.connect(file)) as other_program:
        other_program.execute("BEGIN IMMEDIATE")
        other_program.execute(WRITE)
        assert not await watch.wait(0)
        other_program.execute("COMMIT")
    assert await watch.wait(0)


async def test_after_a_while_a_look_is_due_anyway(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    watch = database.watch()
    await watch.wait(0)
    monkeypatch.setattr(change_watch, "LONGEST_UNNOTICED", 0.0)
    assert [await watch.wait(0), await watch.wait(0)] == [True, True]


async def test_where_the_file_cant_be_read_whoever_looks_finds_out(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
):
    file.write_bytes(b"no database any more" * 1000)
    for other in file.parent.glob(f"{file.name}-*"):
        other.unlink()
    watch = database.watch()
    assert [await watch.wait(0), await watch.wait(0)] == [True, True]


async def test_in_memory_somebody_looks_each_time():
    database = await Database.open("sqlite+aiosqlite://")
    watch = database.watch()
    assert [await watch.wait(0), await watch.wait(0)] == [True, True]
    await database.close()
