"""Stack Exchange dumps with something wrong in them: named with file and row, the rest goes in."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from bot.sources import SourceReport, find_all, read
from bot.sources.report import MAX_NAMED
from bot.sources.stackexchange import dump, xml_rows
from bot.sources.stackexchange.staging_db import StagingDatabase
from tests.kit.dumps import answer, put, question
from tests.kit.dumps import rows as xml

Problems = list[tuple[str, int | None, str]]


def keys(path: Path, report: SourceReport) -> list[str]:
    return [thread.key.rpartition("/")[2] for thread in read(path, report)]


def problems(some: list) -> Problems:  # type: ignore[type-arg]
    return [(Path(str(e.path)).name, e.line, e.reason) for e in some]


def write(folder: Path, content: str | bytes, name: str = "Posts") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    (folder / f"{name}.xml").write_bytes(data)
    return folder


class TestRows:
    @pytest.mark.parametrize(
        ("post", "reason"),
        [
            (question(2, Id=None), "Id is missing"),
            (question(2, Id="two"), "Id can't be 'two'"),
            (question(2, Id="9" * 30), f"Id can't be '{'9' * 30}'"),
            (question(2, Title=None), "question 2 has no title"),
            (question(2, Title="  "), "question 2 has no title"),
            (question(2, PostTypeId=None), "PostTypeId is missing"),
            (question(2, PostTypeId="Q"), "PostTypeId can't be 'Q'"),
            (answer(2, 1, ParentId=None), "ParentId is missing"),
            (answer(2, 1, Body=""), "answer 2 has no text"),
            (answer(2, 99), "the question 99 of answer 2 is not in the dump"),
            (answer(2, 2), "the question 2 of answer 2 is not in the dump"),
            (question(1, "Again?"), "the id 1 is taken by a row before"),
            (answer(1, 3), "the id 1 is taken by a row before"),
        ],
    )
    def test_that_cant_be_taken_in_are_named(
        self, folder: Path, report: SourceReport, post: dict[str, object], reason: str
    ) -> None:
        put(folder, [question(1), post, question(3)])
        assert keys(folder, report) == ["1", "3"]
        assert problems(report.rejected) == [("Posts.xml", 4, reason)]

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"AcceptedAnswerId": 77}, "accepted answer 77 of question 2 is not among its answers"),
            ({"AcceptedAnswerId": 1}, "accepted answer 1 of question 2 is not among its answers"),
            ({"AcceptedAnswerId": "x"}, "AcceptedAnswerId can't be 'x', and is left out"),
            ({"CreationDate": "2999-01-01T00:00:00"}, "lies in the future, and is left out"),
            ({"CreationDate": "9999-12-31T23:59:59+23:59"}, "future, and is left out"),
            ({"CreationDate": "0001-01-01T00:00:00+14:00"}, "can't be '0001-01-01T00:00:00+14:00'"),
            ({"CreationDate": "yesterday"}, "CreationDate can't be 'yesterday', and is left out"),
            ({"ClosedDate": "2999-01-01T00:00:00"}, "ClosedDate 2999-01-01T00:00:00 lies in the"),
            ({"Score": "many"}, "Score can't be 'many', and is left out"),
            ({"Score": 2**63}, f"Score can't be '{2**63}', and is left out"),
            ({"OwnerUserId": "me"}, "OwnerUserId can't be 'me', and is left out"),
        ],
    )
    def test_that_are_wrong_in_part_go_in_without_it(
        self, folder: Path, report: SourceReport, values: dict[str, object], reason: str
    ) -> None:
        put(folder, [question(1), question(2) | values, answer(3, 2)])
        found = list(read(folder, report))
        assert [len(thread.answers) for thread in found] == [0, 1]
        assert not found[1].answers[0].accepted
        assert report.rejected == []
        ((name, line, why),) = problems(report.warned)
        assert (name, line) == ("Posts.xml", 4)
        assert reason in why

    def test_of_one_line_with_one_id_are_told_apart(
        self, folder: Path, report: SourceReport
    ) -> None:
        write(folder, xml("posts", [question(1), question(1), question(2)]).replace("\r\n", ""))
        assert keys(folder, report) == ["1", "2"]
        assert problems(report.rejected) == [
            ("Posts.xml", 1, "the id 1 is taken by a row before"),
        ]

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda row: row.replace('Id="2"', 'Id=2'), "the row is damaged: "),
            (lambda row: row.replace("Title=", "Title"), "the row is damaged: "),
            (lambda row: row.replace("/>", ""), "the row is damaged: "),
            (lambda row: row.replace("Score=", 'Id="5" Score='), "Attribute Id redefined"),
            (lambda row: row.replace("number", "num<b>er"), "the row is damaged: "),
            (lambda row: row.replace("number", "&number;"), "Entity 'number' not defined"),
            (lambda row: row.replace("row", "column"), "what begins here is no row"),
            (lambda row: row.replace("number", "\x01"), "the row is damaged: "),
        ],
    )  # fmt: skip
    def test_that_are_damaged_cost_only_themselves(
        self, folder: Path, report: SourceReport, damage: object, reason: str
    ) -> None:
        lines = xml("posts", [question(1), question(2), question(3)]).split("\r\n")
        lines[3] = damage(lines[3])  # type: ignore[operator]
        write(folder, "\n".join(lines))
        assert keys(folder, report) == ["1", "3"]
        ((name, line, why),) = problems(report.rejected)
        assert (name, line) == ("Posts.xml", 4)
        assert reason in why

    def test_that_are_not_utf8_cost_only_themselves(
        self, folder: Path, report: SourceReport
    ) -> None:
        data = xml("posts", [question(1), question(2, "Caf\0?"), question(3)]).encode()
        write(folder, data.replace(b"\0", b"\xe9"))
        assert keys(folder, report) == ["1", "3"]
        assert [line for _, line, _ in problems(report.rejected)] == [4]

    def test_are_mended_once(self, folder: Path, report: SourceReport) -> None:
        layers = "&#" * 3_000 + "1;" * 3_000  # what is left out makes the next one whole
        posts = xml("posts", [question(1, "Is Q here?"), question(2)])
        write(folder, posts.replace("Q", layers, 1))
        assert keys(folder, report) == ["2"]
        assert [(line, why[:18]) for _, line, why in problems(report.rejected)] == [
            (3, "the row is damaged")
        ]
        assert report.warned == []

    @pytest.mark.parametrize("number", ["&#0;", "&#x1F;", "&#x0B;", "&#7;"])
    def test_lose_characters_that_xml_cant_have(
        self, folder: Path, report: SourceReport, number: str
    ) -> None:
        write(folder, xml("posts", [question(1, "Is Q here?")]).replace("Q", number))
        (thread,) = read(folder, report)
        assert thread.title == "Is  here?"
        assert problems(report.warned) == [
            ("Posts.xml", 3, "characters that XML can't have are left out")
        ]

    def test_may_be_spread_over_lines_and_have_an_end_of_their_own(
        self, folder: Path, report: SourceReport
    ) -> None:
        text = xml("posts", [question(1), answer(2, 1)])
        text = text.replace(" PostTypeId", "\n\tPostTypeId").replace(" />", "></row >")
        text = text.replace("<posts>", "<!-- <row Id='7' PostTypeId='1' Title='no'/> --><posts >")
        write(folder, text.replace("</posts>", "<!-- a\n<row b --></posts>\n<!-- end -->"))
        (thread,) = read(folder, report)
        assert len(thread.answers) == 1
        assert report.rejected == report.warned == []

    def test_longer_than_the_limit_are_named_and_passed_by(
        self, folder: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xml_rows, "MAX_ROW_BYTES", 100_000)
        monkeypatch.setattr(dump, "_CHUNK", 10_000)
        put(folder, [question(1), question(2, Body="x" * 400_000), question(3)])
        assert keys(folder, report) == ["1", "3"]
        assert problems(report.rejected) == [("Posts.xml", 4, "the row is longer than 0 MB")]

    def test_of_a_thousand_that_are_wrong_some_are_named_and_all_are_counted(
        self, folder: Path, report: SourceReport
    ) -> None:
        put(folder, [question(1), *(answer(10 + n, 7) for n in range(1_000))])
        assert keys(folder, report) == ["1"]
        assert len(report.rejected) == MAX_NAMED + 1
        assert report.refused == 1_000
        assert "answer 1009" in report.rejected[-1].reason  # the last is named as well


class TestFiles:
    @pytest.mark.parametrize("cut", [0.3, 0.5, 0.99])
    def test_that_are_cut_off_give_what_came_before(
        self, folder: Path, report: SourceReport, cut: float
    ) -> None:
        put(folder, [question(n) for n in range(1, 500)])
        file = folder / "Posts.xml"
        data = file.read_bytes()[: int(file.stat().st_size * cut)]
        file.write_bytes(data)
        assert len(keys(folder, report)) == data.count(b" />")
        ((_, line, reason),) = problems(report.rejected)
        assert line == data.count(b"\n") + 1
        assert reason == "the file is cut off here; what came before was read"

    def test_that_end_between_rows_are_cut_off_as_well(
        self, folder: Path, report: SourceReport
    ) -> None:
        write(folder, xml("posts", [question(1)]).replace("</posts>", ""))
        assert keys(folder, report) == ["1"]
        assert [line for _, line, _ in problems(report.rejected)] == [4]

    @pytest.mark.parametrize("content", ["<posts/>", "<posts>\n</posts>"])
    def test_without_questions_are_named(
        self, folder: Path, report: SourceReport, content: str
    ) -> None:
        write(folder, content)
        assert keys(folder, report) == []
        assert problems(report.rejected) == [("Posts.xml", None, "there are no questions in it")]

    def test_in_another_encoding_are_refused(self, folder: Path, report: SourceReport) -> None:
        write(folder, '<?xml version="1.0" encoding="windows-1252"?><posts></posts>')
        assert keys(folder / "Posts.xml", report) == []
        assert [why for _, _, why in problems(report.rejected)] == [
            "it is in windows-1252; save it as UTF-8"
        ]

    def test_of_another_kind_are_refused(self, folder: Path, report: SourceReport) -> None:
        write(folder, xml("users", [{"Id": 1}]))
        assert keys(folder / "Posts.xml", report) == []
        assert [why for _, _, why in problems(report.rejected)] == ["there is no <posts> in it"]

    def test_beside_that_are_damaged_cost_only_what_they_say(
        self, folder: Path, report: SourceReport
    ) -> None:
        put(folder, [question(1, OwnerUserId=5)], Users=[{"Id": 4, "DisplayName": "x"}])
        users = (folder / "Users.xml").read_text()
        (folder / "Users.xml").write_text(users.replace("</users>", ""))
        put(folder / "x", [], PostLinks=[])
        write(folder, "<nothing/>", "PostLinks")
        assert keys(folder / "Posts.xml", report) == ["1"]
        assert sorted(name for name, _, _ in problems(report.rejected)) == [
            "PostLinks.xml",
            "Users.xml",
        ]

    def test_that_change_while_they_are_read_are_named(
        self, folder: Path, report: SourceReport
    ) -> None:
        put(folder, [question(n) for n in range(1, 50)], Users=[], PostLinks=[])
        found = find_all([folder], report)
        next(found)
        for name in ("Posts", "Users"):
            with (folder / f"{name}.xml").open("a") as out:
                out.write("\n")
        assert len([one for one in found if one is not None]) == 49
        assert sorted(problems(report.rejected)) == [
            (f"{name}.xml", None, "it was changed while it was read; import it again")
            for name in ("Posts", "Users")
        ]

    def test_beside_it_that_cant_be_read_are_named_and_cost_only_themselves(
        self, folder: Path, report: SourceReport
    ) -> None:
        put(folder, [question(1)])
        (folder / "Users.xml").symlink_to("nowhere")
        (folder / "PostLinks.xml").mkdir()
        assert keys(folder, report) == ["1"]
        assert [(name, why) for name, _, why in problems(report.rejected)] == [
            ("PostLinks.xml", "it can't be read: Is a directory"),
            ("Users.xml", "there is no such file or folder"),
        ]

    def test_for_which_there_is_no_room_are_named(
        self, folder: Path, report: SourceReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Small(StagingDatabase):
            def __init__(self) -> None:
                super().__init__()
                self._database.execute("PRAGMA max_page_count = 20")

        monkeypatch.setattr(dump, "StagingDatabase", Small)
        put(folder, [question(n, Body="x" * 10_000) for n in range(1, 100)])
        assert keys(folder, report) == []
        assert "no room to put it in order; set TMPDIR" in report.rejected[0].reason


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))


class TestDoctypes:
    @pytest.mark.parametrize(
        "doctype",
        [
            '<!DOCTYPE posts SYSTEM "http://127.0.0.1:9/posts.dtd">',
            '<!DOCTYPE posts PUBLIC "-//X//Y" "file:///etc/passwd">',
            '<!DOCTYPE posts [<!ENTITY who SYSTEM "file:///etc/hostname">]>',
            f'<!DOCTYPE posts [<!ENTITY a0 "ha">{BOMB}<!ENTITY who "&a11;">]>',
            '<!DOCTYPE posts [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>',
        ],
    )
    def test_are_never_looked_at(self, folder: Path, report: SourceReport, doctype: str) -> None:
        text = xml("posts", [question(1), question(2, "Is it ENTITY?"), question(3)])
        text = text.replace("<posts>", f"{doctype}\n<posts>").replace("ENTITY", "&who;")
        write(folder, text)
        tracemalloc.start()
        assert keys(folder, report) == ["1", "3"]
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
        tracemalloc.stop()
        assert [why for _, _, why in problems(report.warned)] == [
            "its DOCTYPE is passed over, entities are not resolved"
        ]
        ((_, line, reason),) = problems(report.rejected)
        assert line == 5
        assert "Entity 'who' not defined" in reason


def test_the_folder_for_temporary_files_is_left_empty(
    folder: Path, report: SourceReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(place))
    put(folder, [question(n, Body="x" * 100_000) for n in range(1, 600)])
    found = find_all([folder], report)
    for _ in range(60):
        next(found)
    assert os.listdir(place) == []  # not even while it is read, so that no crash leaves it
    found.close()  # type: ignore[attr-defined]


def test_memory_does_not_grow_with_the_file(folder: Path, report: SourceReport) -> None:
    put(folder, [question(n, Body=f"{n} " * 2_000) for n in range(1, 8_000)])
    size = (folder / "Posts.xml").stat().st_size
    tracemalloc.start()
    count = sum(one is not None for one in find_all([folder], report))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 7_999
    assert peak < size / 4
