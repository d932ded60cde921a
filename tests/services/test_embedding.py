"""Vectors of the library: made once, kept true, and never in anybody's way."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, func, insert, select, update

from bot.app import App
from bot.models import SHARED, Answer, Thread, VectorStage, Vote
from bot.search.background import Background
from bot.search.semantic import onnx_model
from bot.search.semantic.retrieval import SemanticIndex
from bot.services import embedding, index_sync, leases
from bot.settings import Settings
from bot.store import guild_data, threads
from bot.store import vectors as vector_store
from bot.store.rows import pack
from bot.store.tables import changes, learned_phrasings, vectors
from bot.store.tables import threads as thread_table
from tests.kit import programs
from tests.kit.embedding_program import BATCH
from tests.kit.library import BREAD, HERE, THERE, at, post
from tests.kit.loop_lag import measured_lag
from tests.kit.votes import give_reaction
from tests.kit.waiting import until

SUBJECTS = (
    "Why do the leaves of my tomatoes turn yellow?",
    "How do I fix a flat bicycle tyre?",
    "Which visa do I need for Japan?",
    "How long must an egg boil?",
    "Can a cat be left alone for a weekend?",
)
GARDEN = tuple(Thread(key=f"s{n}", title=title) for n, title in enumerate(SUBJECTS))
MANY = tuple(Thread(key=f"k{n}", title=f"Question {n} about number {n}") for n in range(60))

PUNCTURE = "bike puncture"  # of no word in GARDEN


@pytest.fixture(autouse=True)
def _with_meaning(usual_model: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_MODEL", "")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return at(settings.data_dir, "")


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the threads whose vectors are made, in order; none of them has a body."""
    keys: list[str] = []
    real = SemanticIndex.pack

    def watched(
        self: SemanticIndex, stage: VectorStage, those: Sequence[Thread], known: Sequence[bytes]
    ) -> list[tuple[VectorStage, bytes]]:
        keys.extend(t.key for t in those)
        return real(self, stage, those, known)

    monkeypatch.setattr(SemanticIndex, "pack", watched)
    return keys


@asynccontextmanager
async def opened(settings: Settings, model: str = "") -> AsyncIterator[App]:
    app = await App.open(settings.model_copy(update={"embedding_model": model}))
    try:
        yield app
    finally:
        await app.close()


async def best(app: App, question: str = PUNCTURE, guild: int = SHARED) -> str | None:
    matches = (await app.answering.ask(question, guild_id=guild)).matches
    return matches[0].key if matches else None


async def models(app: App) -> set[str]:
    async with app.database.read() as connection:
        return set((await connection.execute(select(vectors.c.model))).scalars())


async def kept(app: App) -> int:
    async with app.database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(vectors)) or 0


