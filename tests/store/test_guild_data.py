"""Deletion of a guild's data: all of it and nothing of others, in small steps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SHARED, Answer, Thread
from bot.store import change_feed, guild_data, threads
from bot.store.columns import metadata
from bot.store.database import Database
from bot.store.facts import set_fact
from bot.store.rows import pack
from bot.store.tables import changes, facts, votes

HERE, THERE = 4_111_111_111_111_111_111, 222
APPS = (1, 2)
OWNERS = ("guild_id", "scope")
OWNED = [table for table in metadata.tables.values() if any(name in table.c for name in OWNERS)]


def value_of(column: Column[Any], guild_id: int) -> Any:
    """Any value that a column takes; there is a shared thread with an answer for each guild."""
    if column.name in OWNERS:
        return guild_id
    if column.name in ("thread_id", "answer_id"):
        return 1 if guild_id == HERE else 2
    if column.name == "value":
        return 1
    if isinstance(column.type, JSON):
        return []
    kind = column.type.python_type
    return {bytes: b"x", str: f"x{guild_id % 1000}", bool: True}.get(kind, 1)


def row_of(table: Table, guild_id: int) -> dict[str, Any]:
    counted = [c for c in table.c if c.autoincrement is True]
    row = {c.key: value_of(c, guild_id) for c in table.c if c not in counted and not c.nullable}
    for name in ("message_id", "post_id"):
        if name in table.primary_key.columns:
            row[name] = guild_id
    return row


async def fill(connection: AsyncConnection, guild_id: int) -> None:
    """A row of the guild in every table that has a column for it."""
    for table in OWNED:
        await connection.execute(insert(table).values(row_of(table, guild_id)))
    own = Thread(key=f"own {guild_id}", title="Own?", answers=(Answer(body="Yes."),))
    await threads.put(connection, guild_id, [pack(own)])
    await set_fact(connection, f"words:{guild_id}", "[]")
    await set_fact(connection, f"import:{guild_id}:abc", "{}")
    await set_fact(connection, f"import:{guild_id}", "[]")


async def rows_of(connection: AsyncConnection, guild_id: int) -> dict[str, int]:
    """Count a guild's rows by table, without asking the module under test."""
    found = {}
    for table in OWNED:
        owner = table.c["guild_id" if "guild_id" in table.c else "scope"]
        query = select(func.count()).select_from(table).where(owner == guild_id)
        found[table.name] = await connection.scalar(query) or 0
    names = (await connection.execute(select(facts.c.name))).scalars()
    found["facts"] = sum(str(guild_id) in name.split(":") for name in names)
    return {name: count for name, count in found.items() if count}


async def forget(database: Database, guild_id: int) -> int:
    for steps in range(1000):
        async with database.write() as connection:
            if not await guild_data.delete_some(connection, guild_id):
                return steps
    raise AssertionError("it never ends")


@pytest.fixture(autouse=True)
async def library(database: Database) -> None:
    async with database.write() as connection:
        for key in ("bread", "cake"):
            shared = Thread(key=key, title="Is it fresh?", answers=(Answer(body="Fresh."),))
            await threads.put(connection, SHARED, [pack(shared)])
        for guild_id in (HERE, THERE):
            await fill(connection, guild_id)


async def test_no_table_keeps_a_row_of_a_forgotten_guild(database: Database) -> None:
    async with database.read() as connection:
        before, others = await rows_of(connection, HERE), await rows_of(connection, THERE)
    assert before.keys() == {table.name for table in OWNED} | {"facts"}
    assert await forget(database, HERE)
    async with database.read() as connection:
        assert await rows_of(connection, HERE) == {}
        assert await rows_of(connection, THERE) == others
        assert (await guild_data.count(connection, HERE)).rows == 0
        assert await connection.scalar(select(func.count()).select_from(votes)) == 1


async def test_the_shared_library_stays(database: Database) -> None:
    await forget(database, HERE)
    async with database.read() as connection:
        assert [t.key for t in await threads.page(connection, 0, 10, SHARED)] == ["bread", "cake"]


