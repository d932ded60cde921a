"""Servers kept apart in the opened application, and an index of many scopes kept in step."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from bot.app import App
from bot.errors import SearchError
from bot.models import SHARED, Answer, Reply, Thread
from bot.search.index import Writing
from bot.search.index_writing import ScopeWriter
from bot.services import import_reader, index_session, index_sync
from bot.settings import Settings
from bot.store import change_feed, threads
from bot.store.rows import pack
from bot.store.tables import changes
from bot.store.tables import threads as thread_table
from tests.kit.library import HERE, THERE, titles
from tests.kit.waiting import HANG, until

ASKED = "how do i trun on solw mode"
ABOUT = ("slow mode", "dark mode", "two factor login", "push notifications", "the spam filter")
SHARED_THREADS = [
    Thread(key=f"s{n}", title=f"How do I turn {what} {about}?", answers=(Answer(body="So."),))
    for n, (what, about) in enumerate((w, a) for w in ("on", "off") for a in ABOUT)
]
OWN = [Thread(key=f"o{n}", title=f"Where is channel number {n}?") for n in range(5)]


def slips(count: int) -> Iterator[Thread]:
    """Threads of one slip each, as the issue measured them."""
    for n in range(count):
        yield Thread(key=f"b{n}", title=f"trun solw modee {n}", body="trun solw mdoe " * 3)


async def replies(app: App, guild: int) -> list[object]:
    """Return the replies in a guild without the time they took."""
    asked = [await app.answering.ask(q, guild_id=guild) for q in (ASKED, "wher is chanel 3", "x")]
    return [
        *(replace(reply, took_ms=0.0) for reply in asked),
        await app.answering.complete("how do i tr", guild_id=guild),
        await app.answering.complete("", guild_id=guild),
        await app.answering.find("trun slow mode of", guild_id=guild),
    ]


@pytest.fixture
async def filled(app: App) -> App:
    await app.library.add(SHARED_THREADS)
    await app.library.add(OWN, scope=HERE)
    return app


async def test_thirty_threads_of_slips_change_nothing_elsewhere(filled: App) -> None:
    before = {guild: await replies(filled, guild) for guild in (SHARED, HERE)}
    reply = before[HERE][0]
    assert isinstance(reply, Reply)
    assert reply.verdict == "answer"
    await filled.library.add(slips(30), scope=THERE)
    assert {guild: await replies(filled, guild) for guild in (SHARED, HERE)} == before


async def test_three_thousand_threads_of_common_words_change_nothing_elsewhere(
    filled: App,
) -> None:
    before = {guild: await replies(filled, guild) for guild in (SHARED, HERE)}
    common = "how do i turn slow mode on dark push login filter"
    many = (Thread(key=f"c{n}", title=f"{common} {n}") for n in range(3_000))
    await filled.library.add(many, scope=THERE)
    assert {guild: await replies(filled, guild) for guild in (SHARED, HERE)} == before


@pytest.mark.parametrize("scope", [SHARED, HERE])
async def test_what_was_replaced_counts_no_more(filled: App, scope: int) -> None:
    """As if it had never been there, however often and in which order."""
    mine = SHARED_THREADS if scope == SHARED else OWN
    before = await replies(filled, HERE)
    for n in range(3):
        edited = [replace(t, title=f"Turn channel {n}", body="mode " * n) for t in mine[n:]]
        await filled.library.add(edited, scope=scope)
    assert await replies(filled, HERE) != before
    await filled.library.add(mine, scope=scope)
    assert await replies(filled, HERE) == before
    view = filled.engine._index.view((SHARED, HERE))
    assert [part.documents for part in view.parts] == [len(SHARED_THREADS), len(OWN)]


async def test_a_thread_deleted_for_good_is_taken_out_of_its_scope(filled: App) -> None:
    """The feed of changes alone says in which scope it was."""
    await filled.library.add(OWN[:3], scope=THERE)
    shared = filled.engine._index.state.scopes[SHARED]
    gone = len(SHARED_THREADS) + 2, len(SHARED_THREADS) + len(OWN) + 1
    async with filled.database.write() as connection:
        await change_feed.note(connection, gone, is_deleted=True)
        await connection.execute(delete(thread_table).where(thread_table.c.id.in_(gone)))
        await connection.execute(insert(changes).values(thread_id=9_999))  # it was never there
    await filled.library.add([])
    own = await filled.answering.complete("", guild_id=HERE, own=True)
    assert [m.key for m in own] == ["o0", "o2", "o3", "o4"]
    theirs = await filled.answering.complete("", guild_id=THERE, own=True)
    assert [m.key for m in theirs] == ["o1", "o2"]
    assert filled.engine._index.state.scopes[SHARED] == shared  # which was not touched


async def test_the_last_thread_of_a_guild_takes_its_index_along(filled: App) -> None:
    ids = range(len(SHARED_THREADS) + 1, len(SHARED_THREADS) + len(OWN) + 1)
    place = filled.settings.data_dir / "index" / str(HERE)
    assert place.exists()
    async with filled.database.write() as connection:
        retired = update(thread_table).where(thread_table.c.id.in_(ids)).values(retired_at=1)
        await connection.execute(retired)
        await change_feed.note(connection, ids)
    await filled.library.add([])
    assert not place.exists()
    assert await titles(filled, HERE) == await titles(filled)
    await filled.library.add([replace(OWN[0], key="new")], scope=HERE)
    assert len(await titles(filled, HERE)) == len(SHARED_THREADS) + 1


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("commits", [0, 1, 2, 3])
async def test_ended_between_two_scopes_commits_all_is_put_right(
    filled: App, settings: Settings, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    brought = {SHARED: SHARED_THREADS, HERE: OWN, THERE: [*slips(4)]}
    left, real = [commits], ScopeWriter.commit

    def commit(writer: ScopeWriter) -> int:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return real(writer)

    async def change(app: App) -> None:
        async with app.database.write() as connection:  # stored, and not indexed yet
            for scope, those in brought.items():
                newer = [replace(t, title=f"{t.title} newer") for t in those]
                packed = [pack(t) for t in newer]
                await threads.put(connection, scope, packed)

    await change(filled)
    with monkeypatch.context() as patch:
        patch.setattr(ScopeWriter, "commit", commit)
        with pytest.raises(Killed):
            await filled._index_sync.catch_up()
    await filled.close()
    app = await App.open(settings)
    try:
        for guild, own in ((SHARED, []), (HERE, OWN), (THERE, brought[THERE])):
            expected = sorted(f"{t.title} newer" for t in [*SHARED_THREADS, *own])
            assert await titles(app, guild) == expected
        assert (await app.examine()).indexed == 19
        for part in app.engine._index.view((SHARED, HERE)).parts:
            assert part.documents == part.threads
    finally:
        await app.close()


async def test_a_batch_of_many_scopes_is_indexed_in_each(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_session, "INDEXED_AT_ONCE", 7)
    async with app.database.write() as connection:
        for n in range(60):
            await threads.put(connection, n % 12, [pack(Thread(key=f"k{n}", title=f"Number {n}"))])
    await app._index_sync.catch_up()
    for guild in range(12):
        assert len(await titles(app, guild)) == (5 if guild == SHARED else 10)
    assert len(app.engine) == 60


def flip(file: Path) -> None:
    """Change a byte in place, as a failing disk does."""
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    with file.open("r+b") as stream:
        stream.write(content)


def opened_anew(app: App) -> None:
    """The indexes are open, and nothing of them was read and is remembered."""
    for scope in (SHARED, HERE):
        app.engine._index._forget(scope)
    assert len(app.engine._index.view((SHARED, HERE))) == len(SHARED_THREADS) + len(OWN)


def damaging(records: Sequence[logging.LogRecord]) -> list[str]:
    return [r.getMessage() for r in records if "it is made anew" in r.getMessage()]


class TestDamageWhileRunning:
    @pytest.fixture(autouse=True)
    def quick_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_sync, "INTERVAL", 0.05)

    @pytest.mark.parametrize("scope", [SHARED, HERE])
    async def test_is_mended_by_the_first_question_that_meets_it(
        self, filled: App, caplog: pytest.LogCaptureFixture, scope: int
    ) -> None:
        before = await replies(filled, HERE)
        opened_anew(filled)
        flip(*(filled.settings.data_dir / "index" / str(scope)).glob("*.store"))
        assert await replies(filled, HERE) == before
        assert len(damaging(caplog.records)) == 1
        assert await replies(filled, HERE) == before
        assert len(damaging(caplog.records)) == 1
        assert "the checksum of" in damaging(caplog.records)[0]

    @pytest.mark.parametrize("part", ["idx", "term", "fieldnorm"])
    async def test_is_found_and_mended_though_nobody_asks(
        self, filled: App, caplog: pytest.LogCaptureFixture, part: str
    ) -> None:
        before = await replies(filled, HERE)
        made = filled.engine._index.state.scopes[HERE].made
        flip(*(filled.settings.data_dir / "index" / str(HERE)).glob(f"*.{part}"))
        filled.follow()
        await until(lambda: made_anew(filled, HERE, made))
        assert await replies(filled, HERE) == before
        assert len(damaging(caplog.records)) == 1

    async def test_is_mended_while_another_server_imports(self, filled: App) -> None:
        before = await replies(filled, HERE)
        gate = threading.Event()

        def slowly() -> Iterator[Thread | None]:
            yield Thread(key="slow", title="How slow is this import?")
            time.sleep(2 * import_reader.PROGRESS_SECONDS)
            yield None  # so that what there is goes on its way
            gate.wait(HANG)
            yield Thread(key="late", title="How late is this thread?")

        async def is_indexing() -> bool:
            return filled._index_sync._session is not None

        importing = asyncio.create_task(filled.library.add(slowly(), scope=THERE))
        try:
            await until(is_indexing)
            opened_anew(filled)
            flip(*(filled.settings.data_dir / "index" / str(HERE)).glob("*.store"))
            assert await replies(filled, HERE) == before
            assert not importing.done()
        finally:
            gate.set()
        assert (await importing).added == 2

    async def test_by_another_programs_bot_is_left_to_it(
        self, filled: App, caplog: pytest.LogCaptureFixture
    ) -> None:
        second = await App.open(filled.settings)
        try:
            before = await replies(second, HERE)
            for app in (filled, second):
                opened_anew(app)
            flip(*(filled.settings.data_dir / "index" / str(HERE)).glob("*.store"))
            assert await replies(filled, HERE) == before
            assert await replies(second, HERE) == before
            assert len(damaging(caplog.records)) == 1
        finally:
            await second.close()

    async def test_that_cant_be_mended_yet_is_an_error_in_one_line(
        self, filled: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened_anew(filled)
        flip(*(filled.settings.data_dir / "index" / str(SHARED)).glob("*.store"))
        with filled.engine.writing() as writing:
            assert writing.lost == []  # nobody has seen it yet
            with pytest.raises(SearchError, match="ask again in a moment"):
                await filled.answering.ask(ASKED)
        assert (await filled.answering.ask(ASKED)).verdict == "answer"

    async def test_a_lost_folder_is_made_anew_with_one_line(
        self, filled: App, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = await replies(filled, HERE)
        shutil.rmtree(filled.settings.data_dir / "index")
        filled.follow()
        await until(lambda: is_whole(filled))
        assert await replies(filled, HERE) == before
        assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
        assert "the search index is lost" in caplog.text

    async def test_what_else_goes_wrong_is_no_damage_and_said_once(
        self, filled: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        made = filled.engine._index.state.scopes
        tries: list[int] = []

        def full(*_: object, **__: object) -> None:
            tries.append(1)
            raise SearchError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(Writing, "commit", full)
            with pytest.raises(SearchError):
                await filled.library.add([replace(SHARED_THREADS[0], key="new")])
            filled.follow()
            await until(lambda: happened(tries, 5))
        await until(lambda: is_whole(filled))
        warned = [r for r in caplog.records if r.levelno >= logging.WARNING]
        assert [r.getMessage() for r in warned if "could not follow" in r.getMessage()] == [
            "the search index could not follow the library; trying again: the disk is full"
        ]
        assert damaging(caplog.records) == []
        scopes = filled.engine._index.state.scopes
        assert {s: held.made for s, held in scopes.items()} == {s: h.made for s, h in made.items()}

    async def test_is_seen_by_doctor_in_indexes_nobody_has_open(
        self, filled: App, settings: Settings
    ) -> None:
        await filled.close()
        flip(*(settings.data_dir / "index" / str(HERE)).glob("*.pos"))
        app = await App.open(settings)
        try:
            state = await app.examine()
            assert "111 was damaged (the checksum of" in (state.note or "")
            assert (state.indexed, state.indexing) == (state.counts.threads, False)
            assert (await app.examine()).note is None
        finally:
            await app.close()


async def made_anew(app: App, scope: int, before: str) -> bool:
    held = app.engine._index.state.scopes.get(scope)
    return held is not None and held.made != before and not app.engine.is_damaged


async def is_whole(app: App) -> bool:
    return await app.is_indexed() and len(app.engine) == (await app.library.count()).threads


async def happened(tries: list[int], count: int) -> bool:
    return len(tries) >= count
