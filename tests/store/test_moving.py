"""A library is moved from one database to another, killed, and goes on."""

from __future__ import annotations

import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from bot.curation import Action
from bot.errors import ConfigError, StoreError
from bot.models import SHARED, Answer, Posting, Reaction, Thread, Vote
from bot.store import change_feed, guilds, moving, postings, tables, threads, votes
from bot.store.columns import metadata
from bot.store.curating import Change
from bot.store.curating import add as add_own
from bot.store.database import Database
from bot.store.facts import LIBRARY_ID, MOVE, fact, set_fact
from bot.store.rows import pack
from bot.store.votes import VotePlace
from tests.kit import programs

GUILD, COUNT = 2**62 + 7, 90


def thread(n: int) -> Thread:
    said = (
        Answer(body=f"Answer to {n}: Ünï\U0001f355", score=n),
        Answer(body="No.", accepted=True),
    )
    return Thread(key=f"k{n}", title=f"Question {n}?", tags=("a", "ä"), answers=said)


async def fill(database: Database) -> None:
    """A library with something in most tables, and ids that are not given any more."""
    async with database.write() as connection:
        await threads.put(connection, SHARED, [pack(thread(n)) for n in range(COUNT)])
        await threads.put(connection, GUILD, [pack(thread(1000))])
        change = await Change.begin(connection, GUILD, Action.ADDED, 5)
        own = await add_own(connection, change, Thread(key="own", title="Ours?"))
        await connection.execute(delete(tables.threads).where(tables.threads.c.id == own))
        posting = Posting(
            message_id=2**63 - 1, channel_id=3, guild_id=GUILD, thread_id=1, answer_id=1, asker_id=4
        )
        await postings.put(connection, posting)
        for user in range(50):
            await votes.give(connection, VotePlace.of(posting), Reaction(2**61 + user, Vote.UP))
        settings = {"answer_threshold": 0.1 + 0.2, "learn_phrasings": False}
        await guilds.set_overrides(connection, GUILD, settings)
        await set_fact(connection, "words:1", "7")


async def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for the library's id."""
    found = {}
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            query = select(table).order_by(*table.primary_key)
            rows = [tuple(row) for row in (await connection.execute(query)).all()]
            found[table.name] = [row for row in rows if row[0] != "library_id"]
    return found


@pytest.fixture(params=["to the server", "to a file"])
def places(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str) -> tuple[str, str]:
    """From where to where."""
    file = f"sqlite+aiosqlite:///{tmp_path / 'library.db'}"
    return (file, postgres_url) if request.param == "to the server" else (postgres_url, file)


def nothing(_rows: int, _total: int) -> None:
    pass


@pytest.fixture
async def both(places: tuple[str, str]) -> AsyncIterator[tuple[Database, Database]]:
    """A library with something in most tables, and a target for it."""
    source, target = await Database.open(places[0]), await Database.open(places[1], unfinished=True)
    await fill(source)
    yield source, target
    await target.close()
    await source.close()


async def test_everything_arrives_and_goes_on_there(places: tuple[str, str]) -> None:
    source, target = await Database.open(places[0]), await Database.open(places[1], unfinished=True)
    await fill(source)
    before, library_id = await content(source), source.id
    told = list[int]()
    moved = await moving.move(source, target, lambda rows, total: told.append(rows))
    await target.close()
    target = await Database.open(places[1])
    assert await content(target) == before
    assert target.id == library_id
    assert sum(told) == sum(each.rows for each in moved.tables.values())
    assert moved.tables["votes"].rows == 50
    async with target.write() as connection:
        new = await threads.put(connection, SHARED, [pack(Thread(key="new", title="New?"))])
    assert new.added == {"new": COUNT + 3}  # that of a thread which is gone is not given again
    assert new.seq > await source.reading(change_feed.last_change)
    await target.close()
    await source.close()
    again = await Database.open(places[0])  # an index of before is not the source's any more
    assert again.id != library_id
    await again.close()


