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
from bot.sources import writers
from bot.sources.writers import Pages
from tests.kit.command_line import JSON_THREAD, PAGE, Threadwise


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


@pytest.mark.parametrize(("name", "form"), [("library.md", ""), ("x", "markdown"), ("x", "pages")])
def test_every_form_gives_the_same_library(
    threadwise: Threadwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    threadwise("export", tmp_path / "before.jsonl")
    options = ["--format", form] if form else []
    first = threadwise("export", tmp_path / name, *options)
    assert first.exit_code == 0, first.output
    assert "Wrote 2 threads" in first.stderr
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SEEDS_DIR", str(tmp_path / "none"))
    assert _summary(threadwise("import", tmp_path / name))["added"] == 2
    threadwise("export", tmp_path / "after.jsonl")
    before, after = (
        (tmp_path / f"{n}.jsonl").read_text().splitlines() for n in ("before", "after")
    )
    assert sorted(after) == sorted(before)


def test_pages_fill_a_folder_that_is_empty_and_no_other(
    threadwise: Threadwise, tmp_path: Path
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    assert threadwise("export", folder).exit_code == 0
    assert sorted(os.listdir(folder)) == ["bread.txt", "router.txt"]
    again = threadwise("export", folder)
    assert again.exit_code == 2
    assert "can't be written: there are files in it" in again.stderr
    assert sorted(os.listdir(tmp_path)) == ["home", "pages"]


def test_pages_that_cannot_be_written_leave_nothing_behind(
    threadwise: Threadwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Pages, "write", fill_the_disk)
    result = threadwise("export", tmp_path / "pages", "--format", "pages")
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert os.listdir(tmp_path) == ["home"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["x", "--format", "word"], "there is no form 'word' to write; there are jsonl, markdown"),
        (["--format", "pages"], "text pages are files: name a folder"),
        (["missing/pages", "--format", "pages"], "can't be written"),
    ],
)
def test_a_form_that_cannot_be_written_is_exit_code_2(
    threadwise: Threadwise, arguments: list[str], reason: str
) -> None:
    result = threadwise("export", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr


def test_a_library_too_large_for_markdown_is_reported(
    threadwise: Threadwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "MAX_FILE_BYTES", 100)
    result = threadwise("export", tmp_path / "x.md")
    assert result.exit_code == 2
    assert "export it as jsonl" in result.stderr
    assert threadwise("export", tmp_path / "x.jsonl").exit_code == 0


def test_export_of_a_server_gives_its_own_threads(threadwise: Threadwise) -> None:
    result = threadwise("export", "--guild", "5", "--format", "markdown")
    assert (result.exit_code, result.stdout) == (0, "")


TABLE = "Frage,Antwort,Stimmen\nWie geht das?,So.,3\nWie geht das?,Oder so.,\nkaputt,,\n"


def test_a_dry_run_shows_threads_and_counts_and_touches_nothing(
    threadwise: Threadwise, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "faq.csv").write_text(TABLE)
    (tmp_path / "more.md").write_text("".join(f"# Question {n}?\n\nx\n\n" for n in range(6)))
    result = threadwise("import", "--dry-run", tmp_path / "faq.csv", tmp_path / "more.md")
    assert result.exit_code == 1
    assert "Wie geht das?" in result.stdout
    assert "faq#wie-geht-das" in result.stdout
    assert "Oder so." in result.stdout
    assert "Question 3?" in result.stdout
    assert "Question 4?" not in result.stdout
    assert "and 2 more" in result.stderr
    assert "faq.csv, line 4: Antwort must not be empty" in result.stderr
    counts = dict(re.findall(r"^([a-z ]+?)  +(\d+)", result.stdout, re.MULTILINE))
    assert counts == {
        "threads": "7",
        "answers": "8",
        "accepted answers": "0",
        "rejected": "1",
        "passed over": "0",
    }
    assert os.listdir(home) == ["seeds"]


def test_a_dry_run_of_good_files_is_exit_code_0(threadwise: Threadwise, home: Path) -> None:
    result = threadwise("import", "--dry-run", home / "seeds")
    assert result.exit_code == 0
    assert not result.stderr


def test_columns_are_mapped_and_mistakes_name_those_there_are(
    threadwise: Threadwise, tmp_path: Path
) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(TABLE.replace("Frage", "Text").replace("kaputt,,\n", ""))
    wrong = threadwise("import", "--map", "question=Foo,answer=Antwort", file)
    assert wrong.exit_code == 1
    assert "no column 'Foo'; its columns are Text, Antwort, Stimmen" in wrong.stderr
    right = threadwise("import", "--map", "question=Text, answer=Antwort, score=Stimmen", file)
    assert (right.exit_code, _summary(right)["added"]) == (0, 1)
    assert "+3" in threadwise("thread", "faq#wie-geht-das").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--map", "frag=Foo"], "a thread has no 'frag' to map a column to; it has question, "),
        (["--map", "question"], "'question' names no column: write --map question=COLUMN"),
        (["--format", "word"], "there is no format 'word'; there are text, jsonl, "),
    ],
)
def test_options_that_say_nothing_are_exit_code_2(
    threadwise: Threadwise, home: Path, arguments: list[str], reason: str
) -> None:
    result = threadwise("import", *arguments, home / "seeds")
    assert result.exit_code == 2
    assert reason in result.stderr
    assert os.listdir(home) == ["seeds"]


def test_what_was_read_otherwise_or_passed_over_is_reported(
    threadwise: Threadwise, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "faq.csv").write_bytes("Frage,Antwort\nWärum?,Därum\n".encode("cp1252"))
    (folder / "README.md").write_text("# Tools")
    result = threadwise("import", folder)
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "faq.csv: read as Windows-1252, for it is not UTF-8 text" in result.stderr
    assert "passed over: 1 page without a question" in result.stderr


def test_an_encoding_may_be_named(threadwise: Threadwise, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_bytes("q,a\nΠού;,Εδώ\n".encode("cp1253"))
    result = threadwise("import", file)
    assert result.exit_code == 1
    assert "save it as UTF-8, or say what it is: --encoding NAME" in result.stderr
    for options in (["--dry-run"], []):
        result = threadwise("import", *options, "--encoding", "windows-1253", file)
        assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(threadwise("thread", "shop#πού", "--json").stdout)["title"] == "Πού;"
    result = threadwise("import", "--encoding", "punycode", file)
    assert result.exit_code == 2
    assert "'punycode' is no encoding that text files are in" in result.stderr


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
