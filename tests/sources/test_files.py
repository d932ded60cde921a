"""Files and folders: what is found, what is recognised, and what is named when it can't be."""

from __future__ import annotations

import codecs
import errno
import gzip
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from bot.errors import ConfigError, shown_path
from bot.models import Thread
from bot.sources import Options, SourceReport, decoding, files, find_all, read, read_all

PAGE = "T\nUpvote:1\nyes\n"
FORMS = "its content is in no form that is read here: text (.txt), jsonl (.jsonl, .jsonl.gz), "


def keys(path: Path, report: SourceReport) -> list[str]:
    return [thread.key for thread in read(path, report)]


def refusals(report: SourceReport, root: Path) -> list[tuple[str, str]]:
    return [(os.path.relpath(str(error.path), root), error.reason) for error in report.rejected]


def put(path: Path, content: str | bytes = PAGE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def line(key: str) -> str:
    return f'{{"id": "{key}", "title": "T"}}\n'


def test_a_folder_is_read_through_in_order(tmp_path: Path, report: SourceReport):
    for name in ("b.txt", "a/z.txt", "a/b/c.TXT", "e/x.jsonl", "d.jsonl.gz"):
        content: bytes = (PAGE if name.lower().endswith("txt") else line(name[0])).encode()
        put(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    assert keys(tmp_path, report) == ["c", "z", "b", "d", "e"]
    assert report == SourceReport()


def test_hidden_files_and_other_suffixes_are_passed_over_in_folders(
    tmp_path: Path, report: SourceReport
):
    for name in ("a.txt", ".b.txt", ".git/c.txt", "d.py", "e", "f.xml", "g.txt~"):
        put(tmp_path / name)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to("nothing")
    assert keys(tmp_path, report) == ["a"]
    others = {"files that end in .py": 1, "files that end in .txt~": 1, "files without a suffix": 3}
    assert report == SourceReport(passed_over=Counter(others))


@pytest.mark.parametrize("name", ["page.txt", "page", "page.md", ".page", "page.jsonl", "page.gz"])
def test_a_page_that_is_named_is_recognised_by_content(
    tmp_path: Path, report: SourceReport, name: str
):
    (thread,) = read(put(tmp_path / name), report)
    assert thread.answers[0].body == "yes"
    assert report == SourceReport()


@pytest.mark.parametrize("name", ["x.txt", "x", "x.json", "x.jsonl", "x.gz", "x.txt.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_json_lines_that_are_named_are_recognised_by_content(
    tmp_path: Path, report: SourceReport, name: str, pack: Callable[[bytes], bytes]
):
    assert keys(put(tmp_path / name, pack(f"\ufeff\n {line('k')}".encode())), report) == ["k"]
    assert report == SourceReport()


@pytest.mark.parametrize(("name", "key"), [("x.txt", "x"), ("x.md", "x"), ("x.jsonl", "k")])
def test_where_content_says_both_the_suffix_decides(
    tmp_path: Path, report: SourceReport, name: str, key: str
):
    content = line("k") + "Upvote:1\nyes\n"
    assert keys(put(tmp_path / name, content), report) == [key]
    assert len(report.rejected) == (2 if key == "k" else 0)


def test_where_content_says_nothing_the_suffix_decides(tmp_path: Path, report: SourceReport):
    assert keys(put(tmp_path / "x.txt", "Just a question?"), report) == ["x"]
    assert keys(put(tmp_path / "y.jsonl", "not json\n" + line("k")), report) == ["k"]
    assert [(e.line, e.path) for e in report.rejected] == [(1, tmp_path / "y.jsonl")]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes", b"# Notes\nabout nothing", FORMS),
        ("notes.md", b"# Notes\nabout nothing", "no heading in it is a question"),
        ("table.csv", b"name,age\nAda,36\n", "no column is named like question and answer"),
        ("package.json", b'{"name": "x", "version": "1"}', "its JSON has another shape"),
        ("feed.xml", b"<?xml version='1.0'?><feed/>", FORMS),
        ("empty", b"", FORMS),
        ("page.txt.gz", gzip.compress(PAGE.encode(), mtime=0), FORMS),
        ("broken.gz", b"\x1f\x8b\x08", FORMS),
        ("image.png", b"\x89PNG\r\n\0\0", "it is not text (it holds NUL bytes)"),
        ("dump.jsonl", b"\0" * 10_000, "it is not text (it holds NUL bytes)"),
        ("a.tar.gz", gzip.compress(b"a\0b", mtime=0), "it is not text (it holds NUL bytes)"),
        ("page.txt", codecs.BOM_UTF16_LE + PAGE.encode("utf-16-le"), "it is UTF-16 text; save"),
        ("page.txt", codecs.BOM_UTF16_BE + PAGE.encode("utf-16-be"), "it is UTF-16 text; save"),
    ],
)
def test_content_that_is_in_no_form_is_refused(
    tmp_path: Path, report: SourceReport, name: str, content: bytes, reason: str
):
    path = put(tmp_path / name, content)
    assert keys(path, report) == []
    (error,) = report.rejected
    assert error.path == path
    assert error.reason.startswith(reason)


def test_a_binary_file_in_a_folder_is_named_and_the_rest_loads(
    tmp_path: Path, report: SourceReport
):
    put(tmp_path / "a.txt", b"\0\1\2")
    put(tmp_path / "b.txt")
    assert keys(tmp_path, report) == ["b"]
    assert refusals(report, tmp_path) == [("a.txt", "it is not text (it holds NUL bytes)")]


def test_a_page_with_a_nul_character_is_named_with_its_line(tmp_path: Path, report: SourceReport):
    assert keys(put(tmp_path / "a.txt", PAGE + "\0"), report) == []
    assert [error.line for error in report.rejected] == [4]


@pytest.mark.parametrize("content", [[], ["sub/"], ["sub/.hidden.txt", "notes.md"], ["no.jsonl"]])
def test_a_folder_without_threads_is_named(
    tmp_path: Path, report: SourceReport, content: list[str]
):
    for name in content:
        (tmp_path / name).mkdir() if name.endswith("/") else put(tmp_path / name, "")
    assert keys(tmp_path, report) == []
    assert refusals(report, tmp_path) == [(".", "there are no threads in it")]


def test_a_folder_whose_files_are_all_refused_names_just_them(tmp_path: Path, report: SourceReport):
    put(tmp_path / "a.txt", "")
    assert keys(tmp_path, report) == []
    assert refusals(report, tmp_path) == [("a.txt", "the page has no title: it is empty")]


def test_a_missing_path_is_named_and_the_rest_loads(tmp_path: Path, report: SourceReport):
    paths = [tmp_path / "none", put(tmp_path / "a.txt")]
    assert [thread.key for thread in read_all(paths, report)] == ["a"]
    assert refusals(report, tmp_path) == [("none", "there is no such file or folder")]


def test_a_link_to_nothing_is_named_when_it_looks_like_a_page(tmp_path: Path, report: SourceReport):
    (tmp_path / "a.txt").symlink_to("nothing")
    put(tmp_path / "b.txt")
    assert keys(tmp_path, report) == ["b"]
    assert refusals(report, tmp_path) == [("a.txt", "there is no such file or folder")]


@pytest.mark.parametrize("name", ["pipe.txt", "socket.txt"])
def test_pipes_and_sockets_are_named_and_never_waited_for(
    tmp_path: Path, report: SourceReport, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # a socket's path may be 108 bytes long
    with socket.socket(socket.AF_UNIX) as server:
        os.mkfifo(name) if "pipe" in name else server.bind(name)
        put(tmp_path / "z.txt")
        assert keys(tmp_path, report) == ["z"]
        assert keys(tmp_path / name, report) == []
    assert refusals(report, tmp_path) == [(name, "it is a pipe, socket or device, not a file")] * 2


def test_a_folder_loop_is_named_once_and_the_rest_loads(tmp_path: Path, report: SourceReport):
    put(tmp_path / "sub/a.txt")
    put(tmp_path / "z.txt")
    (tmp_path / "sub/back").symlink_to(tmp_path, target_is_directory=True)
    assert keys(tmp_path, report) == ["a", "z"]
    assert refusals(report, tmp_path) == [
        ("sub/back", "it is a link back to a folder that it lies in (a loop)")
    ]


def test_a_loop_through_a_folder_above_is_named(tmp_path: Path, report: SourceReport):
    put(tmp_path / "top/a.txt")
    (tmp_path / "top/up").symlink_to(tmp_path, target_is_directory=True)
    put(tmp_path / "beside.txt")
    assert keys(tmp_path / "top", report) == ["a", "beside"]
    assert refusals(report, tmp_path) == [
        ("top/up/top", "it is a link back to a folder that it lies in (a loop)")
    ]


@pytest.mark.parametrize("name", ["loop", "loop.txt"])
def test_a_link_to_itself_is_named(tmp_path: Path, report: SourceReport, name: str):
    (tmp_path / name).symlink_to(name)
    put(tmp_path / "z.txt")
    assert keys(tmp_path, report) == ["z"]
    assert keys(tmp_path / name, report) == []
    assert refusals(report, tmp_path) == [(name, "it is a link that leads back to itself")] * 2


def test_links_to_folders_and_files_are_followed_and_each_is_read_once(
    tmp_path: Path, report: SourceReport
):
    put(tmp_path / "real/a.txt")
    (tmp_path / "again").symlink_to("real")
    (tmp_path / "b.txt").symlink_to("real/a.txt")
    assert keys(tmp_path, report) == ["a"]
    assert report == SourceReport()


def test_diamonds_of_links_are_walked_once(tmp_path: Path, report: SourceReport):
    # Walked by every way there is, these would be 2 to the power of 40 folders.
    for level in range(40):
        folder = tmp_path / f"x/{level}"
        folder.mkdir(parents=True)
        for name in ("left", "right"):
            (folder / name).symlink_to(f"../{level + 1}")
    put(tmp_path / "x/40/a.txt")
    assert keys(tmp_path / "x/0", report) == ["a"]
    assert report == SourceReport()


def test_the_same_file_or_folder_named_twice_is_read_once(tmp_path: Path, report: SourceReport):
    page = put(tmp_path / "f/a.txt")
    paths = [page, tmp_path / "f", page, tmp_path / "f/../f", tmp_path / "f/a.txt"]
    assert [thread.key for thread in read_all(paths, report)] == ["a"]
    assert report == SourceReport()


def test_of_two_pages_with_one_name_the_second_is_refused(tmp_path: Path, report: SourceReport):
    first = put(tmp_path / "a/faq.txt")
    put(tmp_path / "b/faq.txt")
    put(tmp_path / "b/z.txt")
    paths = [tmp_path / "a", tmp_path / "b"]
    assert [thread.key for thread in read_all(paths, report)] == ["faq", "z"]
    ((name, reason),) = refusals(report, tmp_path)
    assert name == "b/faq.txt"
    assert reason.startswith(f"its thread faq is in {first} too: where a file gives no id")


def test_a_refused_page_does_not_hold_its_name(tmp_path: Path, report: SourceReport):
    put(tmp_path / "a/faq.txt", "")
    put(tmp_path / "b/faq.txt")
    assert keys(tmp_path, report) == ["faq"]
    assert len(report.rejected) == 1


def test_the_same_id_in_another_file_is_refused(tmp_path: Path, report: SourceReport):
    put(tmp_path / "1.jsonl", line("k"))
    put(tmp_path / "2.jsonl", line("k"))
    put(tmp_path / "k.txt")
    assert keys(tmp_path, report) == ["k"]
    assert [error.path for error in report.rejected] == [tmp_path / "2.jsonl", tmp_path / "k.txt"]
    first = shown_path(tmp_path / "1.jsonl")
    assert report.rejected[0].reason.startswith(f"its thread k is in {first} too: ")


def test_an_import_of_its_own_knows_nothing_of_the_one_before(tmp_path: Path, report: SourceReport):
    put(tmp_path / "a.txt")
    assert keys(tmp_path, report) == keys(tmp_path, report) == ["a"]
    assert report == SourceReport()


def denied(*_: Any) -> Any:
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
):
    put(tmp_path / "a.txt")
    put(tmp_path / "b.txt")
    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, mode: denied() if self.stem == "a" else opened(self, mode)
    )
    assert keys(tmp_path, report) == ["b"]
    assert refusals(report, tmp_path) == [("a.txt", "it may not be read (permission denied)")]


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
):
    listed: Any = os.listdir
    monkeypatch.setattr(
        os, "listdir", lambda path: denied() if Path(path).name == "locked" else listed(path)
    )
    (tmp_path / "locked").mkdir()
    put(tmp_path / "z.txt")
    assert keys(tmp_path, report) == ["z"]
    assert refusals(report, tmp_path) == [("locked", "it may not be read (permission denied)")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_breaks_while_it_is_read_is_named(
    tmp_path: Path,
    report: SourceReport,
    monkeypatch: pytest.MonkeyPatch,
    pack: Callable[[bytes], bytes],
):
    def broken(*_: object) -> Iterator[Thread]:
        raise OSError(errno.EIO, "Input/output error")

    put(tmp_path / "a.txt")
    put(tmp_path / "b.jsonl", pack(line("k").encode()))
    monkeypatch.setattr(gzip.GzipFile, "read", broken)
    monkeypatch.setattr("bot.sources.jsonl._LineReader.threads", broken)
    assert keys(tmp_path, report) == ["a"]
    assert refusals(report, tmp_path) == [("b.jsonl", "it can't be read: Input/output error")]


@pytest.mark.parametrize("how", ["grown", "touched", "replaced", "gone"])
def test_a_file_that_changes_while_it_is_read_is_named(
    tmp_path: Path, report: SourceReport, how: str
):
    path = put(tmp_path / "a.jsonl", line("k") + line("l"))
    threads = read(path, report)
    assert next(threads).key == "k"
    match how:
        case "grown":
            put(path, line("k") + line("l") + line("m"))
        case "touched":
            os.utime(path, ns=(1, 1))
        case "replaced":
            put(tmp_path / "b", line("x")).replace(path)
        case "gone":
            path.unlink()
    assert "l" in [thread.key for thread in threads]
    ((name, reason),) = refusals(report, tmp_path)
    assert name == "a.jsonl"
    assert reason in (
        "it was changed while it was read; import it again",
        "there is no such file or folder",
    )


def test_a_format_that_is_named_decides(tmp_path: Path, report: SourceReport):
    put(tmp_path / "a.txt", "# Why?\n\nSo.\n\n# How?\n\nx\n\nUpvote:0\n\nYes.")
    assert keys(tmp_path, report) == ["a"]
    named = read(tmp_path, report, Options(format="markdown"))
    assert [thread.key for thread in named] == ["a#why", "a#how"]
    with pytest.raises(ConfigError, match="there is no format 'word'; there are text, jsonl"):
        list(read(tmp_path, report, Options(format="word")))


def test_plain_text_is_passed_over_in_folders_and_refused_if_it_is_named(
    tmp_path: Path, report: SourceReport
):
    readme = put(tmp_path / "README.txt", "Garden files\n\nSee a.txt.\n")
    put(tmp_path / "a.txt")
    assert keys(tmp_path, report) == ["a"]
    assert report == SourceReport(passed_over=Counter({"texts in which no answer is marked": 1}))
    assert keys(readme, report) == []
    (error,) = report.rejected
    assert error.reason.startswith("no answer is marked in it")


def test_a_text_page_that_is_named_as_one_needs_no_marker(tmp_path: Path, report: SourceReport):
    path = put(tmp_path / "how.txt", "How do I sow beans?\n\nOn a balcony.\n")
    (thread,) = read(path, report, Options(format="text"))
    assert (thread.title, thread.body, thread.answers) == (
        "How do I sow beans?",
        "On a balcony.",
        (),
    )
    assert report.hints == ["threads that have no answer yet: 1"]


def test_an_error_without_a_number_is_reported_in_its_own_words():
    assert files.reason(OSError("the disk is on fire")) == "it can't be read: the disk is on fire"


def test_a_plain_file_that_breaks_at_its_head_is_named(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
):
    class Broken:
        def read(self, _: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    class Opened:
        def __enter__(self) -> tuple[BinaryIO, bool]:
            return Broken(), False  # type: ignore[return-value]

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(decoding, "unpacked", lambda path: Opened())
    assert keys(put(tmp_path / "a.txt"), report) == []
    assert refusals(report, tmp_path) == [("a.txt", "it can't be read: Input/output error")]


def test_names_that_are_not_utf8_are_named_in_printable_words(tmp_path: Path, report: SourceReport):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    put(folder / "a.txt")
    put(folder / os.fsdecode(b"\xff.txt"))
    put(tmp_path / "z/a.txt")
    put(folder / "no.jsonl", "x")
    (folder / "pipe.txt").symlink_to("/dev/null")
    assert keys(tmp_path, report) == ["a"]
    messages = [str(error) for error in report.rejected]
    assert len(messages) == 4
    assert all("caf\\xe9" in message for message in messages)
    assert [message.encode() for message in messages]


def test_folders_nested_deeper_than_python_recurses_are_read(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
):
    depth = 1_200
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    Path("a.txt").write_text(PAGE)
    os.chdir(tmp_path)
    found = keys(Path("d"), report)
    # shutil.rmtree recurses, so it is taken down as it was built.
    for _ in range(depth):
        os.chdir("d")
    os.remove("a.txt")
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d")
    assert found == ["a"]
    assert report == SourceReport()


def test_a_path_too_long_for_the_system_is_named(tmp_path: Path, report: SourceReport):
    put(tmp_path / "z.txt")
    assert keys(tmp_path / ("x" * 300), report) == []
    assert report.rejected[0].reason == "it can't be read: File name too long"


def test_a_limit_ends_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text('{"id": "a", "title": "A?"}\n{broken\n', encoding="utf-8")
    report = SourceReport()
    assert [thread.key for thread in read(file, report, Options(limit=1))] == ["a"]
    assert report.rejected == []


def test_what_the_options_leave_out_lets_whoever_waits_look_up(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    lines = [f'{{"id": "{n}", "title": "{n}?", "score": {n}}}' for n in range(4)]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = find_all([file], SourceReport(), Options(min_score=3))
    assert [one and one.key for one in found] == [None, None, None, "3"]
