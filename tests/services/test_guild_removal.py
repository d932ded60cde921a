"""Servers that remove the bot: kept for a while, then gone; nobody else's business."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.app import App
from bot.models import SHARED, Answer, Mode, Thread
from bot.services import guilds
from bot.services.guild_removal import Shard
from bot.settings import Settings
from bot.store import guild_data, threads
from bot.store.rows import pack
from bot.store.tables import changes
from bot.store.threads import Put
from tests.kit.library import titles
from tests.kit.waiting import until

pytestmark = pytest.mark.both_databases

APP, OTHER_APP = 42, 43
HERE, THERE = 5 << 22, 6 << 22
LATER = timedelta(days=30, minutes=1)
SOON = timedelta(days=29)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
async def own(app: App) -> None:
    """Both guilds have a thread of their own, and a channel's mode; one thread is shared."""
    await app.library.add([Thread(key="all", title="Which fern is everybody's?")], scope=SHARED)
    for guild_id in (HERE, THERE):
        thread = Thread(key="own", title="Which moss is ours?", answers=(Answer(body="All."),))
        await app.library.add([thread], scope=guild_id)
        await app.guilds.set_mode(guild_id, 1, Mode.ASK)


async def rows(app: App, guild_id: int = HERE) -> int:
    return (await app.guild_removal.count(guild_id)).threads


async def finds(app: App, guild_id: int = HERE) -> bool:
    reply = await app.answering.ask("Which moss is ours?", guild_id=guild_id)
    return any(match.key == "own" for match in reply.matches)


async def test_what_is_kept_of_a_guild_goes_after_thirty_days(app: App) -> None:
    removal = app.guild_removal
    await removal.connected(APP, [HERE, THERE])
    await removal.removed(APP, HERE)
    assert await removal.purge(now() + SOON) == []
    assert await finds(app)
    assert await removal.purge(now() + LATER) == [HERE]
    assert not await finds(app)
    assert await app.guilds.modes(HERE) == {}
    assert (await removal.count(HERE)).rows == 0
    assert await finds(app, THERE)
    assert await app.guilds.modes(THERE) == {1: Mode.ASK}


async def test_no_change_of_the_library_names_a_forgotten_guild(app: App) -> None:
    await app.guild_removal.forget(HERE)
    async with app.database.read() as connection:
        query = select(changes.c.scope).distinct()
        assert set((await connection.execute(query)).scalars()) == {SHARED, THERE}
    assert await app.is_indexed()  # the feed's end stays what the index has read
    assert not await finds(app)


async def forget_unseen(app: App) -> None:
    """Delete what is kept of HERE, as a program that is ended right then: no index is told."""
    async with app.database.write() as connection:
        while await guild_data.delete_some(connection, HERE):
            pass


class TestIndexesThatWereNotTold:
    @pytest.mark.parametrize("is_back", [False, True])
    async def test_drop_that_guild_and_nothing_else(
        self, app: App, caplog: pytest.LogCaptureFixture, is_back: bool
    ) -> None:
        place = app.settings.data_dir / "index" / str(HERE)
        others = {s: i for s, i in app.engine._index.state.scopes.items() if s != HERE}
        await forget_unseen(app)
        if is_back:  # before any index has noticed
            async with app.database.write() as connection:
                new = Thread(key="new", title="Which lichen is new?")
                await threads.put(connection, HERE, [pack(new)])
        assert not await app.is_indexed()
        await app._index_sync.catch_up()
        assert await app.is_indexed()
        assert await titles(app, HERE) == [
            "Which fern is everybody's?",
            *(["Which lichen is new?"] if is_back else []),
        ]
        assert place.exists() == is_back
        state = app.engine._index.state
        assert {s: i for s, i in state.scopes.items() if s != HERE} == others
        assert "made anew" not in caplog.text

    async def test_drop_what_an_import_had_not_made_visible(self, app: App) -> None:
        """The guild's first threads are in, and no commit says so, when it is forgotten."""
        await forget_unseen(app)
        await app._index_sync.catch_up()
        with app._index_sync.importing():
            async with app.database.write() as connection:
                await threads.put(connection, HERE, [pack(Thread(key="o", title="Which moss?"))])
            await app._index_sync.add(Put(), HERE, {})
            await app._index_sync._index()
            await forget_unseen(app)
            await app._index_sync._index()
        await app._index_sync.catch_up()
        assert await titles(app, HERE) == ["Which fern is everybody's?"]
        assert HERE not in app.engine._index.state.scopes

    async def test_a_program_that_was_off_notices_when_it_starts(
        self, app: App, settings: Settings
    ) -> None:
        await forget_unseen(app)
        again = await App.open(settings)
        try:
            assert await titles(again, HERE) == ["Which fern is everybody's?"]
            assert HERE not in again.engine._index.state.scopes
        finally:
            await again.close()


async def test_who_comes_back_finds_all_as_it_was(app: App) -> None:
    removal = app.guild_removal
    await removal.connected(APP, [HERE])
    await removal.removed(APP, HERE)
    await removal.joined(APP, HERE)
    assert await removal.purge(now() + LATER) == []
    assert await finds(app)
    assert await app.guilds.modes(HERE) == {1: Mode.ASK}


async def test_a_removal_while_the_bot_was_away_is_seen_by_the_list(app: App) -> None:
    removal = app.guild_removal
    await removal.connected(APP, [HERE, THERE])
    await removal.connected(APP, [THERE])
    assert await removal.purge(now() + LATER) == [HERE]


