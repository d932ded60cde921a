"""The library's folder: its owner's alone, and without what a crash left."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bot import private_files
from bot.app import App
from bot.errors import StoreError
from bot.models import Thread
from bot.settings import Settings

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes"),
    pytest.mark.sqlite_only,  # its file is in that folder
]

SHARED_FOLDER, SHARED_FILE = 0o755, 0o644


@pytest.fixture
def data(settings: Settings) -> Path:
    """A library that everybody on the computer may read, as earlier versions made it."""
    for path in (settings.data_dir, *settings.data_dir.rglob("*")):
        path.chmod(SHARED_FOLDER if path.is_dir() else SHARED_FILE)
    return settings.data_dir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def opened(settings: Settings) -> None:
    await (await App.open(settings)).close()


async def test_a_library_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new", embedding_model="off", _env_file=None)
    app = await App.open(settings)
    try:
        await app.library.add([Thread(key="moss", title="Which moss?")])
        assert mode(settings.data_dir) == mode(settings.data_dir / "index") == 0o700
        for name in ("", "-wal", "-shm"):
            assert mode(settings.data_dir / f"threadwise.db{name}") == 0o600
    finally:
        await app.close()


async def test_an_older_library_is_tightened_at_the_start(settings: Settings, data: Path) -> None:
    former = data / "threadwise.db.before-restore-20260101-000000"
    former.write_text("former")
    former.chmod(SHARED_FILE)
    await opened(settings)
    for path in (data, *data.rglob("*")):
        assert mode(path) & 0o077 == 0, path


async def test_what_is_not_ours_stays_as_it_is(settings: Settings, data: Path) -> None:
    other = data / "notes.txt"
    other.write_text("somebody's")
    link = data / "index" / "link"
    link.symlink_to(other)
    other.chmod(SHARED_FILE)
    await opened(settings)
    assert mode(other) == SHARED_FILE


@pytest.mark.parametrize("inside", [False, True])
async def test_a_folder_that_is_more_than_the_librarys_stays_open(
    settings: Settings, data: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """DATA_DIR=. must not lock everybody out of the folder that one works in."""
    monkeypatch.chdir(data / "index" if inside else data)
    await opened(settings)
    assert mode(data) == SHARED_FOLDER
    assert mode(data / "index") == 0o700
    assert mode(data / "threadwise.db") == 0o600


def test_a_home_is_more_than_the_librarys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert private_files.is_special(tmp_path / "home")
    assert private_files.is_special(tmp_path)
    assert not private_files.is_special(tmp_path / "home" / "data")


async def test_what_a_crash_left_is_cleared_at_the_start(settings: Settings, data: Path) -> None:
    neighbours = data / "neighbours"
    neighbours.mkdir()
    left = [data / ".threadwise.db.0123abcd.part", data / ".threadwise.db.0123abcd.part-wal"]
    checkpoint = neighbours / ".checkpoint.0123abcd.part"
    checkpoint.mkdir()
    left.append(checkpoint / "0-7.usearch")
    stays = [neighbours / "0-7.usearch", neighbours / "state.json"]
    for path in (*left, *stays):
        path.write_text("x")
    with private_files.unfinished(neighbours / "checkpoint", folder=True) as in_use:
        checkpoint.mkdir(exist_ok=True)
        (checkpoint / "0-7.usearch").write_text("x")
        await opened(settings)
        assert in_use.exists()
    assert not [path for path in left if path.exists()]
    assert all(path.exists() for path in stays)


async def test_an_emptied_database_is_refused_and_left_alone(
    settings: Settings, data: Path
) -> None:
    file = data / "threadwise.db"
    os.truncate(file, 0)
    with pytest.raises(StoreError, match=r"is empty \(0 bytes\), but was a library before"):
        await App.open(settings)
    assert file.stat().st_size == 0
    file.unlink()
    await opened(settings)  # as the message says


async def test_an_emptied_database_elsewhere_is_refused_too(settings: Settings, data: Path) -> None:
    file = data.parent / "elsewhere.db"
    file.touch()
    elsewhere = {"database_url": f"sqlite+aiosqlite:///{file}"}
    with pytest.raises(StoreError, match=r"threadwise restore"):
        await App.open(settings.model_copy(update=elsewhere))


async def test_an_emptied_database_with_its_log_is_refused(tmp_path: Path) -> None:
    """SQLite would take the file for a new database, and delete the log."""
    settings = Settings(data_dir=tmp_path / "data", embedding_model="off", _env_file=None)
    settings.data_dir.mkdir()
    (settings.data_dir / "threadwise.db").touch()
    log = settings.data_dir / "threadwise.db-wal"
    log.write_text("what was written last")
    with pytest.raises(StoreError, match=r"threadwise.db-wal tells"):
        await App.open(settings)
    assert log.read_text() == "what was written last"


async def test_an_empty_file_without_an_index_is_a_new_library(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, embedding_model="off", _env_file=None)
    (tmp_path / "threadwise.db").touch()
    await opened(settings)
