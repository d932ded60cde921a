"""What PostgreSQL has of its own: locks, notifications, lost connections, and its errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ConfigError, StoreBusy, StoreError
from bot.models import SHARED, Answer, Thread
from bot.store import (
    change_feed,
    postgres_backend,
    postgres_errors,
    server_url,
    stats,
    threads,
)
from bot.store.database import Database
from bot.store.database_file import parse_url as database_url
from bot.store.rows import pack
from bot.store.tables import changes, facts
from bot.store.write_locks import lock_votes
from tests.kit.postgres import LOCKED, Server
from tests.kit.waiting import HANG, until

asyncpg = pytest.importorskip("asyncpg")

Open = Callable[[], Awaitable[Database]]


@pytest.fixture
async def open_one(postgres_url: str) -> AsyncIterator[Open]:
    """Open the same library once more, as another program does."""
    opened = list[Database]()

    async def open_another() -> Database:
        opened.append(await Database.open(postgres_url))
        return opened[-1]

    yield open_another
    for database in opened:
        await database.close()


async def note(database: Database, thread_id: int) -> None:
    async with database.write() as connection:
        await connection.execute(insert(changes).values(thread_id=thread_id))


class TestTurns:
    async def test_changes_of_two_programs_are_committed_in_the_order_of_their_numbers(
        self, open_one: Open
    ) -> None:
        one, other = await open_one(), await open_one()
        async with one.write() as connection:
            await connection.execute(insert(changes).values(thread_id=1))
            later = asyncio.create_task(note(other, 2))
            await waits_for_a_lock(one)
            seen, _ = await other.reading(change_feed.changed_after, 0, 10)
            assert (seen, later.done()) == (0, False)
        await later
        _, changed = await other.reading(change_feed.changed_after, 0, 10)
        assert [(i, noted.seq) for i, noted in changed.items()] == [(1, 1), (2, 2)]

    async def test_votes_wait_for_no_import(self, open_one: Open) -> None:
        one, other = await open_one(), await open_one()
        async with one.write(), one.write_votes([7]), other.write_votes([8]) as connection:
            assert await connection.scalar(text("SELECT 1")) == 1

    async def test_votes_of_one_member_wait_for_each_other(self, open_one: Open) -> None:
        one, other = await open_one(), await open_one()

        async def vote() -> None:
            async with other.write_votes([9, 7]):
                pass

        async with one.write_votes([7, 8]):
            voting = asyncio.create_task(vote())
            await waits_for_a_lock(one)
            assert not voting.done()
        await voting

    async def test_who_moves_or_deletes_votes_waits_for_all_who_vote(self, open_one: Open) -> None:
        one, other = await open_one(), await open_one()
        async with one.write_votes([7]):
            moving = asyncio.create_task(other.writing(lock_votes))
            await waits_for_a_lock(one)
            assert not moving.done()
        await moving

    async def test_a_turn_that_does_not_come_is_busy_and_says_what_to_do(
        self, open_one: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = await open_one()
        monkeypatch.setitem(postgres_backend._SESSION, "lock_timeout", "20")
        other = await open_one()
        async with one.write():
            with pytest.raises(StoreBusy, match=r"locked by another program .* then try again"):
                await note(other, 1)


async def waits_for_a_lock(database: Database) -> None:
    """Wait until some transaction waits for an advisory lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    async def is_waiting() -> bool:
        async with database._readers.connect() as connection:
            return bool(await connection.scalar(waiting))

    async with asyncio.timeout(HANG):
        while not await is_waiting():
            await asyncio.sleep(0.01)


