"""A guild's own threads: counted, given out, removed, brought back, deleted for good."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App
from bot.errors import NotFound
from bot.models import SHARED, Answer, StoredThread, Thread, Vote
from bot.services import guild_library, hourly
from bot.services.guild_library import NothingRemoved
from bot.store import learned
from bot.store.learned import NewPhrasing
from bot.store.soft_delete import Target
from tests.kit.library import BREAD, HERE, THERE, titles
from tests.kit.votes import press_button
from tests.kit.waiting import until

OWN = [
    Thread(
        key=f"own{n}",
        title=f"Own question number {n}",
        source="faq" if n < 3 else "other",
        answers=(Answer(body="Yes.", accepted=True), Answer(body="No.")),
    )
    for n in range(5)
]
TOMORROW = timedelta(days=1, seconds=1)


@pytest.fixture
async def own(app: App) -> App:
    """A library with a shared thread and five that are HERE's own."""
    await app.library.add([replace(BREAD, source="bakery.example")])
    await app.library.add(OWN, scope=HERE)
    return app


async def thread(app: App, key: str, guild: int = HERE) -> StoredThread:
    found = await app.answering.find(key, guild_id=guild)
    assert found is not None
    assert found.key == key
    return found


async def vote(app: App, key: str, guild: int = HERE) -> None:
    answer = (await thread(app, key, guild)).answers[0]
    await press_button(app.voting, answer_id=answer.id, guild_id=guild, user_id=1, value=Vote.UP)


async def test_figures_tell_own_from_shared(own: App) -> None:
    await vote(own, "own0")
    figures = await own.guild_library.stats(HERE)
    assert (figures.own.threads, figures.own.answers, figures.own.accepted) == (5, 10, 5)
    assert (figures.shared.threads, figures.shared.answers, figures.shared.accepted) == (1, 2, 0)
    assert (figures.votes, figures.phrasings) == (1, 0)
    assert [(s.name, s.scope, s.threads) for s in figures.sources] == [
        ("faq", HERE, 3), ("other", HERE, 2), ("bakery.example", SHARED, 1),
    ]  # fmt: skip
    elsewhere = await own.guild_library.stats(THERE)
    assert (elsewhere.own.threads, elsewhere.votes) == (0, 0)
    assert [s.name for s in elsewhere.sources] == ["bakery.example"]


async def test_what_is_removed_is_found_by_nobody(own: App) -> None:
    target = await own.guild_library.find(HERE, "own1")
    gone = await own.guild_library.remove(HERE, target)
    assert (gone.threads, gone.title) == (1, "Own question number 1")
    assert "Own question number 1" not in await titles(own, HERE)
    assert await own.answering.serve(target.thread_id, guild_id=HERE) is None
    assert (await own.guild_library.stats(HERE)).own.threads == 4


async def test_it_comes_back_with_its_votes(own: App) -> None:
    await vote(own, "own1")
    before = await thread(own, "own1")
    gone = await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own1"))
    assert await own.guild_library.restore(HERE, gone.moment) == 1
    assert await thread(own, "own1") == before
    assert "Own question number 1" in await titles(own, HERE)
    with pytest.raises(NotFound):
        await own.guild_library.restore(HERE, gone.moment)


async def test_a_whole_source_goes_and_comes_back_as_one(own: App) -> None:
    await vote(own, "own0")
    target = await own.guild_library.find_source(HERE, "faq")
    plan = await own.guild_library.plan(HERE, target)
    assert (plan.name, plan.threads, plan.votes) == ("faq", 3, 1)
    gone = await own.guild_library.remove(HERE, target)
    assert [t for t in await titles(own, HERE) if t.startswith("Own")] == [
        "Own question number 3", "Own question number 4",
    ]  # fmt: skip
    (known,) = await own.guild_library.removals(HERE)
    assert (known.moment, known.threads, known.source) == (gone.moment, 3, "faq")
    assert await own.guild_library.restore(HERE, gone.moment) == 3
    assert len(await titles(own, HERE)) == 6


async def test_two_removals_are_brought_back_apart(own: App) -> None:
    first = await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own0"))
    second = await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own1"))
    assert [r.moment for r in await own.guild_library.removals(HERE)] == [
        second.moment,
        first.moment,
    ]
    await own.guild_library.restore(HERE, first.moment)
    assert [r.title for r in await own.guild_library.removals(HERE)] == ["Own question number 1"]


async def test_removals_within_one_microsecond_stay_apart(
    own: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000)
    one = await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own0"))
    two = await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own1"))
    assert one.moment < two.moment


async def test_a_shared_thread_is_the_hosts(own: App) -> None:
    shared = await thread(own, "bread", SHARED)
    for name in ("bread", shared.id):
        with pytest.raises(NothingRemoved, match="Whoever hosts me"):
            await own.guild_library.find(HERE, name)
    with pytest.raises(NotFound):
        await own.guild_library.remove(HERE, Target(shared.id))
    with pytest.raises(NotFound):
        await own.guild_library.find_source(HERE, "bakery.example")
    assert await titles(own) == [BREAD.title]


