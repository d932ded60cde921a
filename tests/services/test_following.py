from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import delete, insert

from bot.models import Answer, Thread
from bot.search.documents import Pieces
from bot.services import following, intake
from bot.services import fresh as fresh_module
from bot.services.fresh import Fresh, News
from bot.services.house import House
from bot.settings import Settings
from bot.store import threads
from bot.store.tables import changes
from bot.store.tables import threads as thread_table
from bot.store.threads import Outcome, Put

from .conftest import BREAD, HERE, at, titles

ROOT = Path(__file__).parents[2]
MANY = [Thread(key=f"k{n}", title=f"Number {n} of the questions") for n in range(30)]


@pytest.fixture
async def second(house: House) -> AsyncIterator[House]:
    """Another program with the same library open."""
    opened = await House.open(house.settings)
    yield opened
    await opened.close()


async def until(done: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not await done():
            await asyncio.sleep(0.02)


async def shows(house: House, *expected: str) -> bool:
    return await titles(house) == sorted(expected)


async def test_what_is_imported_is_found_at_once(house: House) -> None:
    await house.library.add([BREAD])
    assert (await house.answering.ask("sourdough bread does not rise")).matches[0].key == "bread"


async def test_an_update_is_found_by_its_new_words_only(house: House) -> None:
    await house.library.add([BREAD])
    await house.library.add([replace(BREAD, title="Why is my cake so dry?", body="", answers=())])
    assert [m.key for m in (await house.answering.ask("dry cake")).matches] == ["bread"]
    assert (await house.answering.ask("sourdough starter")).matches == ()


async def test_a_deleted_thread_is_found_no_more(house: House) -> None:
    await house.library.add([BREAD, *MANY])
    async with house.database.write() as connection:
        await connection.execute(delete(thread_table).where(thread_table.c.id == 1))
        await connection.execute(insert(changes).values(thread_id=1))
    await house.library.add([])
    assert BREAD.title not in await titles(house)
    assert len(await titles(house)) == len(MANY)


async def test_an_import_longer_than_a_batch_is_indexed_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BATCH", 7)
    monkeypatch.setattr(following, "COMMIT_AFTER", 0)
    await house.library.add(MANY)
    assert len(await titles(house)) == len(MANY)
    assert house.engine.seq == len(MANY)


async def test_who_is_told_to_leave_just_when_there_are_news_leaves() -> None:
    news = News()
    waiting = asyncio.create_task(news.more(60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    news.tell(last=True)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class TestFresh:
    """Threads that were just stored are indexed without being read back, if they are still so."""

    def put(self, *keys: str, first: int = 1, seq: int = 0) -> Put:
        added = {key: n for n, key in enumerate(keys, first)}
        return Put([Outcome.ADDED for _ in keys], added, seq or first + len(keys) - 1)

    PIECES: ClassVar = {key: Pieces(f"Is it {key}?", (), b"") for key in "abc"}

    def test_are_taken_once(self) -> None:
        fresh = Fresh()
        fresh.add(self.put("a", "b"), 7, self.PIECES)
        taken = fresh.take({2: 2}, 0)
        assert taken == {2: (2, 7, self.PIECES["b"])}
        assert fresh.take({1: 1, 2: 2}, 0).keys() == {1}

    def test_that_were_changed_since_are_read_back(self) -> None:
        fresh = Fresh()
        fresh.add(self.put("a", "b"), 7, self.PIECES)
        assert fresh.take({1: 3, 2: 2}, 0).keys() == {2}
        assert fresh.take({1: 3}, 0) == {}

    def test_are_not_kept_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fresh_module, "MOST_FRESH", 2 * len("Is it a?"))
        fresh = Fresh()
        for n in range(1, 5):
            fresh.add(self.put("a", first=n), 7, self.PIECES)
        assert fresh.take({n: n for n in range(1, 5)}, 4).keys() == {1, 2}
        fresh.add(self.put("a", first=5), 7, self.PIECES)
        assert fresh.take({5: 5}, 5).keys() == {5}

    def test_that_somebody_else_has_indexed_are_let_go(self) -> None:
        fresh = Fresh()
        fresh.add(self.put("a", "b"), 7, self.PIECES)
        fresh.add(self.put("c", first=3), 7, self.PIECES)
        assert fresh.take({}, 2) == {}
        assert fresh.take({1: 2, 2: 2, 3: 3}, 3).keys() == {3}


async def test_an_import_waits_for_an_index_that_is_far_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_module, "MOST_FRESH", 1)
    monkeypatch.setattr(intake, "BATCH", 5)
    await house.library.add(MANY)
    assert len(await titles(house)) == len(MANY)


class TestAnotherProgramsImports:
    @pytest.fixture(autouse=True)
    def quick_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(following, "INTERVAL", 0.05)

    async def test_are_noticed_while_running(self, house: House, second: House) -> None:
        house.follow()
        house.follow()  # asking twice is asking once
        await second.library.add([BREAD])
        await until(lambda: shows(house, BREAD.title))

    async def test_of_a_real_process_are_found_within_seconds(
        self, house: House, tmp_path: Path
    ) -> None:
        page = tmp_path / "tyre.txt"
        page.write_text("How do I mend a flat tyre?\nAccepted answer\nPatch the tube.\n")
        house.follow()
        settings = {"DATA_DIR": str(house.settings.data_dir), "SEEDS_DIR": str(tmp_path / "none")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "import", str(page), cwd=ROOT, env=os.environ | settings,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await process.communicate()
        assert process.returncode == 0
        await until(lambda: shows(house, "How do I mend a flat tyre?"), 5)
        reply = await house.answering.ask("mend flat tyre")
        assert reply.matches[0].key == "tyre"

    async def test_are_indexed_by_whoever_gets_the_lock(self, house: House, second: House) -> None:
        house.follow()
        with second.engine.writing():
            report = await house.library.add([BREAD])
            assert report.added == 1  # it is safe, if not findable yet
            assert await titles(house) == []
            await second.library.add([replace(BREAD, key="other", title="Why is it so dark?")])
        await until(lambda: shows(house, BREAD.title, "Why is it so dark?"))

    async def test_are_found_while_one_goes_on_that_brings_little(
        self, house: House, second: House
    ) -> None:
        ended = False

        def slow() -> Iterator[Thread | None]:
            yield BREAD
            while not ended:
                yield None

        house.follow()
        importing = asyncio.create_task(second.library.add(slow()))
        try:
            await until(lambda: shows(house, BREAD.title))
            await house.library.add(MANY[:1])
            await until(lambda: shows(house, BREAD.title, MANY[0].title))
        finally:
            ended = True
            await importing

    async def test_come_through_when_both_import_at_once(self, house: House, second: House) -> None:
        house.follow()
        second.follow()
        await asyncio.gather(
            *(house.library.add(MANY[n : n + 1]) for n in range(15)),
            *(second.library.add(MANY[n : n + 1]) for n in range(15, 30)),
        )
        everything = [thread.title for thread in MANY]
        await until(lambda: shows(house, *everything))
        await until(lambda: shows(second, *everything))


async def test_following_goes_on_after_a_failure(
    house: House,
    second: House,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(following, "INTERVAL", 0.02)
    works = house._follower.catch_up
    failures = iter([OSError("the disk is gone"), None])

    async def fails_once() -> bool:
        if error := next(failures, None):
            raise error
        return await works()

    monkeypatch.setattr(house._follower, "catch_up", fails_once)
    house.follow()
    await second.library.add([BREAD])
    await until(lambda: shows(house, BREAD.title))
    assert "could not follow the library; trying again" in caplog.text


async def test_a_cancelled_import_leaves_index_and_store_in_order(house: House) -> None:
    long = [replace(t, body="many words " * 2_000) for t in MANY * 5]
    long = [replace(t, key=str(n)) for n, t in enumerate(long)]
    for patience in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        importing = asyncio.create_task(house.library.add(long))
        await asyncio.sleep(patience)
        importing.cancel()
        await asyncio.wait([importing])
        assert importing.cancelled() or importing.exception() is None
        long = [replace(t, body=t.body + "again ") for t in long]
    await house.library.add([BREAD, *long])
    assert len(house.engine) == len(long) + 1


class TestBackups:
    async def test_an_older_copy_put_back_is_followed_from_then_on(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        file, copy = settings.data_dir / "threadwise.db", settings.data_dir / "copy.db"
        house = await House.open(settings)
        await house.library.add(MANY[:3])
        await house.close()
        shutil.copy(file, copy)
        house = await House.open(settings)
        await house.library.add(MANY[3:8])
        await house.library.add([replace(MANY[0], title="A newer title")])
        await house.close()
        for left in settings.data_dir.glob("threadwise.db*"):
            left.unlink()
        shutil.copy(copy, file)

        house = await House.open(settings)
        assert await titles(house) == [t.title for t in MANY[:3]]
        assert "the library is an older copy" in caplog.text
        await house.library.add([BREAD])
        assert len(await titles(house)) == 4
        async with house.database.read() as connection:
            assert house.engine.seq == await threads.last_change(connection)
        await house.close()

    async def test_what_only_the_newer_one_had_is_taken_out_wherever_it_stands(
        self, settings: Settings
    ) -> None:
        file, copy = settings.data_dir / "threadwise.db", settings.data_dir / "copy.db"
        house = await House.open(settings)
        await house.library.add(MANY[:9])
        async with house.database.write() as connection:  # as moderators' removals end
            await connection.execute(delete(thread_table).where(thread_table.c.id > 3))
            await connection.execute(insert(changes), [{"thread_id": n} for n in range(4, 10)])
        await house.close()
        shutil.copy(file, copy)
        house = await House.open(settings)
        await house.library.add(MANY[9:12])
        await house.close()
        for left in settings.data_dir.glob("threadwise.db*"):
            left.unlink()
        shutil.copy(copy, file)
        house = await House.open(settings)
        assert len(house.engine) == (await house.library.count()).threads == 3
        await house.close()

    async def test_a_library_without_its_index_is_whole(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        house = await House.open(settings)
        await house.library.add([BREAD])
        await house.library.add(MANY, scope=HERE)
        await house.close()
        (tmp_path / "new").mkdir()
        shutil.copy(settings.data_dir / "threadwise.db", tmp_path / "new")
        house = await House.open(at(tmp_path / "new"))
        assert await titles(house) == [BREAD.title]
        assert len(await titles(house, HERE)) == 1 + len(MANY)
        assert house.engine.note is None  # nothing was lost: there was none
        await house.close()


async def test_closing_twice_is_closing_once(settings: Settings) -> None:
    house = await House.open(settings)
    house.follow()
    await house.close()
    await house.close()


async def test_the_log_names_no_title(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bot"):
        await house.library.add([replace(BREAD, answers=(Answer(body="A secret"),))])
        await house.answering.ask("Why does my sourdough stay flat?")
    assert "asked in guild 0" in caplog.text
    assert "sourdough" not in caplog.text.lower()
