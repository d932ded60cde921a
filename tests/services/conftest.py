"""A library of the test's own that is empty at first."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.app import App
from bot.models import StoredAnswer
from bot.settings import Settings
from tests.kit.library import BREAD, at, forget_environment


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library without threads, to be copied: that is quicker than making one."""
    folder = tmp_path_factory.mktemp("empty") / "data"

    async def make() -> None:
        await (await App.open(at(folder, "off"))).close()

    asyncio.run(make())
    return folder


@pytest.fixture
def settings(
    tmp_path: Path,
    empty_library: Path,
    kind: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """Settings as they are by default, with an empty library."""
    forget_environment(monkeypatch)
    if kind == "postgres":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_url"))
        return at(tmp_path / "data")
    shutil.copytree(empty_library, tmp_path / "data")
    return at(tmp_path / "data")


@pytest.fixture
async def bread(app: App) -> Sequence[StoredAnswer]:
    """The two answers of BREAD, in the library now."""
    await app.library.add([BREAD])
    thread = await app.answering.find("bread")
    assert thread is not None
    return thread.answers


@pytest.fixture
async def second(app: App) -> AsyncIterator[App]:
    """Another program with the same library open."""
    opened = await App.open(app.settings)
    yield opened
    await opened.close()
