"""One database file of the test's own, and a second program that has it open."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.database import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "library.db"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with empty tables, to be copied: that is quicker than migrating."""
    file = tmp_path_factory.mktemp("migrated") / "library.db"

    async def make() -> None:
        await (await Database.open(f"sqlite+aiosqlite:///{file}")).close()

    asyncio.run(make())
    return file


@pytest.fixture
async def database(file: Path, migrated: Path) -> AsyncIterator[Database]:
    file.parent.mkdir()
    shutil.copy(migrated, file)
    opened = await Database.open(f"sqlite+aiosqlite:///{file}")
    yield opened
    await opened.close()


@pytest.fixture
def other_program(database: Database) -> Iterator[sqlite3.Connection]:
    """A plain connection to the same file, which waits for nobody."""
    assert database.path is not None
    with closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as connection:
        yield connection
