"""Leases: one process at a time does a work, and another goes on when that one is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.app import App
from bot.errors import StoreError
from bot.services import leases
from bot.services.leases import EXPIRY_SECONDS, LOOK_SECONDS, RENEW_SECONDS, Leases
from bot.store.database import Database
from tests.kit import programs
from tests.kit.clock import Clock

HOLDER = """
import asyncio, sys
from bot.services.leases import Leases
from bot.store.database import Database

async def main():
    print(await Leases(await Database.open(sys.argv[1])).hold("work"), flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def one(app: App, clock: Clock) -> Leases:
    return Leases(app.database, clock)


@pytest.fixture
def other(second: App, clock: Clock) -> Leases:
    """Those of another program with the same library."""
    return Leases(second.database, clock)


@pytest.fixture
async def killed(app: App) -> None:
    """A program had the lease when it was killed."""
    program = await programs.start("-c", HOLDER, str(app.database.url))
    try:
        assert await program.stdout.readline() == b"True\n"
    finally:
        program.process.kill()
        await program.end()


async def test_one_has_it_as_long_as_it_asks_for_it(one: Leases, other: Leases, clock: Clock):
    assert await one.hold("work")
    for _ in range(40):
        clock.now += 10
        assert [await one.hold("work"), await other.hold("work")] == [True, False]


async def test_another_work_is_anothers(one: Leases, other: Leases):
    assert [await one.hold("work"), await other.hold("other work")] == [True, True]
    assert [await one.hold("other work"), await other.hold("work")] == [False, False]


async def test_of_many_that_ask_at_once_one_gets_it(app: App, second: App, clock: Clock):
    asking = [Leases(each.database, clock) for each in (app, second) for _ in range(5)]
    assert sum(await asyncio.gather(*(each.hold("work") for each in asking))) == 1


async def test_where_its_holder_asks_no_more_another_gets_it_within_a_minute(
    one: Leases, other: Leases, clock: Clock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    assert await one.hold("work")
    assert not await other.hold("work")
    begun = clock.now
    while not await other.hold("work"):
        clock.now += LOOK_SECONDS
    assert EXPIRY_SECONDS <= clock.now - begun < 60
    assert "its former holder is gone" in caplog.text
    assert not await one.hold("work")  # it was held up, and finds that out


async def test_one_that_ends_leaves_it_to_others_at_once(one: Leases, other: Leases, clock: Clock):
    assert await one.hold("work")
    assert not await other.hold("work")
    await one.release()
    clock.now += LOOK_SECONDS
    assert await other.hold("work")
    await one.release()  # no more of what it had
    clock.now += RENEW_SECONDS
    assert [await other.hold("work"), await one.hold("work")] == [True, False]


async def test_a_program_of_this_computer_that_was_killed_has_none(killed: None, one: Leases):
    assert await one.hold("work")


async def test_one_of_another_computer_may_be_alive(
    killed: None, app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(leases, "_place", lambda: "elsewhere")
    elsewhere = Leases(app.database, clock)
    assert not await elsewhere.hold("work")
    clock.now += EXPIRY_SECONDS
    assert await elsewhere.hold("work")


async def test_a_container_that_starts_again_takes_what_it_had(app: App, clock: Clock):
    before = Leases(app.database, clock)
    assert await before.hold("work")
    leases._OURS.discard(before._holder)  # its process had the same id as this
    assert await Leases(app.database, clock).hold("work")


async def test_nobody_is_told_yes_without_a_database(tmp_path: Path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'library.db'}")
    await database.close()
    (tmp_path / "library.db").write_bytes(b"this is no database any more" * 500)
    held = Leases(database)
    with pytest.raises(StoreError):
        await held.hold("work")
    await held.release()
