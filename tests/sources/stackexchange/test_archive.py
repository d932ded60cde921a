"""Dumps in 7z archives: read as a stream, and not to anybody's harm."""

from __future__ import annotations

import os
import random
import struct
import sys
import threading
import zlib
from pathlib import Path

import py7zr
import pytest

from bot.sources import SourceReport, find_all, read
from bot.sources.stackexchange import archive
from tests.kit.dumps import answer, question, rows

POSTS = rows("posts", [question(1, OwnerUserId=5), answer(2, 1)])
USERS = rows("users", [{"Id": 5, "DisplayName": "mina"}])


QUICKLY = [{"id": py7zr.FILTER_LZMA2, "preset": 0}]
"""Packs megabytes quickly."""


def letters(count: int) -> str:
    """So many letters and blanks in no order, the same each time."""
    few = bytes(b"abcdefgh "[n % 9] for n in range(256))
    return random.Random(1).randbytes(count).translate(few).decode()


def pack(file: Path, contents: dict[str, str | bytes], **options: object) -> Path:
    with py7zr.SevenZipFile(file, "w", **options) as packed:  # type: ignore[arg-type]
        for name, content in contents.items():
            packed.writestr(content, name)
    return file


def renamed(file: Path, old: str, new: str) -> Path:
    """The archive with another name in its header, which py7zr would not write itself."""
    with py7zr.SevenZipFile(file, "r") as packed:
        contents = packed.getnames()
    assert old in contents
    data = bytearray(file.read_bytes())
    offset, size, _ = struct.unpack("<QQL", data[12:32])
    header = bytes(data[32 + offset : 32 + offset + size])
    assert len(old) == len(new)
    header = header.replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    start = struct.pack("<QQL", offset, size, zlib.crc32(header))
    data[8:32] = struct.pack("<L", zlib.crc32(start)) + start
    data[32 + offset : 32 + offset + size] = header
    file.write_bytes(data)
    return file


def plain_header(file: Path, contents: dict[str, str | bytes]) -> Path:
    with py7zr.SevenZipFile(file, "w") as packed:
        packed.set_encoded_header_mode(False)
        for name, content in contents.items():
            packed.writestr(content, name)
    return file


def reasons(report: SourceReport) -> list[str]:
    return [error.reason for error in report.rejected]


@pytest.mark.parametrize("name", ["history.stackexchange.com.7z", "history.stackexchange.com"])
@pytest.mark.parametrize("inside", ["", "history/"])
def test_an_archive_is_read_whatever_order_it_has(
    tmp_path: Path, report: SourceReport, name: str, inside: str
) -> None:
    contents: dict[str, str | bytes] = {"Votes.xml": "<votes/>", "Users.xml": USERS}
    contents |= {"Posts.xml": POSTS, "Comments.xml": "<comments/>"}
    pack(tmp_path / name, {f"{inside}{key}": text for key, text in contents.items()})
    (thread,) = read(tmp_path / name, report)
    assert (thread.key, thread.author) == ("history.stackexchange.com/1", "mina")
    assert thread.url == "https://history.stackexchange.com/q/1"
    assert len(thread.answers) == 1
    assert report.rejected == report.warned == []


def test_an_archive_of_a_folder_is_read(tmp_path: Path, report: SourceReport) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "Posts.xml").write_text(POSTS, encoding="utf-8")
    with py7zr.SevenZipFile(tmp_path / "x.7z", "w") as packed:
        packed.writeall(folder, ".")  # the folder itself has the name "." in it
    assert len(list(read(tmp_path / "x.7z", report))) == 1
    assert report.rejected == []


def test_parts_in_archives_of_their_own_are_read_together(
    tmp_path: Path, report: SourceReport
) -> None:
    pack(tmp_path / "stackoverflow.com-Posts.7z", {"Posts.xml": POSTS})
    pack(tmp_path / "stackoverflow.com-Users.7z", {"Users.xml": USERS})
    pack(tmp_path / "stackoverflow.com-Tags.7z", {"Tags.xml": "<tags/>"})
    (thread,) = read(tmp_path, report)
    assert (thread.key, thread.author) == ("stackoverflow.com/1", "mina")
    assert report.rejected == []
    assert report.passed_over == {"files of dumps that are read along with their posts": 2}


def test_votes_in_it_are_looked_at_where_they_are_needed(
    tmp_path: Path, report: SourceReport
) -> None:
    votes = rows("votes", [{"PostId": 1, "VoteTypeId": 2}])
    posts = rows("posts", [question(1, Score=None)])
    (thread,) = read(pack(tmp_path / "x.7z", {"Votes.xml": votes, "Posts.xml": posts}), report)
    assert thread.score == 1