async def every_thread_is_seen(app: App) -> None:
    """The neighbours hold just what the store's vectors say, of this model and text."""
    assert app.engine.semantic is not None
    count = (await app.library.count()).threads
    assert app.engine.semantic.vector_index.threads == count == await kept(app)
    assert await models(app) == {app.engine.semantic.model}
    assert app.embedding.waiting == 0
    async with app.database.read() as connection:
        page = await threads.page(connection, 0, 10_000)
    for thread in page[:: max(1, len(page) // 10)]:
        asked = app.engine.semantic.question(thread.title)
        cosines = app.engine.semantic.cosines(asked, [thread.id], [SHARED, thread.scope])
        assert cosines[thread.id] > 0.7, thread.title


class TestMaking:
    async def test_a_question_in_other_words_is_found(self, app: App) -> None:
        await app.library.add(GARDEN)
        assert await best(app) is None
        await app.embedding.make()
        assert await best(app) == "s1"
        await every_thread_is_seen(app)

    async def test_is_done_once(self, app: App, packed: list[str]) -> None:
        await app.library.add(GARDEN)
        await app.embedding.make()
        await app.embedding.make()
        await app.library.add(GARDEN)  # the same again
        await app.embedding.make()
        assert sorted(packed) == ["s0", "s1", "s2", "s3", "s4"]

    async def test_is_not_needed_again_after_a_restart(
        self, settings: Settings, packed: list[str]
    ) -> None:
        async with opened(settings) as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
        packed.clear()
        async with opened(settings) as app:
            await every_thread_is_seen(app)
            await app.embedding.make()
        assert packed == []

    async def test_a_changed_text_is_made_anew(self, app: App, packed: list[str]) -> None:
        await app.library.add(GARDEN)
        await app.embedding.make()
        packed.clear()
        await app.library.add([replace(GARDEN[3], title="How do I mend a broken bike tube?")])
        assert app.embedding.waiting == 1  # what was true of the old text is not used
        await app.embedding.make()
        assert packed == ["s3"]
        assert await best(app, "my cycle has a hole in its inner tyre") in ("s1", "s3")
        await every_thread_is_seen(app)

    async def test_tells_its_progress(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 25)
        await app.library.add(MANY)
        told: list[int] = []
        await app.embedding.make(told.append)
        assert [n for n in told if n] == [25, 25, 10]

    async def test_goes_on_where_it_was_cancelled(
        self, app: App, packed: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 10)
        await app.library.add(MANY)
        for patience in (0.0, 0.05, 0.1, 0.15):
            making = asyncio.create_task(app.embedding.make())
            await asyncio.sleep(patience)
            making.cancel()
            await asyncio.wait([making])
        await app.embedding.make()
        assert {*packed} == {t.key for t in MANY}
        assert len(packed) <= len(MANY) + 4 * 10  # what a cancelled batch had made is lost
        await every_thread_is_seen(app)

    @pytest.mark.parametrize(
        ("place", "step"),
        [
            (vector_store, "pending"),  # between reading the feed and queueing what it says
            (embedding.Embedding, "_catch_up"),  # between writing the last batch and taking it in
        ],
    )
    async def test_forgets_no_thread_when_it_was_cancelled(
        self, app: App, monkeypatch: pytest.MonkeyPatch, place: Any, step: str
    ) -> None:
        async def cancelled(*_: object) -> None:
            raise asyncio.CancelledError

        await app.library.add(GARDEN)
        with monkeypatch.context() as patch:
            patch.setattr(place, step, cancelled)
            with pytest.raises(asyncio.CancelledError):
                await app.embedding.make()
        await app.embedding.make()
        await every_thread_is_seen(app)

    async def test_goes_on_where_it_was_killed(self, settings: Settings, packed: list[str]) -> None:
        async with opened(settings, "off") as app:
            await app.library.add(MANY)
        process = await programs.start("-m", "tests.kit.embedding_program", settings.data_dir)
        for _ in range(3):
            assert await process.stdout.readline() == b"made %d\n" % BATCH
        process.signal(signal.SIGKILL)
        code, _, _ = await process.end()
        assert code == -signal.SIGKILL
        async with opened(settings) as app:
            await app.embedding.make()
            assert 0 < len(packed) <= len(MANY) - 3 * BATCH
            await every_thread_is_seen(app)

    async def test_goes_on_with_the_bodies_where_it_was_killed(
        self, settings: Settings, packed: list[str]
    ) -> None:
        titles = len(MANY) // BATCH + (len(MANY) % BATCH > 0)
        async with opened(settings, "off") as app:
            await app.library.add([replace(t, body=f"And {t.title}, so it is.") for t in MANY])
        process = await programs.start("-m", "tests.kit.embedding_program", settings.data_dir)
        said = [await process.stdout.readline() for _ in range(titles + 3)]
        bodies = [int(line.split()[1]) for line in said[titles:]]
        assert said[:titles] == [b"made 0\n"] * titles
        assert all(bodies)
        process.signal(signal.SIGKILL)
        code, _, _ = await process.end()
        assert code == -signal.SIGKILL
        async with opened(settings) as app:
            assert app.engine.uses_meaning(SHARED)
            await app.embedding.make()
            assert 0 < len(packed) <= len(MANY) - sum(bodies)  # no title is read again
            await every_thread_is_seen(app)

    async def test_without_a_model_there_is_nothing_to_do(self, settings: Settings) -> None:
        async with opened(settings, "off") as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
            await app.embedding.catch_up()
            await app.embedding.save()
            assert app.embedding.waiting == await app.embedding.unfinished(9) == 0
            assert await kept(app) == 0
        assert not (settings.data_dir / "neighbours").exists()


class TestOtherModels:
    @pytest.fixture
    def other(self, tmp_path: Path) -> str:
        """A folder with another model: the usual one, but for how its words are pooled."""
        folder, found = tmp_path / "other", onnx_model.default_files()
        (folder / "1_Pooling").mkdir(parents=True)
        shutil.copy(found.model, folder / "model.onnx")
        shutil.copy(found.tokenizer, folder / "tokenizer.json")
        (folder / "config.json").write_text(json.dumps({"hidden_size": 384, "pad_token_id": 0}))
        (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
        return str(folder)

    async def test_make_all_vectors_anew(
        self, settings: Settings, packed: list[str], other: str
    ) -> None:
        async with opened(settings) as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
        for model in (other, ""):
            packed.clear()
            async with opened(settings, model) as app:
                assert app.engine.semantic is not None
                # Those of the other don't count.
                assert app.engine.semantic.vector_index.threads == 0
                assert await best(app) is None
                await app.embedding.make()
                assert len(packed) == len(GARDEN)
                await every_thread_is_seen(app)

    async def test_are_never_mixed_when_stopped_in_between(
        self, settings: Settings, other: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 20)
        async with opened(settings) as app:
            await app.library.add(MANY)
            await app.embedding.make()
        async with opened(settings, other) as app:
            assert await app.embedding.make_some()
            assert app.engine.semantic is not None
            assert app.engine.semantic.vector_index.threads == 20
            assert not app.engine.uses_meaning(SHARED)
        async with opened(settings) as app:
            assert app.engine.semantic is not None
            assert app.engine.semantic.vector_index.threads == 40
            await app.embedding.make()
            await every_thread_is_seen(app)

    async def test_a_broken_one_is_reported_once_and_words_do(
        self, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "broken").mkdir()
        async with opened(settings, str(tmp_path / "broken")) as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
            assert app.no_meaning is not None
            assert "holds no model.onnx" in app.no_meaning
            for _ in range(3):
                assert await best(app, "flat bicycle tyre") == "s1"
        assert caplog.text.count("questions are matched by their words alone") == 1

    async def test_a_folder_that_is_swapped_is_taken_up_at_the_next_start(
        self, settings: Settings, other: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with opened(settings, other) as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
            former = app.engine.semantic
            assert former is not None
            before = former.question("flat bicycle tyre")
            found = await best(app)
            (Path(other) / "1_Pooling" / "config.json").write_text("{}")
            (Path(other) / "model.onnx").write_bytes(b"cut short")
            assert np.array_equal(former.question("flat bicycle tyre"), before)
            assert await best(app) == found
            shutil.copy(onnx_model.default_files().model, Path(other) / "model.onnx")
        async with opened(settings, other) as app:
            assert app.engine.semantic is not None
            assert app.engine.semantic.model != former.model
            assert app.engine.semantic.vector_index.threads == 0
            await app.embedding.make()
            await every_thread_is_seen(app)
        assert "words alone" not in caplog.text

    async def test_one_cut_short_is_reported_once_and_words_do(
        self, settings: Settings, other: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = Path(other) / "model.onnx"
        file.write_bytes(file.read_bytes()[:100_000])
        async with opened(settings, other) as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
            for _ in range(3):
                assert await best(app, "flat bicycle tyre") == "s1"
        assert caplog.text.count("questions are matched by their words alone") == 1

    async def test_switching_off_is_no_warning(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with opened(settings, "off") as app:
            assert app.no_meaning is not None
        assert caplog.text == ""


class TestKeepingUp:
    async def test_a_deleted_thread_goes(self, app: App) -> None:
        await app.library.add(GARDEN)
        await app.embedding.make()
        async with app.database.write() as connection:
            await connection.execute(delete(thread_table).where(thread_table.c.key == "s1"))
            await connection.execute(insert(changes).values(thread_id=2))
        await app.library.add([])
        assert "s1" not in [m.key for m in (await app.answering.ask(PUNCTURE)).matches]
        await every_thread_is_seen(app)

    @pytest.mark.sqlite_only  # a file is put in place of another
    async def test_an_older_copy_put_back_is_followed(self, settings: Settings) -> None:
        file, copy = settings.data_dir / "threadwise.db", settings.data_dir / "copy.db"
        async with opened(settings) as app:
            await app.library.add(GARDEN[:3])
            await app.embedding.make()
        shutil.copy(file, copy)
        async with opened(settings) as app:
            await app.library.add([replace(GARDEN[1], title="Is it cold?"), *GARDEN[3:], *MANY])
            await app.embedding.make()
        for left in settings.data_dir.glob("threadwise.db*"):
            left.unlink()
        shutil.copy(copy, file)
        async with opened(settings) as app:
            assert await best(app) == "s1"
            await every_thread_is_seen(app)
            await app.library.add([BREAD])
            await app.embedding.make()
            assert await best(app, "the loaf stays flat in the oven") == "bread"
            await every_thread_is_seen(app)

    async def test_lost_neighbours_are_read_from_the_store(
        self, settings: Settings, packed: list[str]
    ) -> None:
        async with opened(settings) as app:
            await app.library.add(GARDEN)
            await app.embedding.make()
        packed.clear()
        shutil.rmtree(settings.data_dir / "neighbours")
        async with opened(settings) as app:
            await every_thread_is_seen(app)
            assert await best(app) == "s1"
        assert packed == []

    async def test_two_programs_share_the_work(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 10)
        async with opened(app.settings) as second:
            await app.library.add(MANY[:30])
            await second.library.add([*MANY[30:], replace(MANY[0], title="Is it done?")])
            await asyncio.gather(app.embedding.make(), second.embedding.make())
            for one in (app, second):
                await one.embedding.make()
            for one in (app, second):
                await one.embedding.catch_up()
                await every_thread_is_seen(one)

    async def test_of_two_bots_one_makes_them_until_it_ends(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 10)
        monkeypatch.setattr(leases, "LOOK_SECONDS", 0.0)
        async with opened(app.settings) as second:
            for one in (app, second):
                one.embedding.share(partial(one.leases.hold, "vectors"))
            await app.library.add(MANY)
            assert await app.embedding.make_some()
            assert not await second.embedding.make_some()
            assert await app.embedding.make_some()
            await app.leases.release()
            await second.embedding.make()
            assert not await app.embedding.make_some()
            await app.embedding.catch_up()
            for one in (app, second):
                await every_thread_is_seen(one)

    async def test_what_one_program_makes_the_other_uses(
        self, app: App, packed: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_sync, "INTERVAL", 0.05)
        async with opened(app.settings) as second:
            await second.library.add(GARDEN)
            await second.embedding.make()
            packed.clear()
            app.follow()

            async def seen() -> bool:
                return await best(app) == "s1"

            await until(seen)
        assert packed == []

    async def test_a_running_bot_makes_what_is_imported(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_sync, "INTERVAL", 0.05)
        app.follow()
        async with opened(app.settings, "off") as second:
            await second.library.add(GARDEN)

        async def seen() -> bool:
            return await best(app) == "s1"

        await until(seen)

    async def test_what_is_imported_while_vectors_are_made_is_found_by_its_words(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index_sync, "INTERVAL", 0.02)
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 4)
        async with opened(app.settings, "off") as second:
            await second.library.add(MANY)
            app.follow()
            await until(lambda: begun(app))
            await second.library.add([BREAD])

            async def found() -> bool:
                return await best(app, "sourdough") == "bread"

            await until(found)
            assert app.embedding.waiting > 0  # the vectors are far from done

    async def test_an_import_does_not_wait_for_the_vectors_of_a_whole_library(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 4)
        await app.library.add(MANY)
        making = asyncio.create_task(app.embedding.make())
        await until(lambda: begun(app))
        await app.library.add([BREAD])
        assert not making.done()
        assert await best(app, "sourdough") == "bread"
        await making

    async def test_vectors_alone_are_no_work_for_the_index(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await app.library.add(GARDEN)
        await app.embedding.make()
        monkeypatch.setattr(app.engine, "writing", lambda: pytest.fail("nothing to write"))
        await app.library.add([])

    async def test_between_the_stages_threads_are_found_by_their_titles(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 8)
        await app.library.add([replace(t, body="And so on and on.") for t in (*GARDEN, *MANY)])
        while not app.engine.uses_meaning(SHARED):
            assert await app.embedding.make_some()
        while await app.embedding.make_some():
            assert app.engine.uses_meaning(SHARED)
            assert await best(app) == "s1"
        await every_thread_is_seen(app)


async def begun(app: App) -> bool:
    return await kept(app) > 0


class TestMeanwhile:
    async def test_a_library_most_of_which_has_no_vectors_is_searched_by_words(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding, "EMBEDDED_AT_ONCE", 5)
        await app.library.add([*GARDEN, *MANY])
        async with opened(app.settings, "off") as plain:
            assert await app.embedding.make_some()
            for question in ("flat bicycle tyre", PUNCTURE, "Question 7"):
                told = (await app.answering.ask(question)).matches
                assert told == (await plain.answering.ask(question)).matches

    async def test_what_one_guild_brings_leaves_others_their_meaning(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await app.library.add(GARDEN)
        await app.embedding.make()
        await app.library.add(MANY, scope=HERE)
        assert app.engine.uses_meaning(SHARED)
        assert not app.engine.uses_meaning(HERE)
        await app.embedding.make()
        assert app.engine.uses_meaning(HERE)

    async def test_a_single_thread_without_vectors_is_searched_by_words(self, app: App) -> None:
        await app.library.add(GARDEN[1:2])
        assert not app.engine.uses_meaning(SHARED)
        await app.embedding.make()
        assert app.engine.uses_meaning(SHARED)

    async def test_a_thread_without_vectors_yet_is_found_by_its_words(self, app: App) -> None:
        await app.library.add([*GARDEN, *MANY])
        await app.embedding.make()
        await app.library.add([BREAD])
        assert app.engine.uses_meaning(SHARED)
        assert await best(app, BREAD.title) == "bread"

    async def test_the_event_loop_goes_on(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        long = [replace(t, body=f"{t.title} and so on. " * 40) for t in MANY[:30]]
        await app.library.add(long)
        began = time.monotonic()
        async with measured_lag() as lag:
            await app.embedding.make()
        assert lag.seconds < (time.monotonic() - began) / 2, lag  # it is one batch

    async def test_votes_and_answers_stay(self, app: App) -> None:
        await app.library.add([BREAD, *GARDEN])
        before = await app.answering.find("bread", guild_id=HERE)
        assert before is not None
        message = await post(app, before.answers[1])
        await give_reaction(app.voting, message_id=message, user_id=77, value=Vote.UP)
        voted = await app.answering.find("bread", guild_id=HERE)
        assert voted is not None
        assert voted.answers != before.answers
        await app.embedding.make()
        assert await app.answering.find("bread", guild_id=HERE) == voted


class TestGuilds:
    async def test_a_guilds_own_thread_is_found_there_alone(self, app: App) -> None:
        await app.library.add(GARDEN[:1] + GARDEN[2:])
        own = replace(GARDEN[1], answers=(Answer(body="Patch the tube."),))
        await app.library.add([own], scope=HERE)
        await app.embedding.make()
        assert await best(app, guild=HERE) == "s1"
        for guild in (SHARED, THERE):
            reply = await app.answering.ask(PUNCTURE, guild_id=guild)
            assert "s1" not in [match.key for match in reply.matches]


@pytest.mark.parametrize("question", ["", "???", "<@123>", "🎉🎉", "https://example.org/x"])
async def test_a_question_without_words_finds_nothing(app: App, question: str) -> None:
    await app.library.add(GARDEN)
    await app.embedding.make()
    assert (await app.answering.ask(question)).matches == ()


@pytest.mark.parametrize("wrong", [b"", b"\x01", b"\x01" * 385, b"\x01" * 1_000])
async def test_vectors_of_a_wrong_length_are_made_again(
    settings: Settings, wrong: bytes, packed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(settings) as app:
        await app.library.add(GARDEN)
        await app.embedding.make()
        async with app.database.write() as connection:
            bad = update(vectors).where(vectors.c.thread_id.in_([2, 4])).values(data=wrong)
            await connection.execute(bad)
    shutil.rmtree(settings.data_dir / "neighbours")
    packed.clear()
    async with opened(settings) as app:
        await app.embedding.make()
        assert sorted(packed) == ["s1", "s3"]
        assert await best(app) == "s1"
        await every_thread_is_seen(app)
        await app.embedding.make()
    assert sorted(packed) == ["s1", "s3"]
    told = [r.getMessage() for r in caplog.records if "wrong length" in r.getMessage()]
    assert told == ["vectors of 2 threads have a wrong length: they are made again"]


async def test_a_learned_phrasings_vector_of_a_wrong_length_is_made_again(app: App) -> None:
    await app.library.add(GARDEN)
    await app.embedding.make()
    assert app.engine.semantic is not None
    row = {
        "guild_id": HERE, "thread_id": 2, "text": "my wheel lost its air", "wording": "w",
        "user_id": 1, "message_id": 1, "chosen": False, "learned_at": 0,
        "model": app.engine.semantic.model,
    }  # fmt: skip
    async with app.database.write() as connection:
        for n, wrong in enumerate((b"\x01" * 5, b"\x01" * 763)):  # together two whole ones
            more = {"message_id": n, "wording": f"w{n}", "vector": wrong}
            await connection.execute(insert(learned_phrasings).values(row | more))
    assert (await app.answering.ask("cats", guild_id=HERE)).matches is not None
    await app.embedding.make_learned()
    async with app.database.read() as connection:
        found = (
            await connection.execute(select(func.length(learned_phrasings.c.vector)))
        ).scalars()
        assert set(found) == {app.engine.semantic.row_bytes}


async def test_neighbours_that_cannot_be_saved_are_a_warning(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(settings) as app:
        await app.library.add(GARDEN)
        await app.embedding.make()
        shutil.rmtree(settings.data_dir / "neighbours", ignore_errors=True)
        (settings.data_dir / "neighbours").write_text("in the way")
    assert "the neighbours can't be saved" in caplog.text


def break_model(monkeypatch: pytest.MonkeyPatch, app: App) -> None:
    """From now on the model fails at everything, as ONNX Runtime would on a worn-out disk."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : the session is broken\nmore")

    assert app.engine.semantic is not None
    model = app.engine.semantic._embedder._model
    for name in ("encode", "encode_question"):
        monkeypatch.setattr(model, name, fail)


async def test_a_question_is_answered_by_its_words_while_the_model_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async with opened(settings) as app:
        await app.library.add([*GARDEN, BREAD])
        await app.embedding.make()
        with monkeypatch.context() as broken:
            break_model(broken, app)
            assert await best(app, "fix a flat bicycle tyre") == "s1"
            assert await best(app, "how long must an egg boil") == "s3"
            warned = [r.getMessage() for r in caplog.records if "words alone" in r.getMessage()]
            assert len(warned) == 1
            assert "the session is broken" in warned[0]
            assert await best(app) is None  # of no word in the library
        assert await best(app) == "s1"


async def test_a_model_that_fails_is_left_alone_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(index_sync, "INTERVAL", 0.01)
    async with opened(settings) as app:
        verify, looks = app.engine.verify, list[int]()

        def look(size: int) -> None:  # the first thing in each round
            looks.append(size)
            verify(size)

        monkeypatch.setattr(app.engine, "verify", look)
        with monkeypatch.context() as broken:
            break_model(broken, app)
            await app.library.add(GARDEN)
            app.follow()
            await until(lambda: "no vectors can be made" in caplog.text)
            rounds = len(looks) + 10
            await until(lambda: len(looks) >= rounds)
            said = [r for r in caplog.records if "no vectors can be made" in r.getMessage()]
            assert len(said) == 1
            assert not said[0].exc_info
            assert await best(app, "fix a flat bicycle tyre") == "s1"


class TestForgottenGuilds:
    @pytest.fixture
    async def filled(self, app: App) -> App:
        await app.library.add(GARDEN)
        await app.library.add([replace(GARDEN[0], key="own"), BREAD], scope=HERE)
        await app.library.add([replace(GARDEN[1], key="theirs")], scope=THERE)
        await app.embedding.make()
        await app.embedding.save()
        return app

    @pytest.mark.parametrize("is_back", [False, True])
    async def test_leave_no_vector_and_no_file(
        self, filled: App, settings: Settings, is_back: bool
    ) -> None:
        """Whoever held them has not been told: the feed names that guild no more."""
        semantic = filled.engine.semantic
        assert semantic is not None
        background = Background(0.25, 0.31, readable=True, threads=7)
        for scopes in ((SHARED, HERE), (SHARED, THERE)):
            semantic.backgrounds.put(scopes, background)
        async with filled.database.write() as connection:
            while await guild_data.delete_some(connection, HERE):
                pass
            if is_back:
                await threads.put(connection, HERE, [pack(replace(GARDEN[2], key="new"))])
        seen, seq = semantic.vector_index.ids([SHARED, THERE]), semantic.vector_index.seq
        await filled._index_sync.catch_up()
        assert semantic.vector_index.ids([HERE]) == set()
        assert semantic.vector_index.threads_in([HERE]) == 0
        assert semantic.vector_index.ids([SHARED, THERE]) == seen
        assert semantic.vector_index.seq > seq
        folder = semantic.vector_index.folder
        assert not [*folder.glob(f"{HERE}-*")]
        assert str(HERE) not in (folder / "background.json").read_text()
        assert semantic.backgrounds.get((SHARED, THERE)) == background
        await filled.embedding.make()
        assert semantic.vector_index.threads_in([HERE]) == is_back
        async with opened(settings) as again:
            assert again.engine.semantic is not None
            assert again.engine.semantic.vector_index.threads_in([HERE]) == is_back