async def test_killed_at_any_moment_it_goes_on(
    places: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await Database.open(places[0])
    await fill(source)
    before, library_id = await content(source), source.id
    await source.close()
    chance = random.Random(places[0])
    for _ in range(3):
        process = await programs.start("-m", "tests.kit.moving_program", *places)
        for _ in range(chance.randrange(1, 14)):
            await process.stdout.readline()
        process.signal(signal.SIGKILL)
        await process.end()
        with pytest.raises(
            StoreError, match=r"is being moved into .* run the same threadwise move"
        ):
            await (await Database.open(places[1])).close()
    process = await programs.start("-m", "tests.kit.moving_program", *places)
    code, out, _ = await process.end()
    assert (code, "moved" in out) == (0, True)
    target = await Database.open(places[1])
    assert (await content(target), target.id) == (before, library_id)
    await target.close()


async def test_what_changed_in_the_source_meanwhile_arrives_as_well(
    both: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "ROWS", 20)
    source, target = both

    class Stopped(Exception):
        pass

    def stop(_rows: int, _total: int) -> None:
        stop.calls += 1  # type: ignore[attr-defined]
        if stop.calls == 8:  # type: ignore[attr-defined]
            raise Stopped

    stop.calls = 0  # type: ignore[attr-defined]
    with pytest.raises(Stopped):
        await moving.move(source, target, stop)
    async with source.write() as connection:
        await threads.put(connection, SHARED, [pack(Thread(key="k1", title="Another title?"))])
    before = await content(source)
    await moving.move(source, target, nothing)
    assert await content(target) == before


async def test_a_move_that_only_did_not_say_that_it_was_done_says_so(
    both: tuple[Database, Database],
) -> None:
    source, target = both
    first = await moving.move(source, target, nothing)
    async with source.write() as connection:  # as if it had been killed before this
        await set_fact(connection, LIBRARY_ID, source.id)
    assert await moving.move(source, target, nothing) == first


async def test_what_was_written_after_a_move_that_did_not_say_that_it_was_done_is_not_lost(
    both: tuple[Database, Database],
) -> None:
    source, target = both
    await moving.move(source, target, nothing)
    async with source.write() as connection:  # as if it had been killed, and used again
        await set_fact(connection, LIBRARY_ID, source.id)
        await threads.put(connection, SHARED, [pack(Thread(key="new", title="New?"))])
    with pytest.raises(StoreError, match="has this library from an earlier move"):
        await moving.move(source, target, nothing)


async def test_rows_that_arrive_as_others_are_noticed(
    both: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = both

    def shout(value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    monkeypatch.setattr(target.backend, "storable", shout)
    original = moving._compared

    async def compared(*arguments: object) -> object:
        monkeypatch.setattr(target.backend, "storable", lambda value: value)
        return await original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(moving, "_compared", compared)
    with pytest.raises(StoreError, match="not all as they were sent"):
        await moving.move(source, target, nothing)
    async with target.read() as connection:
        assert await fact(connection, MOVE) is not None


class TestRefused:
    async def test_a_target_with_another_library(self, places: tuple[str, str]) -> None:
        source, target = await Database.open(places[0]), await Database.open(places[1])
        await fill(target)
        before = await content(target)
        with pytest.raises(ConfigError, match=r"is not empty: its table .* name a new database"):
            await moving.move(source, target, nothing)
        assert await content(target) == before
        await target.close()
        await source.close()

    async def test_a_target_into_which_another_library_is_being_moved(
        self, places: tuple[str, str]
    ) -> None:
        source, target = await Database.open(places[0]), await Database.open(places[1])
        async with target.write() as connection:
            await set_fact(connection, MOVE, "another")
        with pytest.raises(ConfigError, match="another library is being moved into"):
            await moving.move(source, target, nothing)
        await target.close()
        await source.close()

    async def test_the_library_itself(self, places: tuple[str, str]) -> None:
        source, same = await Database.open(places[0]), await Database.open(places[0])
        with pytest.raises(ConfigError, match="is the library itself"):
            await moving.move(source, same, nothing)
        await same.close()
        await source.close()