async def test_another_guilds_threads_are_out_of_reach(own: App) -> None:
    theirs = await thread(own, "own0")
    for name in ("own0", theirs.id, theirs.title):
        with pytest.raises(NotFound):
            await own.guild_library.find(THERE, name)
    for whole in (False, True):
        with pytest.raises(NotFound):
            await own.guild_library.remove(THERE, Target(theirs.id, whole))
    gone = await own.guild_library.remove(HERE, Target(theirs.id))
    with pytest.raises(NotFound):
        await own.guild_library.restore(THERE, gone.moment)
    assert await own.guild_library.removals(THERE) == []


async def test_removing_twice_says_that_it_is_gone(own: App) -> None:
    target = await own.guild_library.find(HERE, "own0")
    await own.guild_library.remove(HERE, target)
    with pytest.raises(NotFound, match="not here any more"):
        await own.guild_library.plan(HERE, target)
    with pytest.raises(NotFound, match="not here any more"):
        await own.guild_library.remove(HERE, target)


async def test_nobody_votes_on_what_is_removed(own: App) -> None:
    answer = (await thread(own, "own0")).answers[0]
    await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own0"))
    with pytest.raises(NotFound):
        await press_button(own.voting, answer_id=answer.id, guild_id=HERE, user_id=1, value=Vote.UP)


async def test_importing_it_again_brings_it_back_and_ends_the_undo(own: App) -> None:
    gone = await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own0"))
    await own.library.add(OWN[:1], scope=HERE)
    assert OWN[0].title in await titles(own, HERE)
    assert await own.guild_library.removals(HERE) == []
    with pytest.raises(NotFound):
        await own.guild_library.restore(HERE, gone.moment)
    assert await own.guild_library.purge(datetime.now(UTC) + TOMORROW) == 0


async def test_after_a_day_it_is_deleted_with_all_that_hangs_on_it(
    own: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guild_library, "PURGED_AT_ONCE", 2)
    await vote(own, "own0")
    taught = NewPhrasing(
        guild_id=HERE,
        thread_id=(await thread(own, "own0")).id,
        text="in other words",
        wording="in other words",
        user_id=1,
        message_id=1,
        chosen=False,
    )
    async with own.database.write() as connection:
        await learned.add(connection, taught, 20)
    await own.guild_library.remove(HERE, await own.guild_library.find_source(HERE, "faq"))
    assert await own.guild_library.purge() == 0
    assert await own.guild_library.purge(datetime.now(UTC) + TOMORROW) == 3
    assert await own.guild_library.removals(HERE) == []
    counts = await own.library.count()
    assert (counts.threads, counts.answers, counts.votes) == (3, 6, 0)
    async with own.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM learned_phrasings")
        assert rows.scalar() == 0
    assert (await own.examine()).problems == ()


async def test_what_a_source_lacks_is_not_deleted(own: App) -> None:
    async with own.database.write() as connection:
        await connection.exec_driver_sql("UPDATE threads SET retired_at = 1 WHERE key = 'own0'")
    assert await own.guild_library.purge() == 0


async def test_a_running_app_deletes_by_itself(own: App, monkeypatch: pytest.MonkeyPatch) -> None:
    await own.guild_library.remove(HERE, await own.guild_library.find(HERE, "own0"))
    monkeypatch.setattr(guild_library, "UNDO", timedelta(0))
    monkeypatch.setattr(hourly, "PURGE_SECONDS", 0.01)
    purge, failures = own.guild_library.purge, [OSError("the disk is gone")]

    async def fails_once() -> int:
        if failures:
            raise failures.pop()
        return await purge()

    monkeypatch.setattr(own.guild_library, "purge", fails_once)
    own.follow()

    async def all_gone() -> bool:
        return not await own.guild_library.removals(HERE)

    await until(all_gone)


async def test_export_has_the_guilds_own_threads_only(own: App) -> None:
    exported = await own.guild_library.export(HERE, 10**6)
    assert exported is not None
    assert (exported.name, exported.threads) == ("library.jsonl", 5)
    rows = [json.loads(line) for line in exported.data.splitlines()]
    assert [row["id"] for row in rows] == [t.key for t in OWN]


async def test_a_large_export_is_packed(own: App, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = await own.guild_library.export(HERE, 10**6)
    monkeypatch.setattr(guild_library, "MAX_PLAIN", 10)
    packed = await own.guild_library.export(HERE, 10**6)
    assert plain is not None
    assert packed is not None
    assert packed.name == "library.jsonl.gz"
    assert gzip.decompress(packed.data) == plain.data


async def test_an_export_that_is_too_large_is_none(own: App) -> None:
    assert await own.guild_library.export(HERE, 50) is None
    with pytest.raises(NotFound):
        await own.guild_library.export(THERE, 10**6)
