"""The index in step with the store: imports of this program and of others, failures, backups."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, event, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tantivy import Index

from bot.app import App
from bot.errors import SearchError
from bot.models import SHARED, Answer, StoredThread, Thread
from bot.search.documents import Indexed, pieces_of
from bot.search.index_writing import ScopeWriter
from bot.services import import_reader, index_session, index_sync
from bot.services.index_session import IndexSession
from bot.settings import Settings
from bot.store import change_feed, threads
from bot.store.facts import set_fact
from bot.store.rows import pack
from bot.store.tables import changes
from bot.store.tables import threads as thread_table
from tests.kit import programs
from tests.kit.library import BREAD, HERE, at, titles
from tests.kit.waiting import until

MANY = [Thread(key=f"k{n}", title=f"Number {n} of the questions") for n in range(30)]


async def shows(app: App, *expected: str) -> bool:
    return await titles(app) == sorted(expected)


async def test_what_is_imported_is_found_at_once(app: App) -> None:
    await app.library.add([BREAD])
    assert (await app.answering.ask("sourdough bread does not rise")).matches[0].key == "bread"


async def test_while_nothing_is_written_the_database_is_not_asked(
    app: App, second: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_sync, "INTERVAL", 0.001)
    turns, verify = 0, app.engine.verify

    def count_turn(most_bytes: int | None) -> None:
        nonlocal turns
        turns += 1
        verify(most_bytes)

    async def thirty_turns() -> None:
        begun = turns
        await until(lambda: turns > begun + 30)

    monkeypatch.setattr(app.engine, "verify", count_turn)
    app.follow()
    await second.library.add([BREAD])
    await until(lambda: shows(app, BREAD.title))
    asked = list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    engine = app.database.backend.readers.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    for _ in range(3):  # what was written last is looked at
        asked.clear()
        await thirty_turns()
        if not asked:
            break
    assert asked == []
    event.remove(engine, "before_cursor_execute", note)
    await second.library.add(MANY[:1])
    await until(lambda: shows(app, BREAD.title, MANY[0].title))


async def test_an_update_is_found_by_its_new_words_only(app: App) -> None:
    await app.library.add([BREAD])
    await app.library.add([replace(BREAD, title="Why is my cake so dry?", body="", answers=())])
    assert [m.key for m in (await app.answering.ask("dry cake")).matches] == ["bread"]
    assert (await app.answering.ask("sourdough starter")).matches == ()


async def test_a_deleted_thread_is_found_no_more(app: App) -> None:
    await app.library.add([BREAD, *MANY])
    async with app.database.write() as connection:
        await connection.execute(delete(thread_table).where(thread_table.c.id == 1))
        await connection.execute(insert(changes).values(thread_id=1))
    await app.library.add([])
    assert BREAD.title not in await titles(app)
    assert len(await titles(app)) == len(MANY)


async def test_an_import_longer_than_a_batch_is_indexed_whole(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_session, "INDEXED_AT_ONCE", 7)
    monkeypatch.setattr(index_session, "COMMIT_AFTER", 0)
    await app.library.add(MANY)
    assert len(await titles(app)) == len(MANY)
    assert app.engine.seq == len(MANY)


class TestWhatWasJustStored:
    """It is indexed without being read back, if it is still so."""

    @pytest.fixture
    def read_back(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        read: list[int] = []
        searched = threads.index_entries

        async def noted(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, StoredThread]:
            read.extend(ids)
            return await searched(connection, ids)

        monkeypatch.setattr(threads, "index_entries", noted)
        return read

    async def test_is_taken_once(self, app: App, read_back: list[int]) -> None:
        await app.library.add([MANY[29]])
        read_back.clear()
        await app.library.add(MANY)
        assert len(await titles(app)) == len(MANY)
        assert read_back == []
        assert app._index_sync._stored == {}

    async def test_and_was_changed_since_is_read_back(self, app: App, read_back: list[int]) -> None:
        await app.library.add([BREAD])
        puts = []
        for title in ("Is it a?", "Is it b?"):
            one = Thread(key="x", title=title)
            async with app.database.write() as connection:
                puts.append((await threads.put(connection, SHARED, [pack(one)]), pieces_of(one)))
        read_back.clear()
        with app._index_sync.importing():
            await app._index_sync.add(puts[0][0], SHARED, {"x": puts[0][1]})
        await app._index_sync.catch_up()
        assert read_back == [2]
        assert await shows(app, BREAD.title, "Is it b?")
        assert app._index_sync._stored == {}


async def test_an_import_waits_for_an_index_that_is_far_behind(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = IndexSession.put_changes

    async def slowly(self: IndexSession, ready: Mapping[int, tuple[int, Indexed]]) -> bool:
        assert len(ready) <= 5  # a batch waits in memory, and no more
        for _ in range(20):
            await asyncio.sleep(0)
        return await real(self, ready)

    monkeypatch.setattr(IndexSession, "put_changes", slowly)
    monkeypatch.setattr(import_reader, "THREADS_A_BATCH", 5)
    await app.library.add(MANY)
    assert len(await titles(app)) == len(MANY)


class TestAnotherProgramsImports:
    @pytest.fixture(autouse=True)
    def quick_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_sync, "INTERVAL", 0.05)

    async def test_are_noticed_while_running(self, app: App, second: App) -> None:
        app.follow()
        app.follow()  # asking twice is asking once
        await second.library.add([BREAD])
        await until(lambda: shows(app, BREAD.title))

    async def test_of_a_real_process_are_found_within_seconds(
        self, app: App, tmp_path: Path
    ) -> None:
        page = tmp_path / "tyre.txt"
        page.write_text("How do I mend a flat tyre?\nAccepted answer\nPatch the tube.\n")
        app.follow()
        settings = {"DATA_DIR": str(app.settings.data_dir), "SEEDS_DIR": str(tmp_path / "none")}
        process = await programs.start("-m", "bot", "import", page, **settings)
        code, _, said = await process.end()
        assert code == 0, said
        await until(lambda: shows(app, "How do I mend a flat tyre?"))
        reply = await app.answering.ask("mend flat tyre")
        assert reply.matches[0].key == "tyre"

    async def test_are_indexed_by_whoever_gets_the_lock(self, app: App, second: App) -> None:
        app.follow()
        with second.engine.writing():
            report = await app.library.add([BREAD])
            assert report.added == 1  # it is safe, if not findable yet
            assert await titles(app) == []
            await second.library.add([replace(BREAD, key="other", title="Why is it so dark?")])
        await until(lambda: shows(app, BREAD.title, "Why is it so dark?"))

    async def test_are_found_while_one_goes_on_that_brings_little(
        self, app: App, second: App
    ) -> None:
        ended = False

        def slow() -> Iterator[Thread | None]:
            yield BREAD
            while not ended:
                yield None

        app.follow()
        importing = asyncio.create_task(second.library.add(slow()))
        try:
            await until(lambda: shows(app, BREAD.title))
            await app.library.add(MANY[:1])
            await until(lambda: shows(app, BREAD.title, MANY[0].title))
        finally:
            ended = True
            await importing

    async def test_come_through_when_both_import_at_once(self, app: App, second: App) -> None:
        app.follow()
        second.follow()
        await asyncio.gather(
            *(app.library.add(MANY[n : n + 1]) for n in range(15)),
            *(second.library.add(MANY[n : n + 1]) for n in range(15, 30)),
        )
        everything = [thread.title for thread in MANY]
        await until(lambda: shows(app, *everything))
        await until(lambda: shows(second, *everything))


async def test_following_goes_on_after_a_failure(
    app: App,
    second: App,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(index_sync, "INTERVAL", 0.02)
    works = app._index_sync.catch_up
    failures = iter([OSError("the disk is gone"), None])

    async def fails_once() -> bool:
        if error := next(failures, None):
            raise error
        return await works()

    monkeypatch.setattr(app._index_sync, "catch_up", fails_once)
    app.follow()
    await second.library.add([BREAD])
    await until(lambda: shows(app, BREAD.title))
    assert "could not follow the library; trying again" in caplog.text


@pytest.mark.sqlite_only  # where nobody tells of changes, what is waited for is seen
async def test_failures_that_follow_each_other_are_tried_again_ever_later_and_logged_once(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 9:
            raise asyncio.CancelledError

    failures = iter([SearchError("no room")] * 6)

    async def fails() -> bool:
        if error := next(failures, None):
            raise error
        return True

    monkeypatch.setattr(app._index_sync, "catch_up", fails)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await app._index_sync.run()
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 2, 2]
    assert caplog.text.count("could not follow the library; trying again") == 1
    assert "Traceback" not in caplog.text


async def test_a_cancelled_import_leaves_index_and_store_in_order(app: App) -> None:
    long = [replace(t, body="many words " * 2_000) for t in MANY * 5]
    long = [replace(t, key=str(n)) for n, t in enumerate(long)]
    for patience in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        importing = asyncio.create_task(app.library.add(long))
        await asyncio.sleep(patience)
        importing.cancel()
        await asyncio.wait([importing])
        assert importing.cancelled() or importing.exception() is None
        long = [replace(t, body=t.body + "again ") for t in long]
    await app.library.add([BREAD, *long])
    assert len(app.engine) == len(long) + 1


@pytest.mark.sqlite_only  # a file is put in place of another
class TestBackups:
    async def test_an_older_copy_put_back_is_followed_from_then_on(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        file, copy = settings.data_dir / "threadwise.db", settings.data_dir / "copy.db"
        app = await App.open(settings)
        await app.library.add(MANY[:3])
        await app.close()
        shutil.copy(file, copy)
        app = await App.open(settings)
        await app.library.add(MANY[3:8])
        await app.library.add([replace(MANY[0], title="A newer title")])
        await app.close()
        for left in settings.data_dir.glob("threadwise.db*"):
            left.unlink()
        shutil.copy(copy, file)

        app = await App.open(settings)
        assert await titles(app) == [t.title for t in MANY[:3]]
        assert "the library is an older copy" in caplog.text
        await app.library.add([BREAD])
        assert len(await titles(app)) == 4
        async with app.database.read() as connection:
            assert app.engine.seq == await change_feed.last_change(connection)
        await app.close()

    async def test_what_only_the_newer_one_had_is_taken_out_wherever_it_stands(
        self, settings: Settings
    ) -> None:
        file, copy = settings.data_dir / "threadwise.db", settings.data_dir / "copy.db"
        app = await App.open(settings)
        await app.library.add(MANY[:9])
        async with app.database.write() as connection:  # as moderators' removals end
            await connection.execute(delete(thread_table).where(thread_table.c.id > 3))
            await connection.execute(insert(changes), [{"thread_id": n} for n in range(4, 10)])
        await app.close()
        shutil.copy(file, copy)
        app = await App.open(settings)
        await app.library.add(MANY[9:12])
        await app.close()
        for left in settings.data_dir.glob("threadwise.db*"):
            left.unlink()
        shutil.copy(copy, file)
        app = await App.open(settings)
        assert len(app.engine) == (await app.library.count()).threads == 3
        await app.close()

    async def test_one_whose_index_was_not_used_for_long_is_whole(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What was deleted meanwhile isn't named by the feed any more."""
        app = await App.open(settings)
        await app.library.add(MANY[:9])
        await app.library.add(MANY[9:12], scope=HERE)
        async with app.database.write() as connection:
            gone = (1, 2, 10, 11, 12)
            await connection.execute(delete(thread_table).where(thread_table.c.id.in_(gone)))
            last = await change_feed.last_change(connection)
            await set_fact(connection, "change_feed_floor", str(last + 1))
            await threads.put(connection, SHARED, [pack(t) for t in MANY[20:22]])
        await app.close()
        app = await App.open(settings)
        assert await titles(app) == await titles(app, HERE)
        assert await titles(app) == sorted(t.title for t in MANY[2:9] + MANY[20:22])
        assert "made anew: it was not used for long" in caplog.text
        assert await app.is_indexed()
        await app.close()

    async def test_a_new_index_opens_each_scope_once_however_its_threads_lie(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Eight servers take turns in bringing a thread; four writers are open at a time."""
        guilds_of_threads = [1_000 + n % 8 for n in range(24)]
        app = await App.open(settings)
        for thread, guild_id in zip(MANY, guilds_of_threads, strict=False):
            await app.library.add([thread], scope=guild_id)
        await app.close()
        shutil.rmtree(settings.data_dir / "index")
        opened: list[int] = []
        original = ScopeWriter.__init__

        def noted(self: ScopeWriter, scope: int, index: Index) -> None:
            opened.append(scope)
            original(self, scope, index)

        monkeypatch.setattr(ScopeWriter, "__init__", noted)
        app = await App.open(settings)
        assert sorted(set(opened)) == sorted(set(guilds_of_threads))
        assert len(opened) <= 2 * 8  # to put them in, and for the last commit
        for guild_id in set(guilds_of_threads):
            assert len(await titles(app, guild_id)) == 3
        await app.close()

    @pytest.mark.parametrize("nights", [1, 30])
    async def test_a_new_index_reads_each_thread_once_however_often_it_was_changed(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, nights: int
    ) -> None:
        app = await App.open(settings)
        for night in range(nights):
            await app.library.add([replace(t, body=f"Night {night}.") for t in MANY])
        await app.close()
        shutil.rmtree(settings.data_dir / "index")
        read: list[int] = []
        searched, changed_after = threads.index_entries, change_feed.changed_after

        async def noted(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, StoredThread]:
            read.extend(ids)
            return await searched(connection, ids)

        async def none(
            connection: AsyncConnection, seq: int, limit: int, *, text: bool = False
        ) -> tuple[int, dict[int, change_feed.Noted]]:
            now, changed = await changed_after(connection, seq, limit, text=text)
            assert changed == {}
            return now, changed

        monkeypatch.setattr(threads, "index_entries", noted)
        monkeypatch.setattr(change_feed, "changed_after", none)
        app = await App.open(settings)
        assert len(await titles(app)) == len(MANY)
        async with app.database.read() as connection:
            rows = await connection.scalar(select(func.count()).select_from(changes))
        await app.close()
        assert read == [*range(1, len(MANY) + 1)]
        assert rows == len(MANY)

    async def test_a_library_without_its_index_is_whole(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        app = await App.open(settings)
        await app.library.add([BREAD])
        await app.library.add(MANY, scope=HERE)
        await app.close()
        (tmp_path / "new").mkdir()
        shutil.copy(settings.data_dir / "threadwise.db", tmp_path / "new")
        app = await App.open(at(tmp_path / "new"))
        assert await titles(app) == [BREAD.title]
        assert len(await titles(app, HERE)) == 1 + len(MANY)
        assert app.engine.note is None  # nothing was lost: there was none
        await app.close()


async def test_closing_twice_is_closing_once(settings: Settings) -> None:
    app = await App.open(settings)
    app.follow()
    await app.close()
    await app.close()


async def test_the_log_names_no_title(app: App, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bot"):
        await app.library.add([replace(BREAD, answers=(Answer(body="A secret"),))])
        await app.answering.ask("Why does my sourdough stay flat?")
    assert "asked in guild 0" in caplog.text
    assert "sourdough" not in caplog.text.lower()
