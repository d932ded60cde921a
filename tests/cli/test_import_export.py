"""``threadwise import`` and ``threadwise export``."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import Result

from bot.services.library import Library
from tests.cli.conftest import JSON_THREAD, PAGE, Threadwise


def _summary(result: Result) -> dict[str, int]:
    rows = re.findall(r"^(added|updated|unchanged|rejected) +(\d+)", result.stdout, re.MULTILINE)
    return {name: int(number) for name, number in rows}


def test_import_tells_added_updated_and_unchanged(threadwise: Threadwise, tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text(PAGE)
    first = threadwise("import", page)
    assert first.exit_code == 0, first.output
    assert _summary(first) == {"added": 1, "updated": 0, "unchanged": 0, "rejected": 0}
    assert _summary(threadwise("import", page))["unchanged"] == 1
    page.write_text(PAGE.replace("ten seconds", "twenty seconds"))
    assert _summary(threadwise("import", page))["updated"] == 1


def test_import_names_what_it_rejects_and_takes_the_rest(
    threadwise: Threadwise, tmp_path: Path
) -> None:
    lines = [json.dumps(JSON_THREAD), "{not json", json.dumps({"id": "x"})]
    (tmp_path / "threads.jsonl").write_text("\n".join(lines))
    (tmp_path / "good.txt").write_text(PAGE)
    (tmp_path / "latin.txt").write_bytes("Où est la gare ?\n".encode("latin-1"))
    result = threadwise(
        "import", tmp_path / "threads.jsonl", tmp_path / "good.txt", tmp_path / "latin.txt"
    )
    assert result.exit_code == 1
    assert _summary(result) == {"added": 2, "updated": 0, "unchanged": 0, "rejected": 3}
    complaints = result.stderr.splitlines()
    assert len([line for line in complaints if line.startswith("error: ")]) == 3
    assert any("threads.jsonl, line 2" in line for line in complaints)
    assert any("threads.jsonl, line 3" in line for line in complaints)
    assert any("latin.txt" in line for line in complaints)


def test_import_for_one_server(threadwise: Threadwise, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(PAGE)
    assert _summary(threadwise("import", "--guild", "77", tmp_path / "page.txt"))["added"] == 1
    assert '"id": "page"' in threadwise("export", "--guild", "77").stdout
    assert '"id": "page"' not in threadwise("export").stdout


def test_import_counts_keys_it_does_not_know(threadwise: Threadwise, tmp_path: Path) -> None:
    file = tmp_path / "threads.jsonl"
    file.write_text(json.dumps(JSON_THREAD | {"colour": "red"}))
    result = threadwise("import", file)
    assert result.exit_code == 0
    assert "'colour'" in result.stderr


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_import_of_nothing_is_exit_code_1(
    threadwise: Threadwise, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    result = threadwise("import", tmp_path / name)
    assert result.exit_code == 1
    assert name in result.stderr


def test_import_without_a_path_is_exit_code_2(threadwise: Threadwise) -> None:
    assert threadwise("import").exit_code == 2


def test_export_and_import_give_the_same_library(
    threadwise: Threadwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    first = threadwise("export", out / "library.jsonl")
    assert first.exit_code == 0, first.output
    assert not first.stdout
    assert "Wrote 2 threads" in first.stderr
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SEEDS_DIR", str(tmp_path / "none"))
    assert _summary(threadwise("import", out))["added"] == 2
    threadwise("export", out / "again.jsonl")
    assert (out / "again.jsonl").read_bytes() == (out / "library.jsonl").read_bytes()


def test_export_goes_to_stdout_without_a_file(threadwise: Threadwise) -> None:
    for arguments in (["export"], ["export", "-"]):
        result = threadwise(*arguments)
        assert result.exit_code == 0
        keys = [json.loads(line)["id"] for line in result.stdout.splitlines()]
        assert sorted(keys) == ["bread", "router"]


def test_export_compresses_and_is_repeatable(threadwise: Threadwise, tmp_path: Path) -> None:
    file = tmp_path / "library.jsonl.gz"
    assert threadwise("export", file).exit_code == 0
    first = file.read_bytes()
    assert len(gzip.decompress(first).splitlines()) == 2
    assert threadwise("export", file).exit_code == 0
    assert file.read_bytes() == first


def test_a_failed_export_leaves_the_old_file(
    threadwise: Threadwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fill_the_disk(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "library.jsonl"
    file.write_text("old")
    monkeypatch.setattr(Library, "export", fill_the_disk)
    result = threadwise("export", file)
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert file.read_text() == "old"
    assert os.listdir(folder) == ["library.jsonl"]


def test_export_keeps_a_link_and_writes_where_it_points(
    threadwise: Threadwise, tmp_path: Path
) -> None:
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    target.touch()
    link.symlink_to(target)
    assert threadwise("export", link).exit_code == 0
    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 2


def test_export_to_a_device_does_not_replace_it(threadwise: Threadwise) -> None:
    assert threadwise("export", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["missing/library.jsonl", "."])
def test_export_to_a_place_that_cannot_be_written_is_exit_code_2(
    threadwise: Threadwise, tmp_path: Path, name: str
) -> None:
    result = threadwise("export", tmp_path / name)
    assert result.exit_code == 2
    assert "can't be written" in result.stderr
