"""Stack Exchange dumps: what of a site's questions and answers becomes of threads."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.models import Thread
from bot.sources import Options, SourceReport, find_all, read, read_all
from bot.sources.stackexchange import build
from tests.kit.dumps import SHARED, answer, plain, put, question

REAL = [folder.name for folder in sorted(SHARED.glob("*/"))] if SHARED.is_dir() else []
SITE, AS_FOUND = Options(site="garden.example.org"), Options()


def threads(path: Path, report: SourceReport, options: Options = AS_FOUND) -> dict[str, Thread]:
    return {thread.key: thread for thread in read(path, report, options)}


class TestAThread:
    def test_has_what_the_dump_says(self, folder: Path, report: SourceReport) -> None:
        asked = question(
            7,
            "Why don't my <tomatoes> ripen & redden?",
            AcceptedAnswerId=9,
            Score=-3,
            OwnerUserId=1,
            Body="<p>They stay <em>green</em>.</p>",
            ClosedDate="2020-05-06T07:08:09.100",
        )
        said = [
            answer(8, 7, Score=4, OwnerUserId=2, ContentLicense="CC BY-SA 3.0"),
            answer(9, 7, Score=1, OwnerUserId=99, OwnerDisplayName="gone"),
        ]
        users = [{"Id": 1, "DisplayName": "mina"}, {"Id": 2, "DisplayName": "joe"}]
        (thread,) = read(put(folder, [asked, *said], Users=users), report, SITE)
        assert report.rejected == report.warned == []
        first, second = thread.answers
        assert thread == Thread(
            key="garden.example.org/7",
            title="Why don't my <tomatoes> ripen & redden?",
            body="They stay *green*.",
            score=-3,
            tags=("one", "two-three"),
            url="https://garden.example.org/q/7",
            author="mina",
            license="CC BY-SA 4.0",
            asked_at=datetime(2019, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
            closed_at=datetime(2020, 5, 6, 7, 8, 9, 100_000, tzinfo=UTC),
            source="garden.example.org",
            answers=(first, second),
        )
        assert (first.key, first.score, first.accepted, first.author) == ("8", 4, False, "joe")
        assert (second.key, second.score, second.accepted, second.author) == ("9", 1, True, "gone")
        assert first.body == "It is **8**."
        assert first.url == "https://garden.example.org/a/8"
        assert first.license == "CC BY-SA 3.0"
        assert first.answered_at == datetime(2019, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)

    def test_has_no_links_back_where_the_site_is_unknown(
        self, folder: Path, report: SourceReport
    ) -> None:
        (thread,) = read(put(folder, [question(7), answer(8, 7)]), report)
        assert (thread.key, thread.source, thread.url) == ("garden/7", "garden", None)
        assert thread.answers[0].url is None

    def test_may_have_no_answers_and_no_body(self, folder: Path, report: SourceReport) -> None:
        (thread,) = read(put(folder, [question(7, Body="", Tags=None, Score=None)]), report)
        assert (thread.body, thread.tags, thread.score, thread.answers) == ("", (), 0, ())
        assert report.rejected == report.warned == []

    @pytest.mark.parametrize("tags", ["<one><two-three>", "|one|two-three|"])
    def test_has_its_tags_in_either_form(
        self, folder: Path, report: SourceReport, tags: str
    ) -> None:
        (thread,) = read(put(folder, [question(7, Tags=tags)]), report)
        assert thread.tags == ("one", "two-three")

    @pytest.mark.parametrize(
        ("written", "license"),
        [
            ("2010-12-31T00:00:00", "CC BY-SA 2.5"),
            ("2011-04-07T23:59:59.999", "CC BY-SA 2.5"),
            ("2011-04-08T00:00:00", "CC BY-SA 3.0"),
            ("2018-05-01T23:59:59.999", "CC BY-SA 3.0"),
            ("2018-05-02T00:00:00", "CC BY-SA 4.0"),
            (None, None),
        ],
    )
    def test_has_the_licence_of_its_time_where_the_row_has_none(
        self, folder: Path, report: SourceReport, written: str | None, license: str | None
    ) -> None:
        (thread,) = read(put(folder, [question(7, CreationDate=written)]), report)
        assert thread.license == license

    def test_keeps_the_order_of_answers_wherever_they_stand(
        self, folder: Path, report: SourceReport
    ) -> None:
        posts = [answer(9, 7), answer(4, 3), question(7), answer(8, 7), question(3)]
        found = threads(put(folder, posts), report)
        assert list(found) == ["garden/3", "garden/7"]
        assert [a.key for a in found["garden/7"].answers] == ["8", "9"]
        assert [a.key for a in found["garden/3"].answers] == ["4"]

    def test_has_a_megabyte_of_text(self, folder: Path, report: SourceReport) -> None:
        body = "<p>" + "word " * 220_000 + "</p>"
        (thread,) = read(put(folder, [question(7, Body=body)]), report)
        assert len(thread.body) > 1_000_000
        assert report.rejected == []
        (told,) = report.warned
        assert (told.line, told.reason[:32]) == (3, "its text has 1,100,007 character")


class TestLinks:
    LINKS = (
        {"Id": 1, "PostId": 1, "RelatedPostId": 2, "LinkTypeId": 3},
        {"Id": 2, "PostId": 3, "RelatedPostId": 2, "LinkTypeId": 3},
        {"Id": 3, "PostId": 5, "RelatedPostId": 1, "LinkTypeId": 1},  # 5 is an answer to 4
        {"Id": 4, "PostId": 1, "RelatedPostId": 99, "LinkTypeId": 1},
        {"Id": 5, "PostId": 4, "RelatedPostId": 4, "LinkTypeId": 1},
        {"Id": 6, "PostId": 1, "RelatedPostId": 2, "LinkTypeId": 1},
    )

    def test_make_duplicates_phrasings_of_their_target(
        self, folder: Path, report: SourceReport
    ) -> None:
        posts = [question(1, "One?"), question(2, "Two?"), question(3, "Three?", Score=9)]
        posts += [question(4, "Four?"), answer(5, 4)]
        found = threads(put(folder, posts, PostLinks=self.LINKS), report)
        assert {key: thread.phrasings for key, thread in found.items() if thread.phrasings} == {
            "garden/2": ("Three?", "One?")  # the best scored first
        }
        assert {key: sorted(thread.related) for key, thread in found.items()} == {
            "garden/1": ["garden/2", "garden/4"],
            "garden/2": ["garden/1", "garden/3"],
            "garden/3": ["garden/2"],
            "garden/4": ["garden/1"],
        }
        assert report == SourceReport(
            sources={"garden": folder / "Posts.xml"}, stage="Importing threads", size=4, done=4
        )

    def test_give_no_phrasing_twice_nor_the_title_itself(
        self, folder: Path, report: SourceReport
    ) -> None:
        posts = [question(1, "Why?"), question(2, "why?"), question(3, "How?"), question(4, "how?")]
        links = [{"PostId": n, "RelatedPostId": 1, "LinkTypeId": 3} for n in (2, 3, 4)]
        found = threads(put(folder, posts, PostLinks=links), report)
        assert found["garden/1"].phrasings == ("How?",)

    def test_give_only_so_many(self, folder: Path, report: SourceReport) -> None:
        many = range(2, 200)
        posts = [question(1), *(question(n, Score=n) for n in many)]
        links = [{"PostId": n, "RelatedPostId": 1, "LinkTypeId": 3} for n in many]
        thread = threads(put(folder, posts, PostLinks=links), report)["garden/1"]
        assert len(thread.phrasings) == build.MAX_PHRASINGS
        assert thread.phrasings[0] == "What is number 199?"
        assert len(thread.related) == build.MAX_RELATED

    def test_of_other_kinds_are_counted(self, folder: Path, report: SourceReport) -> None:
        links = [{"PostId": 1, "RelatedPostId": 2, "LinkTypeId": 4}]
        found = threads(put(folder, [question(1), question(2)], PostLinks=links), report)
        assert [thread.related for thread in found.values()] == [(), ()]
        assert report.passed_over == {"links of other kinds": 1}


class TestWhereADumpIsFrom:
    @pytest.mark.parametrize(
        ("name", "site"),
        [
            ("history.stackexchange.com", "history.stackexchange.com"),
            ("History.StackExchange.com", "history.stackexchange.com"),
            ("history.meta.stackexchange.com", "history.meta.stackexchange.com"),
            ("es.stackoverflow.com", "es.stackoverflow.com"),
            ("stackoverflow.com-Posts", "stackoverflow.com"),
            ("mathoverflow.net", "mathoverflow.net"),
            ("superuser.com (1)", "superuser.com"),
            ("superuser.community", None),
            ("notes-2018", None),
            ("my.dump", None),
        ],
    )
    def test_is_reported_by_its_folders_name(
        self, tmp_path: Path, report: SourceReport, name: str, site: str | None
    ) -> None:
        (thread,) = read(put(tmp_path / name, [question(7)]), report)
        assert thread.source == (site or name)
        assert thread.url == (f"https://{site}/q/7" if site else None)

    def test_is_reported_by_its_files_name(self, tmp_path: Path, report: SourceReport) -> None:
        file = put(tmp_path / "x", [question(7)]) / "Posts.xml"
        file = file.rename(tmp_path / "askubuntu.com-Posts.xml")
        (thread,) = read(file, report)
        assert (thread.key, thread.url) == ("askubuntu.com/7", "https://askubuntu.com/q/7")

    @pytest.mark.parametrize("name", ["cs.stackexchange.com", "https://CS.stackexchange.com/"])
    def test_may_be_said(self, folder: Path, report: SourceReport, name: str) -> None:
        (thread,) = read(put(folder, [question(7)]), report, Options(site=name))
        assert thread.url == "https://cs.stackexchange.com/q/7"

    @pytest.mark.parametrize("name", ["", "history", "a b.com", "x/../y.com", "-.com"])
    def test_is_a_hosts_name(self, folder: Path, report: SourceReport, name: str) -> None:
        put(folder, [question(7)])
        if name:
            with pytest.raises(ConfigError, match="is not a site's name"):
                threads(folder, report, Options(site=name))
        else:
            assert list(threads(folder, report, Options(site=name))) == ["garden/7"]

    def test_two_dumps_of_one_name_dont_overwrite_each_other(
        self, tmp_path: Path, report: SourceReport
    ) -> None:
        first = put(tmp_path / "a" / "dump", [question(1)])
        second = put(tmp_path / "b" / "dump", [question(1, "Another?")])
        (thread,) = read_all([first, second], report)
        assert thread.title == "What is number 1?"
        (error,) = report.rejected
        assert error.path == second / "Posts.xml"
        assert "a second dump of dump" in error.reason


class TestFinding:
    def test_a_folder_with_posts_is_one_dump(self, tmp_path: Path, report: SourceReport) -> None:
        put(tmp_path / "top" / "a", [question(1)], Users=[], Votes=[], Tags=[], Badges=[])
        put(tmp_path / "top" / "b", [question(2)])
        (tmp_path / "top" / "page.txt").write_text("Why?\nUpvote:1\nSo.\n")
        assert list(threads(tmp_path / "top", report)) == ["a/1", "b/2", "page"]
        assert report.rejected == []

    def test_posts_alone_may_be_named(self, folder: Path, report: SourceReport) -> None:
        put(folder, [question(1, OwnerUserId=5)], Users=[{"Id": 5, "DisplayName": "mina"}])
        (thread,) = read(folder / "Posts.xml", report)
        assert thread.author == "mina"  # what lies beside is read as well

    def test_another_file_of_a_dump_is_not_a_dump(self, folder: Path, report: SourceReport) -> None:
        put(folder, [question(1)], Users=[{"Id": 5, "DisplayName": "mina"}])
        assert threads(folder / "Users.xml", report) == {}
        assert report.passed_over == {"files of dumps that are read along with their posts": 1}

    def test_files_may_be_written_in_any_case(self, folder: Path, report: SourceReport) -> None:
        put(folder, [question(1, OwnerUserId=5)], Users=[{"Id": 5, "DisplayName": "mina"}])
        (folder / "Posts.xml").rename(folder / "POSTS.XML")
        (folder / "Users.xml").rename(folder / "users.xml")
        assert [thread.author for thread in read(folder, report)] == ["mina"]

    def test_votes_count_where_posts_have_no_score(
        self, folder: Path, report: SourceReport
    ) -> None:
        votes = [{"PostId": 1, "VoteTypeId": kind} for kind in (2, 2, 2, 3, 5, 1)]
        votes += [{"PostId": 2, "VoteTypeId": 2}]
        posts = [question(1, Score=None), question(2, Score=7)]
        found = threads(put(folder, posts, Votes=votes), report)
        assert [thread.score for thread in found.values()] == [2, 7]


class TestWhatIsWanted:
    @pytest.fixture
    def some(self, folder: Path) -> Path:
        scores = {1: -1, 2: 5, 3: 0, 4: 9}
        tags = {1: "<a>", 2: "<a><b>", 3: "<c>", 4: "|b|c|"}
        return put(folder, [question(n, Score=scores[n], Tags=tags[n]) for n in scores])

    @pytest.mark.parametrize(
        ("options", "wanted"),
        [
            (Options(min_score=5), "24"),
            (Options(min_score=-1), "1234"),
            (Options(tags=frozenset("b")), "24"),
            (Options(tags=frozenset("bc")), "234"),
            (Options(limit=2), "12"),
            (Options(limit=1, min_score=1, tags=frozenset("c")), "4"),
        ],
    )
    def test_is_chosen_by_score_tags_and_number(
        self, some: Path, report: SourceReport, options: Options, wanted: str
    ) -> None:
        assert list(threads(some, report, options)) == [f"garden/{n}" for n in wanted]
        assert report.rejected == report.warned == []

    def test_other_kinds_of_posts_are_counted(self, folder: Path, report: SourceReport) -> None:
        posts = [question(1), *({"Id": 10 + n, "PostTypeId": n} for n in (3, 4, 5, 5, 6, 7, 8, 17))]
        assert list(threads(put(folder, posts), report)) == ["garden/1"]
        assert report.passed_over == {
            "orphaned tag wikis": 1,
            "tag wiki excerpts": 1,
            "tag wikis": 2,
            "moderator nominations": 1,
            "wiki placeholders": 1,
            "privilege wikis": 1,
            "posts of other kinds": 1,
        }


class TestFingerprints:
    def of(self, folder: Path, options: Options = AS_FOUND) -> dict[str, str]:
        drafts = find_all([folder], SourceReport(), options)
        return {d.key: d.fingerprint for d in drafts if d is not None and not isinstance(d, Thread)}

    def test_stay_while_nothing_of_the_thread_changes(self, folder: Path) -> None:
        posts = [question(1), answer(2, 1), question(3)]
        before = self.of(put(folder, posts))
        assert self.of(put(folder, [question(9), posts[1], posts[2], posts[0]])).items() >= (
            before.items()
        )

    @pytest.mark.parametrize(
        ("posts", "others"),
        [
            ([question(1, Score=1), answer(2, 1)], {}),
            ([question(1, Body="<p>Other</p>"), answer(2, 1)], {}),
            ([question(1, AcceptedAnswerId=2), answer(2, 1)], {}),
            ([question(1), answer(2, 1, Body="<p>Other</p>")], {}),
            ([question(1), answer(2, 1), answer(4, 1)], {}),
            ([question(1)], {}),
            ([question(1, OwnerUserId=5), answer(2, 1)], {}),
            ([question(1), answer(2, 1)], {"PostLinks": [(1, 1)]}),
            ([question(1), answer(2, 1)], {"PostLinks": [(3, 3)]}),
        ],
    )
    def test_change_with_anything_of_it(
        self, folder: Path, posts: list[dict[str, object]], others: dict[str, list[tuple[int, int]]]
    ) -> None:
        users = [{"Id": 5, "DisplayName": "mina"}]
        before = self.of(put(folder, [question(1), answer(2, 1), question(3)], Users=users))
        links = [
            {"PostId": 3, "RelatedPostId": 1, "LinkTypeId": kind}
            for kind, _ in others.get("PostLinks", [])
        ]
        after = self.of(put(folder, [*posts, question(3)], Users=users, PostLinks=links))
        assert after["garden/1"] != before["garden/1"]
        assert (after["garden/3"] == before["garden/3"]) == (not links)

    def test_change_with_the_site(self, folder: Path) -> None:
        put(folder, [question(1)])
        assert not {*self.of(folder).values()} & {*self.of(folder, SITE).values()}


@pytest.mark.skipif(not REAL, reason="the real dumps are not part of the repository")
@pytest.mark.parametrize("name", REAL)
class TestRealDumps:
    def test_are_read_to_the_last_row(self, name: str, report: SourceReport) -> None:
        posts = plain(SHARED / name / "Posts.xml")
        questions = {p["Id"]: p for p in posts if p["PostTypeId"] == "1"}
        answers = {p["Id"]: p for p in posts if p["PostTypeId"] == "2"}
        users = {u["Id"]: u["DisplayName"].strip() for u in plain(SHARED / name / "Users.xml")}
        found = threads(SHARED / name, report)
        said = [a for thread in found.values() for a in thread.answers]

        assert report.rejected == report.warned == []
        assert {key.rpartition("/")[2] for key in found} == questions.keys()
        assert Counter(a.key for a in said) == dict.fromkeys(answers, 1)
        assert {a.key for a in said if a.accepted} == {
            q["AcceptedAnswerId"] for q in questions.values() if "AcceptedAnswerId" in q
        }
        assert sum(report.passed_over.values()) == len(posts) - len(questions) - len(answers)

        def author(post: dict[str, str]) -> str | None:
            return users.get(post.get("OwnerUserId", "")) or post.get("OwnerDisplayName")

        assert {a.key: a.author for a in said} == {i: author(p) for i, p in answers.items()}
        for key, thread in found.items():
            row = questions[key.rpartition("/")[2]]
            assert thread.author == author(row)
            assert (thread.title, thread.score) == (row["Title"].strip(), int(row["Score"]))
            assert (thread.closed_at is not None) == ("ClosedDate" in row)
            assert "".join(f"<{tag}>" for tag in thread.tags) in (
                row["Tags"],
                row["Tags"].strip("|").replace("|", "><").join("<>"),
            )

    def test_have_their_duplicates(self, name: str, report: SourceReport) -> None:
        posts = plain(SHARED / name / "Posts.xml")
        titles = {p["Id"]: p["Title"] for p in posts if p["PostTypeId"] == "1"}
        expected: dict[str, set[str]] = {}
        for link in plain(SHARED / name / "PostLinks.xml"):
            if link["LinkTypeId"] == "3" and {link["PostId"], link["RelatedPostId"]} <= {*titles}:
                expected.setdefault(link["RelatedPostId"], set()).add(titles[link["PostId"]])
        found = threads(SHARED / name, report)
        assert {
            key.rpartition("/")[2]: {*thread.phrasings}
            for key, thread in found.items()
            if thread.phrasings
        } == expected
        if name == "quantumcomputing-2018":
            assert sum(map(len, expected.values())) == 11

    def test_are_the_same_from_an_archive(
        self, name: str, report: SourceReport, tmp_path: Path
    ) -> None:
        py7zr = pytest.importorskip("py7zr")
        folder = shutil.copytree(SHARED / name, tmp_path / "from" / name)
        with py7zr.SevenZipFile(tmp_path / f"{name}.7z", "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
        packed, unpacked = SourceReport(), SourceReport()
        assert threads(tmp_path / f"{name}.7z", packed) == threads(SHARED / name, unpacked)
        assert packed.rejected == []
        assert packed.passed_over == unpacked.passed_over


@pytest.mark.parametrize(("site", "hints"), [(None, 1), ("garden.stackexchange.com", 0)])
def test_a_site_that_nobody_knows_is_asked_for(
    tmp_path: Path, report: SourceReport, site: str | None, hints: int
) -> None:
    assert len(list(read(put(tmp_path / "garden", [question(1)]), report, Options(site=site)))) == 1
    assert len(report.hints) == hints
    assert all("--site HOST" in hint for hint in report.hints)
