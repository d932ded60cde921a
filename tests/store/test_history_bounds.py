"""What is kept of what was changed: bounded by number and size, of each thread and each guild."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from bot.curation import Action, Revision, ThreadState
from bot.models import Answer, Thread
from bot.store import history_bounds, revisions, threads
from bot.store.curation_tables import revisions as table
from bot.store.database import Database
from bot.store.rows import pack

HERE, THERE = 111, 222
LONG = "x" * 1_000


async def add(database: Database, key: str, guild: int = HERE) -> int:
    async with database.write() as connection:
        put = await threads.put(connection, guild, [pack(Thread(key=key, title=key))])
        return put.added[key]


async def record(
    database: Database,
    thread_id: int,
    *numbers: int,
    guild: int = HERE,
    proposed: bool = False,
) -> None:
    """Keep a state for each number of a change."""
    for number in numbers:
        thread = Thread(key="k", title=f"Title {number}", answers=(Answer(body=LONG),))
        async with database.write() as connection:
            await revisions.record(
                connection,
                guild,
                thread_id,
                ThreadState(thread=thread, answer_ids=(1,)),
                action=Action.EDITED,
                user_id=1,
                change=number,
                proposed=proposed,
            )


async def kept(database: Database, thread_id: int, guild: int = HERE) -> list[int]:
    """The changes of which states are left, oldest first."""
    found = await database.reading(revisions.of_thread, guild, thread_id)
    return [revision.change for revision in reversed(found)]


async def size(database: Database, guild: int = HERE) -> int:
    async with database.read() as connection:
        query = select(func.sum(table.c.size)).where(table.c.guild_id == guild)
        return int(await connection.scalar(query) or 0)


async def test_the_oldest_states_of_a_thread_go_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_bounds, "MAX_SIZE", 5_500)
    thread_id = await add(database, "a")
    await record(database, thread_id, *range(10))
    changes = await kept(database, thread_id)
    assert changes == [*range(10 - len(changes), 10)]
    assert 2 < len(changes) < 6
    assert await size(database) <= 5_500


async def test_the_state_in_force_and_the_one_before_stay_however_large(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_bounds, "MAX_SIZE", 10)
    thread_id = await add(database, "a")
    await record(database, thread_id, *range(3))
    await record(database, thread_id, 3, proposed=True)
    await record(database, thread_id, 4, 4)  # one change may make two
    assert await kept(database, thread_id) == [2, 3, 4]

    async def undone(connection: object) -> Revision | None:
        return await revisions.to_undo(connection, thread_id)  # type: ignore[arg-type]

    earlier = await database.reading(undone)
    assert earlier is not None
    assert (earlier.change, earlier.state.retired) == (2, False)


async def test_of_many_states_the_first_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_bounds, "MAX_KEPT", 4)
    thread_id = await add(database, "a")
    await record(database, thread_id, *range(8))
    assert await kept(database, thread_id) == [0, 5, 6, 7]


async def test_a_guild_has_a_bound_of_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_bounds, "MAX_GUILD_SIZE", 25_000)
    monkeypatch.setattr(history_bounds, "CHECKED", 1)
    theirs = await add(database, "x", THERE)
    await record(database, theirs, *range(5), guild=THERE)
    many = [await add(database, key) for key in "abcde"]
    for number in range(10):
        for thread_id in many:
            await record(database, thread_id, 10 + number)
    assert await size(database) <= 25_000
    for thread_id in many:
        assert (await kept(database, thread_id))[-3:] == [17, 18, 19]
    assert await kept(database, theirs, THERE) == [*range(5)]


async def test_proposals_are_found_by_their_own_index(database: Database) -> None:
    if database.path is None:
        pytest.skip("other databases tell in other words how they look something up")
    thread_id = await add(database, "a")
    await record(database, thread_id, 1, proposed=True)
    query = (
        select(table.c.id)
        .where(table.c.guild_id == HERE, table.c.proposed.is_(True))
        .order_by(table.c.id.desc())
    )
    async with database.read() as connection:
        said = str(query.compile(connection.engine, compile_kwargs={"literal_binds": True}))
        plan = (await connection.execute(text(f"EXPLAIN QUERY PLAN {said}"))).all()
    assert "ix_revisions_proposed" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
