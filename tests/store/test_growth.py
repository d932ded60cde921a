"""A thread with thousands of answers, phrasings or guilds: taken in, in proportion."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.models import SHARED, Answer, Thread
from bot.store import carried, upsert, votes
from bot.store import threads as store
from bot.store.database import Database
from bot.store.rows import pack
from bot.store.upsert import Known, pair
from tests.kit.growth import check_linear

pytestmark = pytest.mark.untraced


@pytest.mark.parametrize("key", [None, "a"], ids=["without keys", "with one key"])
def test_answers_with_one_body_are_paired(key: str | None) -> None:
    def work(n: int) -> None:
        known = [Known(i, key, "Tap the arrow.") for i in range(n)]
        paired = pair(known, [Answer(body="Tap the arrow.", key=key) for _ in range(n)])
        assert paired == known

    check_linear(work, 3_000)


def test_phrasings_are_read(tmp_path: Path) -> None:
    def work(n: int) -> None:
        asyncio.run(_read_phrasings(tmp_path / f"{n}.db", n))

    for n in (10_000, 40_000):
        asyncio.run(_with_phrasings(tmp_path / f"{n}.db", n))
    check_linear(work, 10_000)


def test_votes_that_came_from_many_guilds_are_compared(tmp_path: Path) -> None:
    def work(n: int) -> None:
        asyncio.run(_take_votes_again(tmp_path / f"{n}.db", n))

    for n in (1_500, 6_000):
        asyncio.run(_with_votes(tmp_path / f"{n}.db", n))
    check_linear(work, 1_500)


async def _opened(file: Path) -> Database:
    return await Database.open(f"sqlite+aiosqlite:///{file}")


async def _with_phrasings(file: Path, n: int) -> None:
    database = await _opened(file)
    thread = Thread(key="a", title="Q?", phrasings=tuple(f"phrasing {i}" for i in range(n)))
    async with database.write() as connection:
        await store.put(connection, SHARED, [pack(thread)])
    await database.close()


async def _read_phrasings(file: Path, n: int) -> None:
    database = await _opened(file)
    async with database.read() as connection:
        found = await upsert.phrasings_of(connection, [1])
    await database.close()
    assert len(found[1]) == n
    assert found[1][-1] == f"phrasing {n - 1}"


def _voted(n: int) -> Thread:
    tallies = tuple((guild, 1) for guild in range(1, n + 1))
    return Thread(key="a", title="Q?", answers=(Answer(body="Yes.", tallies=tallies),))


async def _with_votes(file: Path, n: int) -> None:
    database = await _opened(file)
    async with database.write() as connection:
        await store.put(connection, SHARED, [pack(_voted(n))])
    await database.close()


async def _take_votes_again(file: Path, n: int) -> None:
    database = await _opened(file)
    async with database.write() as connection:
        await carried.keep(connection, SHARED, [pack(_voted(n))])
        assert len((await votes.tallies_by_guild(connection, [1]))[1]) == n
    await database.close()
