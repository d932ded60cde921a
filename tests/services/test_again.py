"""The same files again are known by what is in them, and read wherever anything may differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.app import App
from bot.models import SHARED, Thread
from bot.services import again, elsewhere
from bot.services.import_report import ImportReport
from bot.sources import Found, Options, SourceReport, find_all, sameness
from bot.store import soft_delete
from bot.store.soft_delete import Target
from bot.store.tables import facts
from tests.kit.dumps import answer, put, question

GUILD = 7
POSTS = [question(1, "How do I prune a pear?"), answer(2, 1), question(3, "Why are figs sweet?")]


@pytest.fixture(autouse=True)
def _any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sameness, "SMALLEST", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put(tmp_path / "garden", POSTS)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """The options of each import that read its files."""
    found: list[Options] = []

    def noted(paths: list[Path], seen: SourceReport, options: Options) -> Iterator[Found | None]:
        found.append(options)
        return find_all(paths, seen, options)

    monkeypatch.setattr(elsewhere, "find_all", noted)
    return found


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.retired


async def test_they_are_not_read(app: App, folder: Path, reads: list[Options]) -> None:
    put(folder, [*POSTS, {"Id": 9, "PostTypeId": 5}])
    first = await app.library.import_paths([folder])
    second = await app.library.import_paths([folder])
    assert len(reads) == 1
    assert (counts(first), counts(second)) == ((2, 0, 0, 0), (0, 0, 2, 0))
    assert second.passed_over == first.passed_over == {"tag wikis": 1}


async def test_two_of_them_by_turns_are_not_read(
    app: App, folder: Path, tmp_path: Path, reads: list[Options]
) -> None:
    other = put(tmp_path / "kitchen", [question(1, "How long do eggs boil?")])
    for _ in range(2):  # the second time it is seen that neither changed anything
        await app.library.import_paths([folder])
        await app.library.import_paths([other])
    reads.clear()
    assert counts(await app.library.import_paths([folder])) == (0, 0, 2, 0)
    assert counts(await app.library.import_paths([other])) == (0, 0, 1, 0)
    assert not reads


class TestAreReadWhere:
    @pytest.fixture(autouse=True)
    async def imported(self, app: App, folder: Path, reads: list[Options]) -> None:
        put(folder, POSTS, Users=[{"Id": 1, "DisplayName": "Ann"}])
        await app.library.import_paths([folder])
        reads.clear()

    async def test_the_posts_are_others(self, app: App, folder: Path) -> None:
        put(folder, [*POSTS[:2], question(3, "Why are figs sour?")])
        assert counts(await app.library.import_paths([folder])) == (0, 1, 1, 0)

    async def test_a_file_beside_them_is_another(
        self, app: App, folder: Path, reads: list[Options]
    ) -> None:
        put(folder, POSTS, Users=[{"Id": 1, "DisplayName": "Bob"}])
        await app.library.import_paths([folder])
        assert len(reads) == 1

    @pytest.mark.parametrize(
        "options", [Options(min_score=1), Options(site="x.example.org"), Options(limit=2)]
    )
    async def test_other_options_are_given(
        self, app: App, folder: Path, options: Options, reads: list[Options]
    ) -> None:
        await app.library.import_paths([folder], options=options)
        assert reads == [options]

    async def test_what_is_gone_is_to_be_retired(
        self, app: App, folder: Path, reads: list[Options]
    ) -> None:
        await app.library.add([Thread(key="old", title="Old?", source="garden")])
        report = await app.library.import_paths([folder], prune=True)
        assert counts(report) == (0, 0, 2, 1)
        await app.library.import_paths([folder], prune=True)
        assert len(reads) == 1

    async def test_it_is_another_scope(self, app: App, folder: Path) -> None:
        report = await app.library.import_paths([folder], scope=GUILD)
        assert counts(report) == (2, 0, 0, 0)

    async def test_another_import_gave_other_scores_alone(
        self, app: App, folder: Path, tmp_path: Path
    ) -> None:
        newer = put(tmp_path / "newer" / "garden", [POSTS[0] | {"Score": 5}, *POSTS[1:]])
        assert counts(await app.library.import_paths([newer])) == (0, 1, 1, 0)
        assert counts(await app.library.import_paths([folder])) == (0, 1, 1, 0)

    async def test_a_moderator_took_one_away(self, app: App, folder: Path) -> None:
        async with app.database.write() as connection:
            await soft_delete.remove(connection, SHARED, Target(1))
        assert counts(await app.library.import_paths([folder])) == (0, 1, 1, 0)

    @pytest.mark.parametrize("what", ["removed", "imported"])
    async def test_somebody_changed_something_meanwhile(
        self,
        app: App,
        folder: Path,
        reads: list[Options],
        monkeypatch: pytest.MonkeyPatch,
        what: str,
    ) -> None:
        real = again.Again.note

        async def late(self: again.Again, threads: int, seen: SourceReport) -> None:
            if what == "removed":
                async with app.database.write() as connection:
                    await soft_delete.remove(connection, SHARED, Target(1))
            else:
                await app.library.add([Thread(key="garden/1", title="How do I prune a plum?")])
            await real(self, threads, seen)

        put(folder, [*POSTS, question(8)])
        with monkeypatch.context() as patch:
            patch.setattr(again.Again, "note", late)
            await app.library.import_paths([folder])
        assert counts(await app.library.import_paths([folder])) == (0, 1, 2, 0)
        assert len(reads) == 2


async def test_what_was_refused_is_reported_again(app: App, folder: Path) -> None:
    put(folder, [*POSTS, question(3)])
    for _ in range(2):
        report = await app.library.import_paths([folder])
        assert [problem.reason for problem in report.rejected] == [
            "the id 3 is taken by a row before"
        ]


async def test_what_no_longer_holds_is_not_kept(app: App, folder: Path) -> None:
    for n in range(5):
        put(folder, [*POSTS, question(10 + n)])
        await app.library.import_paths([folder])
    noted = select(func.count()).where(facts.c.name.startswith("import:"))
    async with app.database.read() as connection:
        assert await connection.scalar(noted) == 1


async def test_a_file_is_not_the_folder_it_lies_in(
    app: App, tmp_path: Path, reads: list[Options]
) -> None:
    table = tmp_path / "faq" / "garden.csv"
    table.parent.mkdir()
    table.write_text("question,answer\nHow do I prune a pear?,In winter.\n", encoding="utf-8")
    await app.library.import_paths([table.parent])
    await app.library.import_paths([table])  # the same thread, from another source
    assert len(reads) == 2
