"""A source brought again: what is new, what has changed, what is gone, and what broke off."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import App
from bot.errors import ConfigError, StoreError
from bot.models import SHARED, StoredThread, Thread, Vote
from bot.services import import_pipeline, import_reader
from bot.services.import_pipeline import ImportReport
from bot.services.import_reader import Prepared
from bot.settings import Settings
from bot.sources import Options
from bot.store import change_feed, threads
from tests.kit import programs
from tests.kit.dumps import answer, put, question
from tests.kit.library import HERE, at, titles
from tests.kit.votes import press_button
from tests.kit.waiting import HANG

POSTS = [question(1, "How do I prune a pear?"), answer(2, 1), question(3, "Why are figs sweet?")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "garden"


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.retired


async def last_change(app: App) -> int:
    async with app.database.read() as connection:
        return await change_feed.last_change(connection)


class TestAgain:
    async def test_nothing_is_made_and_nothing_changes(
        self, app: App, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(folder, POSTS)
        assert counts(await app.library.import_paths([folder])) == (2, 0, 0, 0)
        seq = await last_change(app)

        def never(_found: object) -> Prepared:
            raise AssertionError("there was nothing to make")

        monkeypatch.setattr(import_reader, "prepare", never)
        assert counts(await app.library.import_paths([folder])) == (0, 0, 2, 0)
        assert await last_change(app) == seq

    async def test_what_another_file_changed_is_put_right(self, app: App, folder: Path) -> None:
        put(folder, POSTS)
        await app.library.import_paths([folder])
        await app.library.add([Thread(key="garden/1", title="Changed?", source="notes")])
        assert counts(await app.library.import_paths([folder])) == (0, 1, 1, 0)
        assert "How do I prune a pear?" in await titles(app)

    async def test_made_in_another_manner_it_is_still_the_same(
        self, app: App, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(folder, POSTS)
        await app.library.import_paths([folder])
        seq = await last_change(app)
        monkeypatch.setattr("bot.sources.stackexchange.build.VERSION", "newer")
        assert counts(await app.library.import_paths([folder])) == (0, 0, 2, 0)
        monkeypatch.setattr(import_reader, "prepare", None)  # its new fingerprint is known by now
        assert counts(await app.library.import_paths([folder])) == (0, 0, 2, 0)
        assert await last_change(app) == seq


class TestANewerCopy:
    async def test_updates_and_adds(self, app: App, folder: Path) -> None:
        await app.library.import_paths([put(folder, POSTS)])
        newer = [POSTS[0], POSTS[1], question(3, "Why are dates sweet?"), question(9)]
        report = await app.library.import_paths([put(folder, newer)])
        assert counts(report) == (1, 1, 1, 0)
        assert await titles(app) == sorted(
            ["How do I prune a pear?", "Why are dates sweet?", "What is number 9?"]
        )

    async def test_leaves_votes_and_what_was_taught(self, app: App, folder: Path) -> None:
        await app.library.import_paths([put(folder, POSTS)])
        await press_button(app.voting, answer_id=1, guild_id=HERE, user_id=1, value=Vote.UP)
        changed = [
            POSTS[0] | {"Score": 5},
            POSTS[1] | {"Body": "<p>Quite another text: in winter.</p>", "Score": 3},
            answer(4, 1),
        ]
        links = [{"PostId": 3, "RelatedPostId": 1, "LinkTypeId": 3}]
        put(folder, [*changed, POSTS[2]], PostLinks=links)
        assert counts(await app.library.import_paths([folder])) == (0, 2, 0, 0)
        thread = await app.answering.find("garden/1", guild_id=HERE)
        assert thread is not None
        assert {a.key: (a.score, a.votes) for a in thread.answers} == {"2": (3, 1), "4": (0, 0)}
        assert thread.phrasings == ("Why are figs sweet?",)
        assert thread.related == ("garden/3",)

    async def test_of_which_only_scores_are_new_is_not_indexed_again(
        self, app: App, folder: Path
    ) -> None:
        await app.library.import_paths([put(folder, POSTS)])
        seq = await last_change(app)
        newer = [POSTS[0] | {"Score": 8}, POSTS[1] | {"Score": 9}, POSTS[2]]
        assert counts(await app.library.import_paths([put(folder, newer)])) == (0, 1, 1, 0)
        assert await last_change(app) == seq
        async with app.database.read() as connection:
            rows = await connection.exec_driver_sql("SELECT DISTINCT revision FROM threads")
            assert [row.revision for row in rows] == [1]  # so its vectors are kept
        thread = await app.answering.find("garden/1")
        assert thread is not None
        assert (thread.score, thread.answers[0].score) == (8, 9)

    async def test_takes_what_others_say_of_a_thread_for_a_change(
        self, app: App, folder: Path
    ) -> None:
        await app.library.import_paths([put(folder, POSTS)])
        seq = await last_change(app)
        newer = [POSTS[0], POSTS[1] | {"Body": "<p>Only in a dry winter.</p>"}, POSTS[2]]
        await app.library.import_paths([put(folder, newer)])
        assert await last_change(app) == seq + 1
        assert [m.key for m in (await app.answering.ask("dry winter")).matches] == ["garden/1"]


class TestPruning:
    async def prune(self, app: App, *paths: Path) -> ImportReport:
        return await app.library.import_paths(paths, prune=True)

    async def test_retires_what_is_gone_from_the_source(
        self, app: App, folder: Path, tmp_path: Path
    ) -> None:
        other = put(tmp_path / "other", [question(3, "Why are dates brown?")])
        await app.library.import_paths([put(folder, POSTS), other])
        report = await self.prune(app, put(folder, POSTS[:2]))
        assert counts(report) == (0, 0, 1, 1)
        assert await titles(app) == ["How do I prune a pear?", "Why are dates brown?"]
        assert (await app.library.count()).threads == 2
        assert "garden/3" not in [
            m.key for m in (await app.answering.ask("why are figs sweet")).matches
        ]
        state = await app.examine()
        assert state.problems == ()

    async def test_what_comes_back_has_its_votes(self, app: App, folder: Path) -> None:
        await app.library.import_paths([put(folder, POSTS)])
        await press_button(app.voting, answer_id=1, guild_id=HERE, user_id=1, value=Vote.UP)
        assert (await self.prune(app, put(folder, POSTS[2:]))).retired == 1
        assert await app.answering.find("garden/1") is None
        assert counts(await self.prune(app, put(folder, POSTS))) == (0, 1, 1, 0)
        thread = await app.answering.find("garden/1", guild_id=HERE)
        assert thread is not None
        assert thread.answers[0].votes == 1
        assert [m.key for m in (await app.answering.ask("how do i prune a pear")).matches] == [
            "garden/1"
        ]

    async def test_takes_no_other_source_of_the_same_name_for_a_newer_copy(
        self, app: App, tmp_path: Path
    ) -> None:
        for place in "ab":
            (tmp_path / place / "faq").mkdir(parents=True)
            page = tmp_path / place / "faq" / f"{place}.txt"
            page.write_text(f"Where is {place}?\nAccepted answer\nHere.\n", encoding="utf-8")
        assert (await self.prune(app, tmp_path / "a" / "faq")).not_retired is None
        report = await self.prune(app, tmp_path / "b" / "faq")
        assert counts(report) == (1, 0, 0, 0)
        assert report.not_retired is not None
        assert "another source of the same name" in report.not_retired
        assert await titles(app) == ["Where is a?", "Where is b?"]

    async def test_leaves_other_scopes_alone(self, app: App, folder: Path) -> None:
        put(folder, POSTS)
        for scope in (SHARED, HERE):
            await app.library.import_paths([folder], scope=scope)
        put(folder, POSTS[:2])
        report = await app.library.import_paths([folder], scope=HERE, prune=True)
        assert report.retired == 1
        assert len(await titles(app)) == 2

    async def test_is_of_every_format(self, app: App, tmp_path: Path) -> None:
        pages = tmp_path / "faq"
        pages.mkdir()
        for name in "abc":
            (pages / f"{name}.txt").write_text(f"Why {name}?\nUpvote:1\nSo.\n")
        await app.library.import_paths([pages])
        (pages / "b.txt").unlink()
        assert counts(await self.prune(app, pages)) == (0, 0, 2, 1)

    async def test_retires_nothing_when_something_was_rejected(
        self, app: App, folder: Path
    ) -> None:
        await app.library.import_paths([put(folder, POSTS)])
        report = await self.prune(app, put(folder, [*POSTS[:2], question(3, Title=None)]))
        assert counts(report) == (0, 0, 1, 0)
        assert len(await titles(app)) == 2

    @pytest.mark.parametrize(
        "options", [Options(limit=1), Options(min_score=1), Options(tags=frozenset("a"))]
    )
    async def test_is_refused_where_threads_are_left_out(
        self, app: App, folder: Path, options: Options
    ) -> None:
        with pytest.raises(ConfigError, match="leave one of the two out"):
            await app.library.import_paths([put(folder, POSTS)], options=options, prune=True)

    async def test_ids_may_lie_far_apart(
        self, app: App, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(import_pipeline, "IDS_TOGETHER", 2)
        many = [question(n) for n in range(1, 12)]
        await app.library.import_paths([put(folder, many)])
        kept = [POSTS[2], question(6), question(7, "Which is new?"), question(11), question(20)]
        assert counts(await self.prune(app, put(folder, kept))) == (1, 2, 2, 7)
        assert len(await titles(app)) == 5

    async def test_of_many_goes_through_all(self, app: App, folder: Path) -> None:
        many = [question(n) for n in range(1, 2_501)]
        await app.library.import_paths([put(folder, many)])
        assert (await self.prune(app, put(folder, many[::500]))).retired == 2_495
        assert len(await titles(app)) == 5


HELD_IMPORT = """
import asyncio, sys
from bot.cli import main
from bot.store import threads
left, put = int(sys.argv.pop(1)), threads.put

