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
from tests.conftest import DATABASES


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


OF_SQLITE = {"file", "other_program"}
"""Fixtures of tests that are about the file."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a database on SQLite and on PostgreSQL, unless it is about the file."""
    if "database_url" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("sqlite_only")
        of_file = marked or OF_SQLITE & {*metafunc.fixturenames}
        metafunc.parametrize("kind", DATABASES[:1] if of_file else DATABASES)


@pytest.fixture
def database_url(kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables."""
    if kind == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    file, migrated = (request.getfixturevalue(name) for name in ("file", "migrated"))
    file.parent.mkdir()
    shutil.copy(migrated, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def other_program(database: Database) -> Iterator[sqlite3.Connection]:
    """A plain connection to the same file, which waits for nobody."""
    assert database.path is not None
    with closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as connection:
        yield connection
