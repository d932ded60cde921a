"""Learned phrasings in the store."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from bot.models import SHARED, Thread
from bot.phrasings import LearnedPhrasing
from bot.store import learned, threads
from bot.store.database import Database
from bot.store.learned import NewPhrasing
from bot.store.phrasing_room import surplus
from bot.store.rows import ROWS_A_TURN, pack, row_batches
from bot.store.tables import learned_phrasings as learned_table
from bot.store.tables import threads as thread_table

HERE, THERE = 111, 222
CAP = 20

LESSON = NewPhrasing(
    guild_id=HERE,
    thread_id=1,
    text="Flat bread, why?",
    wording="flat bread why",
    user_id=7,
    message_id=50,
    chosen=False,
)


@pytest.fixture(autouse=True)
async def library(database: Database) -> None:
    """Threads 1 and 2."""
    async with database.write() as connection:
        found = [Thread(key="bread", title="Bread?"), Thread(key="cake", title="Cake?")]
        await threads.put(connection, SHARED, [*map(pack, found)])


async def add(database: Database, lesson: NewPhrasing = LESSON, cap: int = CAP) -> int | None:
    async with database.write() as connection:
        return await learned.add(connection, lesson, cap)


async def known(database: Database, guild: int = HERE) -> list[LearnedPhrasing]:
    async with database.read() as connection:
        return await learned.of_guild(connection, guild)


async def texts(database: Database, guild: int = HERE) -> list[str]:
    return [phrasing.text for phrasing in await known(database, guild)]


async def version(database: Database, guild: int = HERE) -> tuple[int, int, int, int]:
    async with database.read() as connection:
        return await learned.version(connection, guild)


def said(number: int) -> NewPhrasing:
    return replace(LESSON, text=f"Text {number}", wording=f"text {number}", message_id=number)


async def test_a_lesson_comes_back_with_its_thread(database: Database) -> None:
    number = await add(database)
    (phrasing,) = await known(database)
    assert phrasing.learned_at is not None
    assert replace(phrasing, learned_at=None) == LearnedPhrasing(
        id=number or 0,
        guild_id=HERE,
        thread_id=1,
        key="bread",
        title="Bread?",
        text="Flat bread, why?",
        user_id=7,
        message_id=50,
        confirmed=False,
        agreed=False,
        teachers=(7,),
    )
    assert await known(database, THERE) == []


async def test_one_wording_once_a_thread_and_guild(database: Database) -> None:
    assert await add(database) is not None
    assert await add(database, replace(LESSON, text="FLAT bread why")) is None
    assert await add(database, replace(LESSON, text="FLAT bread why", user_id=8)) is not None
    assert await texts(database) == ["Flat bread, why?"]
    assert await add(database, replace(LESSON, thread_id=2)) is not None
    assert await add(database, replace(LESSON, guild_id=THERE)) is not None
    assert len(await known(database)) == 2


async def test_a_known_wording_spoils_nothing_else_of_the_transaction(database: Database) -> None:
    await add(database)
    async with database.write() as connection:
        assert await learned.add(connection, LESSON, CAP) is None
        assert await learned.add(connection, said(1), CAP) is not None
    assert await texts(database) == ["Text 1", "Flat bread, why?"]


async def test_the_constraint_holds_whoever_writes(
    database: Database, other_program: sqlite3.Connection
) -> None:
    await add(database)
    columns = "guild_id, thread_id, text, wording, user_id, message_id, chosen, learned_at"
    copy = f"INSERT INTO learned_phrasings ({columns}) SELECT {columns} FROM learned_phrasings"
    with pytest.raises(sqlite3.IntegrityError):
        other_program.execute(copy)


async def test_a_thread_that_is_not_there_is_no_error_of_the_database(database: Database) -> None:
    assert await add(database, replace(LESSON, thread_id=99)) is None


async def test_beyond_the_cap_the_oldest_goes(database: Database) -> None:
    for number in range(5):
        await add(database, said(number), cap=3)
    assert await texts(database) == ["Text 4", "Text 3", "Text 2"]
    await add(database, replace(said(9), thread_id=2), cap=3)
    await add(database, replace(said(9), guild_id=THERE), cap=3)
    assert len(await known(database)) == 4  # the cap is for each thread and guild


async def test_a_member_cannot_push_out_what_others_taught(database: Database) -> None:
    for user_id in (8, 9):
        await add(database, replace(said(user_id), user_id=user_id), cap=4)
    for number in range(20, 40):  # member 7 goes on and on
        assert await add(database, said(number), cap=4) is not None
    assert await texts(database) == ["Text 39", "Text 38", "Text 9", "Text 8"]


async def test_where_each_has_one_a_newcomer_is_not_taken(database: Database) -> None:
    for user_id in (7, 8, 9):
        await add(database, replace(said(user_id), user_id=user_id), cap=3)
    before = await version(database)
    assert await add(database, replace(said(10), user_id=10), cap=3) is None
    assert await texts(database) == ["Text 9", "Text 8", "Text 7"]
    assert await version(database) == before


async def test_who_has_taught_most_makes_room_for_others(database: Database) -> None:
    for number in range(4):
        await add(database, said(number), cap=4)
    assert await add(database, replace(said(8), user_id=8), cap=4) is not None
    assert await texts(database) == ["Text 8", "Text 3", "Text 2", "Text 1"]


@given(st.lists(st.integers(1, 6), max_size=60), st.integers(1, 8))
def test_nobody_is_pushed_below_who_pushes(members: list[int], cap: int) -> None:
    """Whatever members teach in whichever order: each keeps a fair share of the room."""
    kept: list[tuple[int, int]] = []
    for number, member in enumerate(members):
        before = Counter(user_id for _, user_id in kept)
        kept.append((number, member))
        gone = surplus(kept, member, cap)
        kept = [pair for pair in kept if pair[0] not in gone]
        after = Counter(user_id for _, user_id in kept)
        assert len(kept) == min(cap, sum(before.values()) + 1)
        assert len(gone) <= 1
        for other in before.keys() - {member}:
            if after[other] < before[other]:  # who loses one had more, and still has as many
                assert after[other] >= after[member]
                assert before[other] == max(before.values())
    room = Counter(members)
    for member, taught in room.items():  # a share of the room is anybody's who uses it
        share = min(taught, cap // len(room))
        assert Counter(user_id for _, user_id in kept)[member] >= share


async def test_taking_a_posting_back(database: Database) -> None:
    async def take_back(message: int, wording: str | None, *, guild: int = HERE, thread: int = 1):
        async with database.write() as connection:
            return await learned.take_back(connection, guild, thread, message, wording)

    await add(database, replace(LESSON, chosen=True))
    await add(database, said(1))
    assert await take_back(99, None) == 0
    assert await take_back(99, "other words") == 0
    assert await take_back(50, "flat bread why", guild=THERE) == 0
    assert await take_back(50, "flat bread why", thread=2) == 0
    assert await take_back(99, "flat bread why") == 1
    assert await take_back(1, None) == 1
    assert await known(database) == []


async def test_withdrawing_a_vote_leaves_choices(database: Database) -> None:
    await add(database, replace(LESSON, chosen=True))
    await add(database, replace(said(1), message_id=50))
    await add(database, said(2))
    async with database.write() as connection:
        assert await learned.withdraw(connection, 50) == 1
    assert await texts(database) == ["Text 2", "Flat bread, why?"]


async def test_removing_one(database: Database) -> None:
    number = await add(database) or 0
    async with database.write() as connection:
        assert await learned.remove(connection, THERE, number) is None
        assert await learned.remove(connection, HERE, number) == "Flat bread, why?"
        assert await learned.remove(connection, HERE, number) is None
    assert await known(database) == []


async def test_forgetting_a_member_in_every_guild(database: Database) -> None:
    await add(database)
    await add(database, replace(LESSON, guild_id=THERE))
    await add(database, replace(said(1), user_id=8))
    async with database.write() as connection:
        assert await learned.forget_user(connection, 7) == 2
        assert await learned.forget_user(connection, 7) == 0
    assert await texts(database) == ["Text 1"]


async def test_a_deleted_thread_takes_its_phrasings_along(database: Database) -> None:
    await add(database)
    await add(database, replace(LESSON, thread_id=2))
    async with database.write() as connection:
        await connection.execute(delete(thread_table).where(thread_table.c.id == 1))
    assert [phrasing.thread_id for phrasing in await known(database)] == [2]


async def test_an_updated_thread_keeps_its_phrasings(database: Database) -> None:
    await add(database)
    async with database.write() as connection:
        await threads.put(connection, SHARED, [pack(Thread(key="bread", title="Why no crust?"))])
    assert [(p.title, p.text) for p in await known(database)] == [
        ("Why no crust?", "Flat bread, why?")
    ]


async def test_the_version_tells_one_content_from_another(database: Database) -> None:
    seen: list[tuple[tuple[int, int, int, int], list[str]]] = []

    async def look() -> None:
        seen.append((await version(database), await texts(database)))

    await look()
    numbers = []
    for number in range(3):
        numbers.append(await add(database, said(number)) or 0)
        await look()
    for number in (numbers[2], numbers[0]):
        async with database.write() as connection:
            await learned.remove(connection, HERE, number)
        await look()
    await add(database, said(7), cap=1)  # one comes and one goes
    await look()
    await add(database, replace(LESSON, guild_id=THERE))
    await look()
    for now, content in seen:
        assert [c == content for _, c in seen] == [v == now for v, _ in seen]


async def test_phrasings_are_found_by_parts_of_their_wording(database: Database) -> None:
    for number, wording in enumerate(["salt in bread", "100_percent rye", "a bread of rye"], 1):
        await add(database, replace(said(number), text=wording.title(), wording=wording))
    await add(database, replace(said(9), guild_id=THERE, wording="bread elsewhere"))

    async def saying(*parts: str) -> list[str]:
        async with database.read() as connection:
            found = await learned.saying(connection, HERE, parts)
        return [phrasing.text for phrasing in found]

    assert await saying("bre") == ["A Bread Of Rye", "Salt In Bread"]
    assert await saying("rye", "bread") == ["A Bread Of Rye"]
    assert await saying("100_") == ["100_Percent Rye"]
    assert await saying("1__") == await saying("%") == []  # no signs with a meaning of their own
    assert await saying() == ["A Bread Of Rye", "100_Percent Rye", "Salt In Bread"]
    assert await saying(*["bread"] * 50) == await saying("bread")


async def test_thousands_are_read_in_slices_between_which_others_run(database: Database) -> None:
    async with database.write() as connection:
        for number in range(3 * ROWS_A_TURN):
            await learned.add(connection, said(number), cap=10**6)
    turns = list[str]()

    async def other() -> None:
        while True:
            turns.append("other")
            await asyncio.sleep(0)

    async with database.read() as connection:
        running = asyncio.create_task(other())
        async for part in row_batches(connection, select(learned_table)):
            turns.append(f"slice of {len(part)}")
        running.cancel()
    sizes = [turn for turn in turns if turn != "other"]
    assert sizes == [f"slice of {ROWS_A_TURN}"] * 3
    first = turns.index(sizes[0])
    assert turns[first : first + 3].count("other") >= 1  # and not only before the first
    assert len(await known(database)) == 3 * ROWS_A_TURN


class TestConfirming:
    async def state(self, database: Database) -> list[tuple[bool, tuple[int, ...]]]:
        return [(p.confirmed, p.teachers) for p in await known(database)]

    async def test_a_second_member_confirms(self, database: Database) -> None:
        await add(database)
        await add(database)
        assert await self.state(database) == [(False, (7,))]
        await add(database, replace(LESSON, user_id=8, text="flat BREAD why"))
        assert await self.state(database) == [(True, (7, 8))]

    async def test_who_does_not_count_confirms_nothing_until_they_do(
        self, database: Database
    ) -> None:
        await add(database)
        newcomer = replace(LESSON, user_id=8, counts=False)
        await add(database, newcomer)
        before = await version(database)
        assert await self.state(database) == [(False, (7, 8))]
        await add(database, newcomer)
        assert await version(database) == before
        await add(database, replace(newcomer, counts=True))
        assert await self.state(database) == [(True, (7, 8))]
        assert await version(database) != before

    async def test_a_moderator_keeps_it_in_the_own_guild(self, database: Database) -> None:
        number = await add(database) or 0
        before = await version(database)
        async with database.write() as connection:
            assert await learned.keep(connection, THERE, number) is None
            assert await learned.keep(connection, HERE, number + 1) is None
            assert await learned.keep(connection, HERE, number) == "Flat bread, why?"
        assert await self.state(database) == [(True, (7,))]
        assert await version(database) != before
        async with database.write() as connection:
            assert await learned.take_back(connection, HERE, 1, 50, LESSON.wording) == 0
            assert await learned.withdraw(connection, 50) == 0
        await add(database, replace(LESSON, user_id=8))
        async with database.write() as connection:
            assert await learned.forget_user(connection, 7) == 1
        assert await self.state(database) == [(True, (8,))]

    async def test_new_ones_take_no_room_from_confirmed_ones(self, database: Database) -> None:
        for number in range(3):
            await add(database, said(number), cap=2)
            await add(database, replace(said(number), user_id=8), cap=2)
        assert await texts(database) == ["Text 2", "Text 1"]
        for number in range(10, 15):
            await add(database, said(number), cap=2)
        assert await texts(database) == ["Text 14", "Text 13", "Text 2", "Text 1"]

    async def test_what_was_taught_within_a_time_is_counted(self, database: Database) -> None:
        await add(database)
        await add(database, replace(LESSON, guild_id=THERE))
        await add(database, replace(said(1), counts=False))
        await add(database, replace(said(2), user_id=8))
        now = datetime.now(UTC)
        async with database.read() as connection:
            for since, count in ((now - timedelta(minutes=5), 1), (now + timedelta(minutes=5), 0)):
                assert await learned.taught_since(connection, HERE, 7, since) == count


async def test_what_was_learned_before_goes_on_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database of the version in which one member's choice was enough."""
    file, upgrade = tmp_path / "older.db", command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0007"))
        await (await Database.open(f"sqlite+aiosqlite:///{file}")).close()
    with closing(sqlite3.connect(file)) as program, program:
        program.execute(
            "INSERT INTO threads (id, scope, key, title, body, tags, score, revision, related,"
            " content_hash) VALUES (1, 0, 'bread', 'Bread?', '', '[]', 0, 1, '[]', '')"
        )
        program.executemany(
            "INSERT INTO learned_phrasings (id, guild_id, thread_id, text, wording, user_id,"
            " message_id, chosen, learned_at, model, vector)"
            " VALUES (?, ?, 1, 'Flat?', 'flat', 7, 50, 0, 5, 'm', x'01')",
            [(3, HERE), (9, THERE)],
        )
        program.execute("DELETE FROM learned_phrasings WHERE id = 9")
    database = await Database.open(f"sqlite+aiosqlite:///{file}")
    try:
        (old,) = await known(database)
        assert (old.id, old.confirmed, old.teachers) == (3, True, (7,))
        assert (old.model, old.vector) == ("m", b"\x01")
        number = await add(database, replace(LESSON, wording="flat", user_id=8))
        assert number == 10  # ids are not given twice
        async with database.write() as connection:
            assert await learned.withdraw(connection, 50) == 2
        assert await known(database) == []
    finally:
        await database.close()