def test_nothing_is_written_anywhere(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pack(tmp_path / "x.7z", {"Posts.xml": POSTS, "Users.xml": USERS})
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setenv("SQLITE_TMPDIR", str(place))
    for one in find_all([file], report):
        assert os.listdir(place) == []
        del one


@pytest.mark.parametrize(
    "evil", ["../../Evil.xml", "/tmp/eviEvil.xml", r"..\..\Evil.xml", "C:/ab/Evil.xml"]
)
def test_names_that_lead_outside_are_reported_and_left_alone(
    tmp_path: Path, report: SourceReport, evil: str
) -> None:
    name = "x" * (len(evil) - 4) + ".xml"
    file = plain_header(tmp_path / "x.7z", {"Posts.xml": POSTS, name: USERS})
    assert len(list(read(renamed(file, name, evil), report))) == 1
    shown = evil.replace("\\", "/")
    assert reasons(report) == [f"{shown!r} in it lies outside its folder, and is left alone"]


def test_posts_that_lead_outside_are_not_read(tmp_path: Path, report: SourceReport) -> None:
    file = plain_header(tmp_path / "x.7z", {"abcd/Posts.xml": POSTS})
    assert list(read(renamed(file, "abcd/Posts.xml", "../a/Posts.xml"), report)) == []
    assert reasons(report) == [
        "'../a/Posts.xml' in it lies outside its folder, and is left alone",
        "there is no Posts.xml in it",
    ]


def test_a_second_dump_in_it_is_reported(tmp_path: Path, report: SourceReport) -> None:
    other = rows("posts", [question(9)])
    file = pack(tmp_path / "x.7z", {"a/Posts.xml": POSTS, "b/Posts.xml": other, "Users.xml": USERS})
    (thread,) = read(file, report)
    assert (thread.key, thread.author) == ("x/1", "mina")
    assert reasons(report) == ["'b/Posts.xml' is a second one in it, and is passed over"]


def test_one_that_would_unpack_to_more_than_it_may_is_not_read(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "ALWAYS_BYTES", 1024**2)
    file = pack(tmp_path / "x.7z", {"Posts.xml": POSTS, "Users.xml": b"\0" * 5_000_000})
    assert file.stat().st_size < 10_000
    assert list(read(file, report)) == []
    (reason,) = reasons(report)
    assert reason.startswith("it would unpack to 5 MB, more than 100 times its size and 1 MB")


def test_one_without_posts_is_reported(tmp_path: Path, report: SourceReport) -> None:
    assert list(read(pack(tmp_path / "x.7z", {"readme.txt": "Hello"}), report)) == []
    assert reasons(report) == ["there is no Posts.xml in it"]


def test_one_with_a_password_is_reported(tmp_path: Path, report: SourceReport) -> None:
    file = pack(tmp_path / "x.7z", {"Posts.xml": POSTS}, password="secret")
    assert list(read(file, report)) == []
    assert reasons(report) == ["it needs a password"]


def test_one_with_a_password_for_its_names_is_reported(
    tmp_path: Path, report: SourceReport
) -> None:
    file = pack(tmp_path / "x.7z", {"Posts.xml": POSTS}, password="secret", header_encryption=True)
    assert list(read(file, report)) == []
    assert reasons(report) == ["it needs a password"]


@pytest.mark.parametrize("cut", [0.02, 0.2, 0.6, 0.999])
def test_one_that_is_cut_off_is_reported(tmp_path: Path, report: SourceReport, cut: float) -> None:
    file = pack(tmp_path / "x.7z", {"Posts.xml": random.Random(1).randbytes(200_000)})
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * cut)])
    assert list(read(file, report)) == []
    assert "the archive is cut off or damaged; what came before was read" in reasons(report)


def test_one_that_is_damaged_gives_what_came_before(tmp_path: Path, report: SourceReport) -> None:
    text = letters(20_000 * 300)
    bodies = [text[at : at + 300] for at in range(0, len(text), 300)]
    posts = rows("posts", [question(n, Body=body) for n, body in enumerate(bodies, 1)])
    file = pack(tmp_path / "x.7z", {"Posts.xml": posts}, filters=QUICKLY)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = b"\xff" * 100
    file.write_bytes(data)
    assert 1_000 < len(list(read(file, report))) < 19_000
    assert "the archive is cut off or damaged; what came before was read" in reasons(report)


def test_whoever_stops_reading_leaves_no_thread_behind(
    tmp_path: Path, report: SourceReport
) -> None:
    before = threading.active_count()
    posts = rows("posts", [question(1, Body=letters(9_000_000)), question(2)])
    file = pack(tmp_path / "x.7z", {"Posts.xml": posts}, filters=QUICKLY)
    found = find_all([file], report)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_without_py7zr_it_says_what_to_do(
    tmp_path: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pack(tmp_path / "x.7z", {"Posts.xml": POSTS})
    monkeypatch.setitem(sys.modules, "py7zr", None)
    assert list(read(file, report)) == []
    assert reasons(report) == [
        "reading it needs py7zr: pip install 'threadwise[dumps]', or unpack it yourself"
    ]