async def test_a_shard_tells_of_its_own_guilds_only(app: App) -> None:
    removal = app.guild_removal
    odd, even = Shard(1, 2), Shard(0, 2)
    assert odd.has(HERE)
    assert even.has(THERE)
    await removal.connected(APP, [HERE], odd)
    await removal.connected(APP, [THERE], even)
    await removal.connected(APP, [THERE], even)
    assert await removal.purge(now() + LATER) == []
    await removal.connected(APP, [], odd)
    assert await removal.purge(now() + LATER) == [HERE]


async def test_another_application_starts_no_clock(app: App) -> None:
    removal = app.guild_removal
    await removal.connected(APP, [HERE])
    await removal.connected(OTHER_APP, [])
    assert await removal.purge(now() + LATER) == []
    await removal.connected(OTHER_APP, [HERE])
    await removal.removed(APP, HERE)  # the other is still there
    assert await removal.purge(now() + LATER) == []
    assert await finds(app)


async def test_threads_of_a_guild_that_nobody_saw_stay(app: App) -> None:
    await app.guild_removal.connected(APP, [])
    assert await app.guild_removal.purge(now() + LATER) == []
    assert await finds(app)


async def test_who_came_back_while_the_bot_was_off_keeps_all(app: App) -> None:
    """The thirty days are over at the start, but Discord has not told yet who is there."""
    async with app.database.write() as connection:
        await guild_data.note_member(connection, APP, [HERE], now() - 2 * LATER)
        await guild_data.note_removal(connection, APP, [HERE], now() - 2 * LATER)
    assert await app.guild_removal.purge() == []
    await app.guild_removal.connected(APP, [HERE])
    assert await app.guild_removal.purge() == []
    assert await finds(app)


async def test_whoever_comes_back_in_the_middle_keeps_the_rest(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    removal, steps = app.guild_removal, 0
    await removal.connected(APP, [HERE])
    await removal.removed(APP, HERE)
    original = guild_data.delete_some

    async def delete_some(connection: object, guild_id: int) -> bool:
        nonlocal steps
        steps += 1
        return await original(connection, guild_id)  # type: ignore[arg-type]

    monkeypatch.setattr(guild_data, "delete_some", delete_some)
    purging = asyncio.create_task(removal.purge(now() + LATER))
    await until(lambda: steps)
    await removal.joined(APP, HERE)
    await purging
    assert await removal.is_member(HERE)


async def test_what_is_reported_is_noted_in_its_order(app: App) -> None:
    """A removal right after the list is not undone by it, however long writing takes."""
    removal = app.guild_removal
    for _ in range(10):
        await asyncio.gather(
            removal.connected(APP, [HERE]), removal.removed(APP, HERE), removal.joined(APP, THERE)
        )
        assert not await removal.is_member(HERE)
        assert await removal.is_member(THERE)


async def test_with_no_days_it_is_deleted_at_once(app: App) -> None:
    removal = app.guild_removal
    removal._retention = timedelta(0)
    await removal.connected(APP, [HERE, THERE])
    await removal.removed(APP, HERE)
    assert not await finds(app)
    await removal.connected(APP, [])
    assert not await finds(app, THERE)


async def test_forgetting_is_at_once_and_says_how_much(app: App) -> None:
    found = await app.guild_removal.forget(HERE)
    assert (found.threads, found.votes, found.settings) == (1, 0, True)
    assert not await finds(app)
    assert (await app.library.count()).threads == 2
    assert (await app.guild_removal.forget(HERE)).rows == 0


async def test_another_process_notices(app: App) -> None:
    """What is cached of settings goes when another process has forgotten a guild."""
    other = await App.open(app.settings)
    try:
        assert await other.guilds.modes(HERE) == {1: Mode.ASK}
        seen = await other.guilds._notice(-1)
        assert await other.guilds.modes(HERE) == {1: Mode.ASK}
        await app.guild_removal.forget(HERE)
        assert await other.guilds._notice(seen) == seen + 1
        assert await other.guilds.modes(HERE) == {}
    finally:
        await other.close()


async def test_random_comings_and_goings_end_as_the_last_word_says(app: App) -> None:
    """Whatever is told in whichever order: who is a member last keeps all, the others nothing."""
    removal, dice = app.guild_removal, random.Random(7)
    there: set[int] = set()
    seen: set[int] = set()
    for _ in range(60):
        guild_id = dice.choice([HERE, THERE])
        match dice.randrange(3):
            case 0:
                await removal.joined(APP, guild_id)
                there.add(guild_id)
                seen.add(guild_id)
            case 1:
                await removal.removed(APP, guild_id)
                there.discard(guild_id)
                seen.add(guild_id)
            case _:
                there = {i for i in there if dice.random() < 0.7}
                await removal.connected(APP, there)
        for one in (HERE, THERE):
            assert await removal.is_member(one) == (one in there)
    await removal.connected(APP, there)
    assert set(await removal.purge(now() + LATER)) == seen - there


async def test_while_it_runs_it_deletes_and_notices(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due goes without a command, and what another process forgets is noticed."""
    monkeypatch.setattr(guilds, "POLL_SECONDS", 0.01)
    other = await App.open(app.settings)
    async with app.database.write() as connection:
        await guild_data.note_member(connection, APP, [HERE, THERE], now() - 2 * LATER)
        await guild_data.note_removal(connection, APP, [HERE], now() - 2 * LATER)
    await app.guild_removal.connected(APP, [THERE])
    assert await app.guilds.modes(THERE) == {1: Mode.ASK}

    async def nothing_is_left() -> bool:
        return not await rows(app)

    async def it_is_noticed() -> bool:
        return not await app.guilds.modes(THERE)

    app.follow()
    try:
        await until(nothing_is_left)
        await other.guild_removal.forget(THERE)
        await until(it_is_noticed)
    finally:
        await other.close()