async def test_threads_that_go_are_in_the_feed_until_all_have_gone(database: Database) -> None:
    """A guild that comes back in between is not forgotten, and its index follows the feed."""
    async with database.read() as connection:
        last = await change_feed.last_change(connection)
        own = [t.id for t in await threads.page(connection, 0, 10, HERE)]
    async with database.write() as connection:
        while (await guild_data.count(connection, HERE)).threads:
            await guild_data.delete_some(connection, HERE)
        query = select(changes.c.thread_id).where(changes.c.seq > last)
        assert set(own) <= set((await connection.execute(query)).scalars())
        newest = await change_feed.last_change(connection)
    await forget(database, HERE)
    async with database.read() as connection:
        assert await change_feed.dropped(connection) == newest  # whoever is behind looks
        assert await change_feed.last_change(connection) == newest
        assert await change_feed.floor(connection) == 0  # and nobody begins anew


async def test_it_is_done_in_small_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guild_data, "THREADS", 3)
    async with database.write() as connection:
        more = [Thread(key=f"k{n}", title=f"{n}?") for n in range(7)]
        await threads.put(connection, HERE, [*map(pack, more)])
    async with database.write() as connection:
        while (await guild_data.count(connection, HERE)).threads > 6:
            before = (await guild_data.count(connection, HERE)).threads
            await guild_data.delete_some(connection, HERE)
            assert before - (await guild_data.count(connection, HERE)).threads <= 3


async def test_the_membership_goes_last_so_that_a_stopped_deletion_goes_on(
    database: Database,
) -> None:
    async with database.write() as connection:
        while (await guild_data.count(connection, HERE)).rows:
            left = await rows_of(connection, HERE)
            assert "guild_memberships" in left
            await guild_data.delete_some(connection, HERE)


@pytest.mark.sqlite_only
async def test_deleting_reads_no_whole_table(database: Database) -> None:
    async with database.write() as connection:
        for table in OWNED:
            owner = "guild_id" if "guild_id" in table.c else "scope"
            plan = await connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN SELECT 1 FROM {table.name} WHERE {owner} = 1 LIMIT 10"
            )
            assert "SCAN" not in str(plan.all()), table.name


@pytest.mark.sqlite_only
async def test_finding_old_unanswered_questions_reads_no_whole_table(database: Database) -> None:
    async with database.write() as connection:
        for condition in ("asked_at < 1", "asked_at >= 1"):
            plan = await connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN SELECT message_id FROM unanswered WHERE {condition}"
            )
            assert "SCAN" not in str(plan.all()), condition


class TestMemberships:
    """Memberships: in which guilds the bot is, since when it is not, and what is due."""

    now = datetime(2026, 11, 28, tzinfo=UTC)
    then = datetime(2026, 10, 1, tzinfo=UTC)

    async def test_a_removal_is_due_once_all_have_left(self, database: Database) -> None:
        async with database.write() as connection:
            await guild_data.note_member(connection, 1, [10, 11], self.then)
            await guild_data.note_member(connection, 2, [10], self.then)
            assert await guild_data.note_removal(connection, 1, [10, 11, 12], self.then) == 2
            assert await guild_data.due_removals(connection, self.now, APPS) == [11]
            await guild_data.note_removal(connection, 2, [10], self.now)
            assert await guild_data.due_removals(connection, self.then, APPS) == [11]
            assert await guild_data.due_removals(connection, self.now, APPS) == [10, 11]
            assert await guild_data.due_removals(connection, self.now, APPS, 10) == [10]
            assert await guild_data.due_removals(connection, self.now, (2, 3)) == [10]
            assert await guild_data.due_removals(connection, self.now, ()) == []

    async def test_the_first_removal_counts_and_coming_back_ends_it(
        self, database: Database
    ) -> None:
        async with database.write() as connection:
            await guild_data.note_member(connection, 1, [10], self.then)
            await guild_data.note_removal(connection, 1, [10], self.then)
            assert await guild_data.note_removal(connection, 1, [10], self.now) == 0
            assert await guild_data.due_removals(connection, self.then, APPS) == [10]
            await guild_data.note_member(connection, 1, [10], self.now)
            assert await guild_data.due_removals(connection, self.now, APPS) == []
            assert 10 in await guild_data.guilds_of(connection, 1)

    async def test_many_guilds_at_once(self, database: Database) -> None:
        many = range(1, 2_001)
        async with database.write() as connection:
            await guild_data.note_member(connection, 1, many, self.then)
            await guild_data.note_member(connection, 1, many, self.now)
            assert len(await guild_data.guilds_of(connection, 1)) >= 2_000
            assert await guild_data.note_removal(connection, 1, many, self.now) == 2_000
