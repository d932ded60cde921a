"""The database file: opening, migrations, readers and the writer, locks, damage."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, func, insert, select

from bot.errors import ConfigError, StoreBusy, StoreError, StoreNewer
from bot.store import change_feed, database_file, migrations, stats
from bot.store import sqlite_backend as module
from bot.store import vectors as vector_store
from bot.store.backend import READERS
from bot.store.columns import metadata
from bot.store.database import Database
from bot.store.tables import changes, facts, guild_settings, vectors
from tests.kit.programs import checked
from tests.kit.waiting import HANG


def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


async def note(database: Database, *thread_ids: int) -> None:
    async with database.write() as connection:
        await connection.execute(insert(changes), [{"thread_id": i} for i in thread_ids])


async def noted(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(select(changes.c.thread_id))).scalars())


async def pragma(database: Database, name: str) -> object:
    async with database.write() as connection:
        return (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()


async def make_at_revision(revision: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a database as the version of Threadwise did whose newest migration this is."""
    upgrade = command.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _: upgrade(config, revision))
        await (await Database.open(url(file))).close()


class TestOpening:
    async def test_makes_the_folder_and_the_file(self, file: Path) -> None:
        await (await Database.open(url(file))).close()
        assert file.is_file()

    async def test_migrated_tables_are_those_the_program_knows(self, database: Database) -> None:
        def differences(connection: Connection) -> list[object]:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return list(compare_metadata(context, metadata))

        async with database.read() as connection:
            assert await connection.run_sync(differences) == []

    def test_the_revisions_are_alembics(self) -> None:
        walked = ScriptDirectory.from_config(migrations.config()).walk_revisions()
        assert migrations.numbers() == [script.revision for script in walked][::-1]

    async def test_alembic_is_loaded_only_where_something_is_migrated(self, file: Path) -> None:
        code = (
            "import asyncio, sys; from bot.store.database import Database\n"
            "async def go():\n"
            f"    await (await Database.open({url(file)!r})).close()\n"
            "asyncio.run(go()); print('alembic' in sys.modules)"
        )
        assert [checked("-c", code).strip() for _ in range(2)] == ["True", "False"]

    async def test_opening_again_keeps_content_and_id(self, database: Database) -> None:
        await note(database, 7)
        again = await Database.open(str(database.url))
        assert (await noted(again), again.id) == ([7], database.id)
        await again.close()

    async def test_every_library_has_an_id_of_its_own(
        self, database: Database, tmp_path: Path
    ) -> None:
        other = await Database.open(url(tmp_path / "other.db"))
        assert len(database.id) == 32
        assert other.id != database.id
        await other.close()

    async def test_several_programs_may_start_at_once(self, file: Path) -> None:
        opened = await asyncio.gather(*(Database.open(url(file)) for _ in range(5)))
        assert len({database.id for database in opened}) == 1
        for database in opened:
            await database.close()

    async def test_a_newer_database_is_refused_and_left_alone(self, file: Path) -> None:
        await (await Database.open(url(file))).close()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()
        before = file.read_bytes()
        with pytest.raises(StoreNewer, match="newer Threadwise; install that version"):
            await Database.open(url(file))
        assert file.read_bytes() == before

    async def test_an_older_one_is_brought_up_to_date_with_what_is_in_it(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make_at_revision("0001", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("INSERT INTO guild_settings (guild_id, policy) VALUES (5, 'score')")
            connection.commit()
        database = await Database.open(url(file))
        async with database.read() as reading:
            row = (await reading.execute(select(guild_settings))).one()
        assert (row.guild_id, row.policy, row.learn_phrasings) == (5, "score", None)
        await database.close()

    async def test_changes_of_guilds_that_were_forgotten_go(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make_at_revision("0010", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(
                "INSERT INTO threads (id, scope, key, title, body, score, tags, content_hash,"
                " revision) VALUES (1, 7, 'k', 't', '', 0, '[]', '', 1)"
            )
            connection.execute("INSERT INTO guild_memberships VALUES (8, 42, 0, NULL)")
            noted = [(1, 7, None), (2, 7, 1), (3, 8, 1), (4, 9, 1), (5, 0, 1)]
            insert = "INSERT INTO changes (thread_id, scope, deleted_at) VALUES (?, ?, ?)"
            connection.executemany(insert, noted)
            connection.commit()
        database = await Database.open(url(file))
        async with database.read() as connection:
            _, changed = await change_feed.changed_after(connection, 0, 100)
            assert {i: noted.scope for i, noted in changed.items()} == {1: 7, 2: 7, 3: 8, 5: 0}
            assert await change_feed.dropped(connection) == 4
            assert await change_feed.floor(connection) == 0
        await database.close()

    async def test_vectors_of_before_they_had_stages_are_kept_unless_phrasings_lack(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make_at_revision("0007", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            for n in (1, 2, 3):
                connection.execute(
                    "INSERT INTO threads (id, scope, key, title, body, score, tags, related,"
                    " content_hash, revision)"
                    f" VALUES ({n}, 0, '{n}', 't', '', 0, '[]', '[]', '', 1)"
                )
                connection.execute(f"INSERT INTO changes (seq, thread_id) VALUES ({n}, {n})")
                connection.execute(f"INSERT INTO vectors VALUES ({n}, 'm', 1, 'data')")
            for n in (1, 2):
                connection.execute(f"INSERT INTO phrasings VALUES ({n}, 0, 'how?')")
            done = '{"model": "m", "seq": 1}'  # 2 and 3 were at work
            connection.execute("INSERT INTO facts VALUES ('vectors', ?)", [done])
            connection.commit()
        database = await Database.open(url(file))
        async with database.read() as reading:
            found = (await reading.execute(select(vectors.c.thread_id, vectors.c.stage))).all()
            pending = await vector_store.pending(reading, [1, 2, 3], "m")
        assert found == [(1, 3), (3, 3)]
        assert [(thread.thread_id, thread.made) for thread in pending] == [(2, 0)]
        await database.close()

    async def test_reactions_of_before_they_had_kinds_are_normal_ones(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make_at_revision("0004", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(
                "INSERT INTO threads (id, scope, key, title, body, score, tags, content_hash,"
                " revision) VALUES (1, 0, 'k', 't', '', 0, '[]', '', 1)"
            )
            connection.execute(
                "INSERT INTO answers VALUES (1, 1, 0, '', 'b', 0, 0, '', '', 0, 0, '')"
            )
            connection.execute("INSERT INTO reactions VALUES (1, 5, 7, 9, -1, 1234)")
            connection.execute("INSERT INTO postings VALUES (9, 3, 5, 1, 1, 7, '[]', 99)")
            connection.commit()
        await (await Database.open(url(file))).close()
        with closing(sqlite3.connect(file)) as connection:
            columns = "answer_id, guild_id, user_id, posting_id, value, kind, given_at"
            found = connection.execute(f"SELECT {columns} FROM reactions").fetchall()
            assert found == [(1, 5, 7, 9, -1, 0, 1234)]
            insert = f"INSERT INTO reactions ({columns}) VALUES (1, 5, 7, 9, ?, ?, 1)"
            connection.execute(insert, (-1, 1))
            for wrong in ((-1, 0), (5, 0)):  # there already; no vote
                with pytest.raises(sqlite3.IntegrityError):
                    connection.execute(insert, wrong)
            cards = connection.execute("SELECT up_emoji, down_emoji, due_at FROM postings")
            assert cards.fetchall() == [(None, None, None)]

    async def test_a_feed_with_every_change_that_there_was_keeps_the_newest_of_each_thread(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make_at_revision("0006", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            for n in (1, 2):
                connection.execute(
                    "INSERT INTO threads (id, scope, key, title, body, score, tags, content_hash,"
                    " revision) VALUES (?, 0, ?, 't', '', 0, '[]', '', 1)", (n, f"k{n}")
                )  # fmt: skip
            # Thread 1 has text and vectors; 2 vectors, and then another text; 3 is no more.
            noted = [(1, 1), (1, 0), (1, 1), (3, 1), (2, 0), (2, 0), (1, 0), (1, 0), (2, 1), (3, 1)]
            connection.executemany("INSERT INTO changes (thread_id, text) VALUES (?, ?)", noted)
            facts = [("batches:0", "3"), ("import:0:abc", "{}"), ("import:7", "[]")]
            connection.executemany("INSERT INTO facts VALUES (?, ?)", facts)
            connection.commit()
        await make_at_revision("0007", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            query = "SELECT seq, thread_id, text, deleted_at IS NULL FROM changes ORDER BY seq"
            assert connection.execute(query).fetchall() == [
                (3, 1, 1, 1), (8, 1, 0, 1), (9, 2, 1, 1), (10, 3, 1, 0),
            ]  # fmt: skip
            names = connection.execute("SELECT name FROM facts WHERE name LIKE '%:%'").fetchall()
            assert names == [("import:7",)]

    async def test_changes_learn_their_scope_and_those_of_none_must_have_been_read(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await make_at_revision("0007", file, monkeypatch)
        with closing(sqlite3.connect(file)) as connection:
            for n, scope in ((1, 0), (2, 7)):
                connection.execute(
                    "INSERT INTO threads (id, scope, key, title, body, score, tags, content_hash,"
                    " revision) VALUES (?, ?, ?, 't', '', 0, '[]', '', 1)", (n, scope, f"k{n}")
                )  # fmt: skip
            connection.execute("INSERT INTO facts VALUES ('change_feed_floor', '2')")
            noted = [(2, None), (1, None), (3, 1000), (4, 2000)]
            insert = "INSERT INTO changes (thread_id, deleted_at) VALUES (?, ?)"
            connection.executemany(insert, noted)
            connection.commit()
        database = await Database.open(url(file))
        async with database.read() as connection:
            seq, changed = await change_feed.changed_after(connection, 0, 100)
            assert (seq, changed) == (2, {2: (1, 7), 1: (2, 0)})
            assert await change_feed.floor(connection) == 4
            assert await change_feed.last_change(connection) == 4
        await database.close()

    @pytest.mark.sqlite_only
    @pytest.mark.parametrize(
        ("setting", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
    )
    async def test_is_set_up_for_safety(
        self, database: Database, setting: str, value: object
    ) -> None:
        assert await pragma(database, setting) == value

    @pytest.mark.parametrize("address", ["sqlite+aiosqlite://", "sqlite:///:memory:"])
    async def test_may_live_in_memory(self, address: str) -> None:
        database = await Database.open(address)
        await note(database, 1, 2)
        assert (database.path, await noted(database)) == (None, [1, 2])
        await database.close()

    async def test_a_url_without_a_driver_gets_the_right_one(self, file: Path) -> None:
        database = await Database.open(f"sqlite:///{file}")
        assert database.url.drivername == "sqlite+aiosqlite"
        await database.close()


class TestClosing:
    """Of a connection that is never closed, pytest makes an error once it is collected."""

    @pytest.mark.parametrize("way", ["read", "write"])
    async def test_a_connection_in_use_is_closed_once_it_is_given_back(
        self, tmp_path: Path, way: str
    ) -> None:
        database = await Database.open(url(tmp_path / "library.db"))
        async with getattr(database, way)() as connection:
            await database.close()
            assert await change_feed.last_change(connection) == 0
        del database, connection
        gc.collect()

    async def test_who_comes_after_it_leaves_nothing_open(self, tmp_path: Path) -> None:
        database = await Database.open(url(tmp_path / "library.db"))
        await database.close()
        assert await database.reading(change_feed.last_change) == 0
        await note(database, 1)
        del database
        gc.collect()


class TestSqlitesOwnUrls:
    async def test_name_a_file(
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        odd = file.with_name("my library.db")
        database = await Database.open(
            f"sqlite+aiosqlite:///file:{file.parent}/my%20library.db?mode=rwc&uri=true"
        )
        await note(database, 3)
        assert database.path == odd
        assert odd.is_file()
        assert os.listdir() == ["data"]  # no stray folder called "file:"
        await database.close()

    @pytest.mark.parametrize(
        "address",
        ["sqlite:///file:name?mode=memory&uri=true", "sqlite:///file::memory:?uri=true"],
    )
    async def test_may_mean_memory(
        self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        database = await Database.open(address)
        await note(database, 3)
        assert (database.path, await noted(database)) == (None, [3])
        assert os.listdir() == []
        await database.close()

    async def test_a_read_only_database_is_read_and_says_that_it_cant_be_written(
        self, file: Path
    ) -> None:
        database = await Database.open(url(file))
        await note(database, 5)
        await database.close()
        database = await Database.open(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true")
        assert await noted(database) == [5]
        with pytest.raises(StoreError, match=r"library\.db can't be written; check .* permissions"):
            await note(database, 6)
        await database.close()


class TestBadUrls:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "nonsense",
            "postgresql://u:p@host:abc/db",
            "mysql+nodriver://host/db",
            "postgresql+nodriver://u:p@host/db",
            "sqlite://host/db",
            "sqlite:///a.db?timeout=soon",
            "sqlite:///file:a.db?uri=maybe",
        ],
    )
    async def test_are_refused_in_one_line(
        self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigError, match=r"^DATABASE_URL [^\n]+$"):
            await Database.open(address)
        assert os.listdir() == []

    def test_a_password_is_never_shown(self) -> None:
        where = database_file.parse_url("postgresql+asyncpg://bot:secret@host/db")
        assert "secret" not in str(module.explain(OSError("refused"), where))


class TestWriting:
    async def test_what_a_block_did_is_there_for_everybody(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        await note(database, 1)
        assert other_program.execute("SELECT thread_id FROM changes").fetchall() == [(1,)]

    async def test_an_error_undoes_the_whole_block(self, database: Database) -> None:
        async def fail() -> None:
            async with database.write() as connection:
                await connection.execute(insert(changes).values(thread_id=1))
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        assert await noted(database) == []

    async def test_writers_take_turns(self, database: Database) -> None:
        async def count_up() -> None:
            async with database.write() as connection:
                n = await connection.scalar(select(func.count()).select_from(changes))
                await asyncio.sleep(0)
                await connection.execute(insert(changes).values(thread_id=n))

        await asyncio.gather(*(count_up() for _ in range(20)))
        assert await noted(database) == list(range(20))

    async def test_a_reader_sees_one_state_and_waits_for_nobody(self, database: Database) -> None:
        await note(database, 1)
        async with database.read() as reader:
            count = select(func.count()).select_from(changes)
            assert await reader.scalar(count) == 1
            await note(database, 2)
            assert await reader.scalar(count) == 1
        assert await noted(database) == [1, 2]

    async def test_many_readers_wait_for_a_turn_and_not_for_a_connection_each(
        self, database: Database
    ) -> None:
        """To open connections for all that come at once would hold the event loop."""
        opened: list[object] = []
        at_once: list[int] = []
        event.listen(database._readers.sync_engine, "connect", lambda *about: opened.append(1))

        async def read() -> None:
            async with database.read() as connection:
                at_once.append(database._readers.pool.checkedout())  # type: ignore[attr-defined]
                await connection.scalar(select(func.count()).select_from(facts))

        await asyncio.gather(*(read() for _ in range(100)))
        assert len(at_once) == 100
        assert max(at_once) <= READERS
        assert len(opened) <= READERS

    async def test_a_cancelled_write_is_undone_and_holds_no_lock(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        kept: list[BaseException] = []  # with its traceback, and so the connection's cursors

        async def write_much() -> None:
            await note(database, *range(60_000))

        for patience in (0.0, 0.005, 0.02, 0.05):
            task = asyncio.create_task(write_much())
            await asyncio.sleep(patience)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                kept.append(error)
            other_program.execute("BEGIN IMMEDIATE")
            other_program.execute("ROLLBACK")
        assert len(kept) == 4
        await note(database, 1)
        assert await noted(database) == [1]


class TestLockedByAnotherProgram:
    @pytest.fixture(autouse=True)
    def short_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.2)

    async def test_a_writer_gives_up_with_a_word_on_what_to_do(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        other_program.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"library\.db has been locked by another program .*s"):
            await note(database, 1)
        other_program.execute("COMMIT")
        await note(database, 2)
        assert await noted(database) == [2]

    async def test_readers_go_on(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        await note(database, 1)
        other_program.execute("BEGIN IMMEDIATE")
        other_program.execute("INSERT INTO changes (thread_id) VALUES (2)")
        assert await noted(database) == [1]  # or it would give up, as nobody lets the lock go

    async def test_opening_gives_up_too(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        other_program.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="stop that program or wait"):
            await Database.open(str(database.url))

    async def test_a_writer_waits_for_a_short_lock(
        self,
        database: Database,
        other_program: sqlite3.Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(module, "BUSY_SECONDS", HANG)
        other_program.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(note(database, 1))
        await asyncio.sleep(0.05)
        assert not writing.done()
        other_program.execute("COMMIT")
        await writing
        assert await noted(database) == [1]


class TestUnusableFiles:
    async def test_a_file_that_is_no_database(self, file: Path) -> None:
        file.parent.mkdir()
        file.write_text("Dear diary, " * 500)
        with pytest.raises(StoreError, match=r"damaged or not a Threadwise database; put a backup"):
            await Database.open(url(file))
        assert file.read_text().startswith("Dear diary")

    async def test_a_folder_in_the_files_place(self, file: Path) -> None:
        file.mkdir(parents=True)
        with pytest.raises(StoreError, match="can't be opened; check that it is a file"):
            await Database.open(url(file))

    async def test_a_folder_that_cant_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("in the way")
        with pytest.raises(StoreError, match=r"data can't be made .* set DATA_DIR"):
            await Database.open(url(tmp_path / "data" / "library.db"))

    async def test_a_damaged_database_is_named(self, file: Path) -> None:
        database = await Database.open(url(file))
        await note(database, *range(20_000))
        await database.close()
        size = file.stat().st_size
        with file.open("r+b") as stream:
            stream.seek(size // 2)
            stream.write(b"\xff" * (size // 2))
        database = await Database.open(url(file))
        with pytest.raises(StoreError, match="is damaged or not a Threadwise database"):
            await noted(database)
        await database.close()

    @pytest.mark.sqlite_only
    async def test_a_full_disk_undoes_the_write_and_says_so(self, database: Database) -> None:
        await note(database, 1)
        pages = await pragma(database, "page_count")
        assert isinstance(pages, int)
        await pragma(database, f"max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match=r"no room left on the disk .* free some"):
            await note(database, *range(50_000))
        assert await noted(database) == [1]
        await pragma(database, "max_page_count = 1000000")
        await note(database, 2)
        assert await noted(database) == [1, 2]

    def test_any_other_error_keeps_its_own_words(self) -> None:
        assert str(module.explain(OSError("the cable is out"), "x.db")) == "x.db: the cable is out"

    async def test_an_error_of_the_system_is_ours_too(self, database: Database) -> None:
        with pytest.raises(StoreError, match="Input/output error"):
            async with database.write():
                raise OSError(5, "Input/output error")


class TestExamining:
    async def test_a_sound_database_has_no_problems(self, database: Database) -> None:
        assert await stats.examine(database) == stats.Health("0021", ())

    async def test_a_row_that_points_nowhere_is_named(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        for n in range(9):
            other_program.execute(f"INSERT INTO phrasings VALUES ({n}, 0, 'lost')")
        problems = (await stats.examine(database)).problems
        assert problems == ("a row of phrasings points to one of threads that is gone",) * 3

    async def test_a_damaged_index_is_named(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        await note(database, 1)
        other_program.execute("PRAGMA writable_schema = ON")
        other_program.execute("UPDATE sqlite_master SET rootpage = 0 WHERE name = 'facts'")
        other_program.execute("PRAGMA writable_schema = OFF")
        await database.close()
        with pytest.raises(StoreError, match="damaged"):
            await stats.examine(database)

    async def test_a_missing_index_or_table_is_named(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        other_program.execute("DROP INDEX ix_answers_thread_id")
        other_program.execute("DROP TABLE channel_modes")
        assert (await stats.examine(database)).problems == (
            "the table channel_modes is missing",
            "the index ix_answers_thread_id is missing",
        )

    async def test_a_database_that_was_never_migrated_says_none(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        other_program.execute("DELETE FROM alembic_version")
        assert (await stats.examine(database)).migration == "none"


async def test_facts_have_one_value_a_name(database: Database) -> None:
    async with database.read() as connection:
        names = (await connection.execute(select(facts.c.name))).scalars().all()
    assert names == ["library_id"]


async def test_a_read_within_a_read_is_refused_before_it_can_wait_for_ever(
    database: Database,
) -> None:
    async with database.read():
        with pytest.raises(RuntimeError, match=r"within Database\.read"):
            async with database.read():
                pass
    async with database.read():
        pass
