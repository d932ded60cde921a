"""Damage to the index's folder: opening the application makes it anew and says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import App
from bot.errors import SearchError, StoreError
from bot.models import SHARED, Thread
from bot.settings import Settings
from tests.kit.library import BREAD, HERE, THERE, another_at, titles

THREADS = [BREAD, *(Thread(key=f"k{n}", title=f"Number {n} of the questions") for n in range(20))]


@pytest.fixture
async def index(settings: Settings) -> Path:
    """The index of a closed library with THREADS in it, in two segments."""
    app = await App.open(settings)
    await app.library.add(THREADS[:10])
    await app.library.add(THREADS[10:])
    await app.close()
    return settings.data_dir / "index"


def files(index: Path, suffix: str) -> list[Path]:
    found = sorted((index / str(SHARED)).glob(f"*{suffix}"))
    assert found, f"no {suffix} in {list(index.iterdir())}"
    return found


def put_in_place(file: Path, content: bytes) -> None:
    """Write a file anew; one that is mapped into memory must not become shorter."""
    other = file.with_suffix(".harmed")
    other.write_bytes(content)
    other.replace(file)


def delete(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    put_in_place(file, b"")


def halve(file: Path) -> None:
    put_in_place(file, file.read_bytes()[: file.stat().st_size // 2])


def garble(file: Path) -> None:
    put_in_place(file, b"\xa5" * file.stat().st_size)


async def opened_anew(settings: Settings, because: str) -> None:
    """The library opens with a note, and everything is found as before."""
    app = await App.open(settings)
    try:
        assert because in (app.engine.note or "no note")
        assert (await app.examine()).note == app.engine.note
        assert await titles(app) == sorted(thread.title for thread in THREADS)
        assert (await app.answering.ask("sourdough does not rise")).matches[0].key == "bread"
    finally:
        await app.close()
    again = await App.open(settings)
    assert again.engine.note is None
    await again.close()


@pytest.mark.parametrize("harm", [delete, halve])
@pytest.mark.parametrize(
    "suffix", ["meta.json", ".term", ".idx", ".store", ".fast", ".fieldnorm", ".pos"]
)
async def test_a_broken_file(
    settings: Settings, index: Path, suffix: str, harm: Callable[[Path], None]
) -> None:
    harm(files(index, suffix)[0])
    await opened_anew(settings, "it could not be read")


@pytest.mark.parametrize("place", [0.0, 0.05, 0.15, 0.7, 0.85])
async def test_a_dictionary_with_wrong_bytes_in_it(
    settings: Settings, index: Path, place: float
) -> None:
    """Tantivy panics on some of these, which Python sees as no ordinary exception."""
    for file in files(index, ".term"):
        content = bytearray(file.read_bytes())
        start = int(len(content) * place)
        content[start : start + 20] = bytes(b ^ 255 for b in content[start : start + 20])
        put_in_place(file, bytes(content))
    app = await App.open(settings)
    await app.close()


@pytest.mark.parametrize("harm", [delete, empty, halve, garble])
async def test_a_broken_state(
    settings: Settings, index: Path, harm: Callable[[Path], None]
) -> None:
    harm(index / "state.json")
    await opened_anew(settings, "it was incomplete")


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"format": 0}, "made by another version"),
        ({"library": "0" * 32}, "belongs to another library"),
        ({"seq": "many"}, "it was incomplete"),
        ({"more": 1}, "it was incomplete"),
    ],
)
async def test_a_state_of_something_else(
    settings: Settings, index: Path, changes: dict[str, object], because: str
) -> None:
    state = json.loads((index / "state.json").read_text())
    (index / "state.json").write_text(json.dumps(state | changes))
    await opened_anew(settings, because)


async def test_a_deleted_folder(settings: Settings, index: Path) -> None:
    shutil.rmtree(index)
    app = await App.open(settings)
    assert await titles(app) == sorted(thread.title for thread in THREADS)
    await app.close()


async def test_an_emptied_folder(settings: Settings, index: Path) -> None:
    shutil.rmtree(index)
    index.mkdir()
    await opened_anew(settings, "it was incomplete")


async def test_another_librarys_index(settings: Settings, index: Path, tmp_path: Path) -> None:
    other = await App.open(another_at(tmp_path / "other"))
    await other.library.add([replace(BREAD, key="foreign", title="A foreign question")])
    await other.close()
    shutil.rmtree(index)
    shutil.copytree(tmp_path / "other" / "index", index)
    await opened_anew(settings, "it belongs to another library")


async def test_a_folder_that_cant_be_made_is_an_error(settings: Settings, index: Path) -> None:
    shutil.rmtree(index)
    index.write_text("in the way")
    with pytest.raises(
        SearchError, match=r"can't be made in .* check that DATA_DIR can be written"
    ):
        await App.open(settings)


@pytest.mark.sqlite_only
async def test_an_app_that_doesnt_open_lets_go_of_its_database(
    settings: Settings, index: Path
) -> None:
    (settings.data_dir / "threadwise.db").write_text("Dear diary, " * 500)
    with pytest.raises(StoreError, match="damaged or not a Threadwise database"):
        await App.open(settings)


async def test_an_index_that_cant_be_written_leaves_what_is_indexed(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise SearchError("the disk is full")

    await app.library.add([BREAD])
    with monkeypatch.context() as patch:
        patch.setattr("bot.search.index.Writing.put", full)
        with pytest.raises(SearchError, match="full"):
            await app.library.add([replace(BREAD, key="other")])
        again = await App.open(app.settings)
        try:
            asked = await again.answering.ask("sourdough bread does not rise")
            assert [match.key for match in asked.matches] == ["bread"]
            state = await again.examine()
        finally:
            await again.close()
    assert (state.indexing, state.not_indexed) == (False, "the disk is full")
    assert "what has changed is not found for now: the disk is full" in caplog.text


@pytest.mark.parametrize("suffix", [".store", ".fast", ".term", ".fieldnorm"])
async def test_damage_in_a_servers_closed_index_holds_up_nobody(
    settings: Settings, suffix: str
) -> None:
    app = await App.open(settings)
    for scope, word in ((HERE, "alpha"), (THERE, "beta")):
        made = [Thread(key=f"{word}{n}", title=f"{word} question {n}") for n in range(5)]
        await app.library.add(made, scope=scope)
    await app.close()
    for file in (settings.data_dir / "index" / str(HERE)).glob(f"*{suffix}"):
        put_in_place(file, file.read_bytes()[: file.stat().st_size // 2])
    app = await App.open(settings)
    try:
        await app.guild_removal.forget(THERE)  # looks for its threads in every index
        await app.library.add([Thread(key="new", title="gamma zebra stripes")])
        await app.library.add([Thread(key="alpha9", title="alpha question 9")], scope=HERE)
        (first, *_) = (await app.answering.ask("gamma zebra stripes")).matches
        assert first.key == "new"
        found = (await app.answering.ask("alpha question 3", guild_id=HERE, limit=20)).matches
        assert {f"alpha{n}" for n in (0, 1, 2, 3, 4, 9)} <= {match.key for match in found}
    finally:
        await app.close()