async def held(*arguments):
    global left
    if not left:
        print("HELD", file=sys.stderr, flush=True)
        await asyncio.Event().wait()
    left -= 1
    return await put(*arguments)

threads.put = held
main()
"""
"""Imports, and is held within the transaction after so many batches (its first argument)."""


class TestMany:
    """Enough that another process reads them, and that they are indexed while they are stored."""

    MANY = 6_000
    BATCHES = 2
    """Stored when the import is broken off: enough that another process reads by then."""

    @pytest.fixture
    def many(self, folder: Path) -> Path:
        body = f"<p>{'Counting is fun. ' * 40}</p>"
        posts = [question(n, f"Which number is {n}?", Body=body) for n in range(1, self.MANY + 1)]
        put(folder, [*posts, *(answer(10_000 + n, n) for n in range(1, 1_000))])
        assert (folder / "Posts.xml").stat().st_size > import_reader.WORKER_BYTES
        return folder

    async def test_are_all_found(
        self, app: App, many: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read_back: list[int] = []
        searched = threads.index_entries

        async def noted(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, StoredThread]:
            read_back.extend(ids)
            return await searched(connection, ids)

        monkeypatch.setattr(threads, "index_entries", noted)
        steps: list[int] = []
        report = await app.library.import_paths([many], progress=steps.append)
        assert counts(report) == (self.MANY, 0, 0, 0)
        assert sum(steps) == self.MANY
        assert len(app.engine) == self.MANY
        assert app.engine.seq == await last_change(app)
        assert len(read_back) < self.MANY / 2  # the rest was indexed as it was stored
        assert psutil.Process().children() == []
        reply = await app.answering.ask("which number is 3432")
        assert reply.matches[0].key == "garden/3432"

    async def test_whose_index_cant_be_written_stop_the_import(
        self, app: App, many: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:

        def broken(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("bot.search.index.Writing.put", broken)
            with pytest.raises(OSError, match="No space left"):
                await app.library.import_paths([many])
        report = await app.library.import_paths([many])
        assert report.total == self.MANY
        assert len(app.engine) == self.MANY

    @pytest.mark.sqlite_only  # a full disk is made by its PRAGMA
    async def test_on_a_full_disk_keep_what_was_finished(self, app: App, many: Path) -> None:
        async with app.database.write() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 900}")
        with pytest.raises(StoreError, match="no room left on the disk"):
            await app.library.import_paths([many])
        there = (await app.library.count()).threads
        assert 0 < there < self.MANY
        assert there % 1_000 == 0
        async with app.database.write() as connection:
            await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert counts(await app.library.import_paths([many])) == (
            self.MANY - there,
            0,
            there,
            0,
        )
        assert len(app.engine) == self.MANY

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    async def test_broken_off_in_the_middle_go_on_from_there(
        self, settings: Settings, many: Path, how: signal.Signals
    ) -> None:
        environment = {"DATA_DIR": str(settings.data_dir), "SEEDS_DIR": str(many / "none")}
        process = await programs.start(
            "-c",
            HELD_IMPORT,
            str(self.BATCHES),
            "import",
            many,
            EMBEDDING_MODEL="off",
            **environment,
        )
        await process.until("HELD\n")
        helpers = psutil.Process(process.pid).children()
        assert helpers
        process.signal(how)
        code, _, said = await process.end()
        assert code == (-9 if how is signal.SIGKILL else 130), said
        goes_on = ["what was taken in stays; the same command goes on from there", "stopped"]
        assert said.splitlines() == ["HELD", *([] if how is signal.SIGKILL else goes_on)]
        assert psutil.wait_procs(helpers, timeout=HANG)[1] == []

        app = await App.open(at(settings.data_dir))
        try:
            there = (await app.library.count()).threads
            assert there == self.BATCHES * 1_000
            report = await app.library.import_paths([many])
            assert counts(report) == (self.MANY - there, 0, there, 0)
            assert len(app.engine) == self.MANY
            assert (await app.examine()).problems == ()
        finally:
            await app.close()


async def test_two_versions_in_one_batch_leave_the_later(app: App) -> None:
    first = Thread(key="a", title="First?")
    report = await app.library.add([first, replace(first, title="Second?")])
    assert report.added == 1
    assert await titles(app) == ["Second?"]