class TestWatching:
    async def test_others_changes_are_told_of_and_votes_are_not(self, open_one: Open) -> None:
        one, other = await open_one(), await open_one()
        watch = one.watch()
        await until(lambda: listens(one))
        assert await watch.wait(HANG)  # what there was before
        async with other.write_votes([1]):
            pass
        assert not await watch.wait(0.05)
        await note(other, 1)
        assert await watch.wait(HANG)
        assert not await watch.wait(0)

    async def test_what_was_changed_while_the_connection_was_lost_is_told_of(
        self, open_one: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.store.postgres_listener.RETRY_SECONDS", 0.01)
        one, other = await open_one(), await open_one()
        watch = one.watch()
        await until(lambda: listens(one))
        await watch.wait(HANG)
        await disconnect_all(other)
        assert await watch.wait(HANG)
        await until(lambda: listens(one))
        await watch.wait(0.05)
        await note(other, 1)
        assert await watch.wait(HANG)


def listens(database: Database) -> bool:
    return database.backend._listener.listens  # type: ignore[attr-defined, no-any-return]


async def disconnect_all(database: Database) -> None:
    """End every other connection to the database, as a restart of the server does.

    It waits for their ends, a minute at most: one that is still there when it is taken for a
    statement would end in the middle of that.
    """
    async with database._readers.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_after_the_server_was_gone_connections_are_made_anew(open_one: Open) -> None:
    one, other = await open_one(), await open_one()
    opened = await connections(one)
    await disconnect_all(other)
    await until(lambda: all(connection.is_closed() for connection in opened))
    await note(one, 2)
    assert await one.reading(change_feed.last_change) == 1


async def connections(database: Database) -> list[Any]:
    """The asyncpg connections that its pools have open, one each."""
    found = []
    for engine in (database._writer, database._readers):
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            found.append(raw.driver_connection)
    return found


async def test_an_insert_of_many_rows_that_is_cancelled_ends(
    open_one: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, used, insert_many = await open_one(), list[Any](), asyncpg.Connection.executemany
    before = await database.reading(count_facts)
    rows = [{"name": str(n), "value": "x" * 10_000} for n in range(5_000)]

    async def noted(connection: Any, *arguments: Any, **options: Any) -> Any:
        used.append(connection)
        return await insert_many(connection, *arguments, **options)

    async def insert_all() -> None:
        async with database.write() as connection:
            await connection.execute(insert(facts), rows)

    monkeypatch.setattr(asyncpg.Connection, "executemany", noted)
    inserting = asyncio.create_task(insert_all())
    await until(lambda: used and used[0]._transport.get_write_buffer_size() > 0)
    inserting.cancel()
    await asyncio.wait([inserting], timeout=HANG)
    assert inserting.cancelled()
    assert await database.reading(count_facts) == before
    await note(database, 1)


async def count_facts(connection: AsyncConnection) -> int:
    return await connection.scalar(select(func.count()).select_from(facts)) or 0


async def test_a_nul_character_is_replaced(open_one: Open) -> None:
    database = await open_one()
    thread = Thread(key="k", title="a\0b", tags=("c\0d",), answers=(Answer(body="\0"),))
    async with database.write() as connection:
        await threads.put(connection, SHARED, [pack(thread)])
        found = (await threads.fetch(connection, [1], SHARED))[1]
    assert (found.title, found.tags, found.answers[0].body) == ("a\ufffdb", ("c\0d",), "\ufffd")


async def test_what_was_written_is_on_disk_whatever_the_server_prefers(
    open_one: Open, postgres_server: Server, postgres_url: str
) -> None:
    name = server_url.normal(database_url(postgres_url)).database
    await postgres_server.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
    database = await open_one()
    async with database.write() as connection:
        assert await connection.scalar(text("SHOW synchronous_commit")) == "on"
    await postgres_server.run(f"ALTER DATABASE {name} RESET synchronous_commit")


async def test_the_state_of_tables_and_indexes_is_examined(
    postgres_server: Server, open_one: Open
) -> None:
    url = postgres_server.url(await postgres_server.new())  # of its own: it is damaged
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(text("DROP INDEX ix_answers_thread_id"))
        await connection.execute(text("DROP TABLE channel_modes"))
        broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST(:name AS regclass)"
        await connection.execute(text(broken), {"name": "ix_votes_user_id"})
    health = await stats.examine(database)
    assert health.version.startswith("PostgreSQL ")
    assert health.problems == (
        "the index ix_votes_user_id is not valid; run REINDEX INDEX ix_votes_user_id",
        "the table channel_modes is missing",
        "the index ix_answers_thread_id is missing",
    )
    await database.close()


async def test_several_programs_may_make_the_tables_at_once(postgres_server: Server) -> None:
    await postgres_server.run("DROP DATABASE IF EXISTS bare", "CREATE DATABASE bare")
    opened = await asyncio.gather(*(Database.open(postgres_server.url("bare")) for _ in range(3)))
    assert len({database.id for database in opened}) == 1
    for database in opened:
        await database.close()


class TestErrors:
    async def refused(self, url: str) -> str:
        with pytest.raises(StoreError) as refused:
            await Database.open(url)
        assert "\n" not in str(refused.value)
        assert "secret" not in str(refused.value)
        return str(refused.value)

    async def test_no_server(self, tmp_path: object) -> None:
        url = f"postgresql+asyncpg://bot:secret@/library?host={tmp_path}"
        assert "can't be reached" in (said := await self.refused(url))
        assert "start it, or correct host and port in DATABASE_URL" in said

    async def test_no_database(self, postgres_server: Server) -> None:
        said = await self.refused(postgres_server.url("nowhere"))
        assert "make it with: createdb" in said
        assert said.endswith("nowhere")

    async def test_a_wrong_password(self, postgres_server: Server) -> None:
        await postgres_server.run(
            f"DROP ROLE IF EXISTS {LOCKED}", f"CREATE ROLE {LOCKED} LOGIN PASSWORD 'other'"
        )
        url = postgres_server.url("postgres", f"{LOCKED}:secret")
        assert "correct user and password in DATABASE_URL" in await self.refused(url)

    async def test_no_right_to_make_tables(self, postgres_server: Server) -> None:
        await postgres_server.run(
            "DROP DATABASE IF EXISTS closed", "CREATE DATABASE closed",
            "DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN",
        )  # fmt: skip
        await postgres_server.run("REVOKE ALL ON SCHEMA public FROM PUBLIC", database="closed")
        said = await self.refused(postgres_server.url("closed", "guest"))
        assert "ALTER DATABASE closed OWNER TO guest" in said

    async def test_an_encoding_without_every_letter(self, postgres_server: Server) -> None:
        await postgres_server.run(
            "DROP DATABASE IF EXISTS western",
            "CREATE DATABASE western ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
        )
        said = await self.refused(postgres_server.url("western"))
        assert "encoding LATIN1" in said
        assert "createdb --encoding UTF8" in said

    async def test_a_statement_that_takes_longer_than_the_server_lets_it(
        self, open_one: Open
    ) -> None:
        database = await open_one()

        async def sleep(connection: AsyncConnection) -> None:
            await connection.execute(text("SET LOCAL statement_timeout = 1"))
            await connection.execute(text("SELECT pg_sleep(60)"))

        with pytest.raises(StoreBusy, match=r"statement timeout.*then try again"):
            await database.reading(sleep)

    @pytest.mark.parametrize(
        ("code", "advice"),
        [
            ("53100", "no room left on the disk"),
            ("53300", "raise max_connections"),
            ("57P03", "can't be reached"),
            ("08006", "can't be reached"),
            ("25006", "name the primary server"),
            ("42P01", "damaged"),
            ("40P01", "try again"),
        ],
    )
    def test_other_codes_have_advice(self, code: str, advice: str) -> None:
        error = RuntimeError("x")
        error.sqlstate = code  # type: ignore[attr-defined]
        url = database_url("postgresql+asyncpg://bot:secret@db.example:5433/library")
        explained = postgres_errors.explain(error, url)
        said = str(explained)
        assert advice in said
        assert (explained.exit_code == 1) == (code in ("53300", "57P03", "08006"))
        assert "db.example:5433/library" in said
        assert "secret" not in said


class TestUrls:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
    def test_all_that_hosts_write_are_understood(self, scheme: str) -> None:
        url = database_url(f"{scheme}://bot:secret@host/library?sslmode=require")
        assert (url.drivername, url.query) == ("postgresql+asyncpg", {"ssl": "require"})
        assert server_url.place(url) == "host/library"
        assert server_url.tool_arguments(url) == "'postgresql://bot@host/library?sslmode=require'"

    async def test_an_option_that_is_unknown_is_named(self, postgres_url: str) -> None:
        with pytest.raises(ConfigError, match=r"^DATABASE_URL can't be used: .*colour"):
            await Database.open(f"{postgres_url}&colour=red")


async def test_a_vote_is_seen_by_others_once_it_is_written(open_one: Open) -> None:
    one, other = await open_one(), await open_one()
    async with one.write_votes([1]) as connection:
        await connection.execute(insert(changes).values(thread_id=5))
        async with other.read() as reading:
            assert (await reading.execute(select(changes))).all() == []
    async with other.read() as reading:
        assert len((await reading.execute(select(changes))).all()) == 1
