"""Imports and exports of the library."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import App
from bot.models import Answer, Thread, Vote
from bot.services import import_reader
from bot.services.import_pipeline import ImportReport
from bot.settings import Settings
from bot.sources.writers import OneFile
from bot.store.stats import Counts
from tests.kit.library import BREAD, HERE, THERE, another_at, titles
from tests.kit.paths import SHARED
from tests.kit.votes import press_button

SHARED_SEEDS = SHARED / "seeds"
MANY = [Thread(key=f"k{n}", title=f"Number {n} of the questions") for n in range(1_234)]

FULL = Thread(
    key="full",
    title="Is everything kept? 🦀 \u2028 «yes»",
    body="A body\n\nwith lines.\t",
    score=-(2**63),
    tags=("one", "two words"),
    url="https://example.org/1",
    author="mina",
    license="CC BY-SA 4.0",
    asked_at=datetime(2019, 5, 4, 3, 2, 1, 999_999, tzinfo=UTC),
    closed_at=datetime(2020, 5, 4, tzinfo=UTC),
    source="elsewhere",
    related=("bread",),
    phrasings=("Said so", "or so"),
    answers=(
        Answer(
            body="Yes.",
            score=2**63 - 1,
            accepted=True,
            key="a1",
            author="joe",
            url="https://example.org/1#a1",
            license="CC0",
            answered_at=datetime(1, 1, 1, tzinfo=UTC),
        ),
        Answer(body="No."),
    ),
)


async def exported(app: App, scope: int = 0) -> str:
    out = io.StringIO()
    written = await app.library.export(OneFile(out).write, scope=scope)
    assert written == out.getvalue().count("\n")
    return out.getvalue()


class TestImporting:
    async def test_reports_what_it_did(self, app: App, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        page = folder / "oven.txt"
        page.write_text("Which oven?\nAccepted answer\nThe hot one.\n")
        lines = [
            {"id": "a", "title": "One?", "colour": "red", "answers": []},
            {"id": "b", "title": "Two?"},
        ]
        (folder / "more.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n{broken\n")
        first = await app.library.import_paths([folder])
        assert (first.added, first.updated, first.unchanged, first.total) == (3, 0, 0, 3)
        assert not first.ok
        assert [(e.line, str(e.path)) for e in first.rejected] == [(3, str(folder / "more.jsonl"))]
        assert first.unknown_keys == {"colour": 1}

        page.write_text("Which oven?\nAccepted answer\nThe cold one.\n")
        (folder / "more.jsonl").write_text(json.dumps(lines[1]))
        second = await app.library.import_paths([folder])
        assert (second.added, second.updated, second.unchanged, second.total) == (0, 1, 1, 2)
        assert second.ok
        assert await app.library.count() == Counts(3, 1, 0)

    async def test_into_a_guild(self, app: App, tmp_path: Path) -> None:
        page = tmp_path / "oven.txt"
        page.write_text("Which oven?\nAccepted answer\nThe hot one.\n")
        await app.library.import_paths([page], scope=HERE)
        assert (await titles(app), await titles(app, HERE)) == ([], ["Which oven?"])

    async def test_progress_adds_up_to_the_threads(self, app: App) -> None:
        steps: list[int] = []
        report = await app.library.add(MANY, progress=steps.append)
        assert sum(steps) == report.total == report.added == len(MANY)
        assert len(steps) > 1

    async def test_nothing_is_an_empty_report(self, app: App) -> None:
        report = await app.library.add([])
        assert (report, report.ok, report.total) == (ImportReport(), True, 0)

    async def test_of_two_threads_with_one_key_the_later_holds(self, app: App) -> None:
        report = await app.library.add([BREAD, MANY[0], replace(BREAD, title="Later")])
        assert report.added == 2
        thread = await app.answering.find("bread")
        assert thread is not None
        assert thread.title == "Later"

    async def test_a_source_that_breaks_keeps_its_finished_batches(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(import_reader, "THREADS_A_BATCH", 10)

        def breaks() -> Iterator[Thread]:
            yield from MANY[:25]
            raise OSError("the cable is out")

        with pytest.raises(OSError, match="the cable is out"):
            await app.library.add(breaks())
        assert (await app.library.count()).threads == 20
        again = await app.library.add(MANY[:25])
        assert (again.added, again.unchanged) == (5, 20)
        assert len(await titles(app)) == 25

    async def test_votes_survive_it(self, app: App) -> None:
        await app.library.add([BREAD])
        await press_button(app.voting, answer_id=2, guild_id=HERE, user_id=1, value=Vote.UP)
        first, second = BREAD.answers
        await app.library.add([replace(BREAD, answers=(second, first, Answer(body="New!")))])
        thread = await app.answering.find("bread", guild_id=HERE)
        assert thread is not None
        assert {a.body: a.votes for a in thread.answers} == {
            first.body: 0,
            second.body: 1,
            "New!": 0,
        }


class TestExporting:
    async def test_elsewhere_it_makes_the_same_library(self, app: App, tmp_path: Path) -> None:
        sourced = [replace(thread, source="library") for thread in (BREAD, *MANY[:700])]
        await app.library.add([FULL, *sourced])
        text = await exported(app)
        file = tmp_path / "other.jsonl.gz"
        file.write_bytes(gzip.compress(text.encode()))
        other = await App.open(another_at(tmp_path / "other"))
        report = await other.library.import_paths([file])
        assert (report.added, report.ok) == (702, True)
        assert await exported(other) == text
        assert (await other.library.import_paths([file])).unchanged == 702
        full = await other.answering.find("full")
        assert full is not None
        assert (full.asked_at, full.score, full.title) == (FULL.asked_at, FULL.score, FULL.title)
        assert full.answers[0].answered_at == FULL.answers[0].answered_at
        await other.close()

    async def test_progress_adds_up_to_the_threads(self, app: App) -> None:
        await app.library.add(MANY)
        steps: list[int] = []
        write = OneFile(io.StringIO()).write
        assert await app.library.export(write, progress=steps.append) == len(MANY)
        assert sum(steps) == len(MANY)
        assert len(steps) > 1

    async def test_gives_one_scope_with_its_votes_and_nobodys_id(self, app: App) -> None:
        await app.library.add([BREAD])
        await app.library.add([MANY[0]], scope=HERE)
        for user in (987_001, 987_002):
            await press_button(app.voting, answer_id=1, guild_id=HERE, user_id=user, value=Vote.UP)
        await press_button(app.voting, answer_id=1, guild_id=5, user_id=1, value=Vote.DOWN)
        shared, ours = await exported(app), await exported(app, HERE)
        assert [json.loads(line)["id"] for line in shared.splitlines()] == ["bread"]
        assert [json.loads(line)["id"] for line in ours.splitlines()] == ["k0"]
        first, second = json.loads(shared)["answers"]
        assert (first["score"], first["votes"]) == (BREAD.answers[0].score, {"5": -1, "111": 2})
        assert "votes" not in second
        assert "98700" not in shared

    async def test_votes_come_along_to_another_library_and_not_twice(
        self, app: App, tmp_path: Path
    ) -> None:
        await app.library.add([BREAD])
        await press_button(app.voting, answer_id=2, guild_id=HERE, user_id=1, value=Vote.UP)
        file = tmp_path / "library.jsonl"
        file.write_text(await exported(app))
        other = await App.open(another_at(tmp_path / "other"))
        await other.library.import_paths([file])
        assert json.loads(await exported(other)) == {
            **json.loads(file.read_text()),
            "source": "library",
        }
        await press_button(other.voting, answer_id=2, guild_id=HERE, user_id=1, value=Vote.UP)
        await other.library.import_paths([file])
        thread = await other.answering.find("bread", guild_id=HERE)
        assert thread is not None
        assert {a.body: a.votes for a in thread.answers} == {
            BREAD.answers[0].body: 0,
            BREAD.answers[1].body: 2,
        }
        await other.close()

    async def test_acceptances_of_two_servers_come_along_and_nobodys_id(
        self, app: App, tmp_path: Path
    ) -> None:
        await app.library.add([BREAD])
        await app.accepting.accept(HERE, 2, 987_001)
        await app.accepting.accept(THERE, 1, 987_002)
        file = tmp_path / "library.jsonl"
        file.write_text(await exported(app))
        assert "98700" not in file.read_text()
        other = await App.open(another_at(tmp_path / "other"))
        await other.library.import_paths([file])
        assert await exported(other) == (await exported(app)).replace(
            '"source": null', '"source": "library"'
        )
        for guild, body in ((HERE, BREAD.answers[1].body), (THERE, BREAD.answers[0].body)):
            thread = await other.answering.find("bread", guild_id=guild)
            assert thread is not None
            assert [a.body for a in thread.answers if a.accepted_here] == [body]
        await other.accepting.accept(HERE, 1, 5)
        await other.library.import_paths([file])
        thread = await other.answering.find("bread", guild_id=HERE)
        assert thread is not None
        assert [a.id for a in thread.answers if a.accepted_here] == [1]
        await other.close()

    async def test_of_a_server_carries_what_that_one_said_alone(
        self, app: App, tmp_path: Path
    ) -> None:
        await app.library.add([BREAD], scope=HERE)
        await app.accepting.accept(HERE, 2, 1)
        file = tmp_path / "ours.jsonl"
        file.write_text(await exported(app, HERE))
        assert '"accepted_in": {"111": "' in file.read_text()
        await app.library.import_paths([file], scope=THERE)  # it is what another server said
        assert "accepted_in" not in await exported(app, THERE)

    async def test_what_helpers_changed_takes_nothing_that_was_said_of_other_answers(
        self, app: App, tmp_path: Path
    ) -> None:
        await app.library.add([BREAD], scope=HERE)
        await app.accepting.accept(HERE, 2, 1)
        await press_button(app.voting, answer_id=2, guild_id=HERE, user_id=1, value=Vote.UP)
        file = tmp_path / "ours.jsonl"
        file.write_text(await exported(app, HERE))
        other = await App.open(another_at(tmp_path / "other"))
        done = await other.curating.add(HERE, 9, replace(BREAD, answers=BREAD.answers[:1]))
        for text in ("Too little water.", "Too much salt."):
            await other.curating.add_answer(HERE, 9, done.thread_id, Answer(body=text))
        await other.library.import_paths([file], scope=HERE)
        assert not {"accepted_in", "votes"} & {
            key for answer in json.loads(await exported(other, HERE))["answers"] for key in answer
        }
        await other.close()

    async def test_of_an_empty_library_is_empty(self, app: App) -> None:
        assert await exported(app) == ""


class TestSeeds:
    async def test_are_loaded_once(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "seeds").mkdir()
        (tmp_path / "seeds" / "oven.txt").write_text("Which oven?\nUpvote:2\nThe hot one.\n")
        steps: list[int] = []
        app = await App.open(settings.model_copy(update={"seeds_dir": tmp_path / "seeds"}))
        first, second = await app.load_seeds(steps.append), await app.load_seeds()
        assert (first.added, second.added, second.unchanged, steps) == (1, 0, 1, [1])
        assert await titles(app) == ["Which oven?"]
        await app.close()

    async def test_a_missing_folder_is_an_empty_report(self, app: App) -> None:
        assert await app.load_seeds() == ImportReport()

    async def test_the_seed_document_loads_as_it_is(self, app: App) -> None:
        if not SHARED_SEEDS.is_dir():
            pytest.skip("the seed document is not part of the repository")
        report = await app.library.import_paths([SHARED_SEEDS / "000_ef754c58233b510f.txt"])
        assert (report.added, report.rejected) == (1, [])
        thread = await app.answering.find("000_ef754c58233b510f")
        assert thread is not None
        assert [(a.score, a.accepted) for a in thread.answers] == [
            (6, True),
            (1, False),
            (0, False),
        ]


async def test_of_one_key_the_last_that_can_be_read_is_taken(app: App) -> None:
    titles = ["First?", "Second?", "Half of a pair: \ud800?"]
    report = await app.library.add([Thread(key="k", title=title) for title in titles])
    assert (report.added, [error.path for error in report.rejected]) == (1, ["k"])
    thread = await app.answering.find("k")
    assert thread is not None
    assert thread.title == "Second?"


async def test_counting(app: App) -> None:
    assert await app.library.count() == Counts(0, 0, 0)
    await app.library.add([BREAD, MANY[0]])
    await app.library.add([BREAD], scope=HERE)
    await press_button(app.voting, answer_id=1, guild_id=HERE, user_id=1, value=Vote.UP)
    assert await app.library.count() == Counts(3, 4, 1)
