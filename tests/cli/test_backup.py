"""``threadwise backup`` and ``threadwise restore``: whole or not at all."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from bot.app import App
from bot.models import Answer, Thread, Vote
from bot.settings import Settings
from bot.store import backup, migrations
from tests.kit import programs
from tests.kit.command_line import Threadwise, make_home, run
from tests.kit.library import forget_environment
from tests.kit.programs import spawn
from tests.kit.votes import press_button, tally_of
from tests.kit.waiting import until

LIBRARY = Path("data/threadwise.db")
MANY = [Thread(key=f"k{n}", title=f"Number {n}", body="word " * 400) for n in range(900)]
FEW = "2 threads, 4 answers and 0 votes"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the two seeds in it, to be copied by each test."""
    home = make_home(tmp_path_factory.mktemp("filled"))
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch)
        patch.chdir(home)
        assert run("ask", "why?").exit_code == 0
    return home / "data"


@pytest.fixture(autouse=True)
def library(home: Path, filled: Path) -> Path:
    """A library with the two seeds in it."""
    shutil.copytree(filled, home / "data")
    return home / LIBRARY


def as_of(revision: str, copy: Path) -> Path:
    """The same rows in the tables of an earlier version, as far as it had them."""
    old = copy.with_name(f"{revision}.db")
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as migrating:
        config = migrations.config(migrating)
        command.upgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("ATTACH ? AS copy", (str(copy),))
        tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            if table not in ("alembic_version", "sqlite_sequence"):
                query = "SELECT name FROM pragma_table_info(?, ?)"
                there = [{*connection.execute(query, (table, s))} for s in ("main", "copy")]
                names = ", ".join(name for (name,) in there[0] & there[1])
                connection.execute(
                    f"INSERT INTO main.{table} ({names}) SELECT {names} FROM copy.{table}"
                )
    return old


def settings() -> Settings:
    return Settings(seeds_dir=Path("none"), _env_file=None)


async def add(*threads: Thread) -> None:
    app = await App.open(settings())
    await app.library.add(threads)
    await app.close()


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def keys(threadwise: Threadwise) -> set[str]:
    """The keys of the library's threads, as an export has them."""
    out = threadwise("export").stdout
    return {line.split('"')[3] for line in out.splitlines()}


@contextmanager
def running() -> Iterator[subprocess.Popen[str]]:
    """Another program that has the library open and does nothing just now."""
    process = spawn("-m", "bot", "ask", "--stdin", "--json")
    assert process.stdin
    assert process.stdout
    process.stdin.write("why?\n")
    process.stdin.flush()
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class TestBackup:
    def test_holds_everything_in_one_file(self, threadwise: Threadwise, home: Path) -> None:
        result = threadwise("backup", "copy.db")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == f"Backed up {FEW} to copy.db\n"
        assert rows(home / "copy.db", "PRAGMA journal_mode") == [("delete",)]
        assert rows(home / "copy.db", "SELECT key FROM threads ORDER BY key") == [
            ("bread",), ("router",),
        ]  # fmt: skip
        assert sorted(p.name for p in home.iterdir()) == ["copy.db", "data", "seeds"]

    def test_works_while_the_bot_runs(self, threadwise: Threadwise) -> None:
        with running() as process:
            assert threadwise("backup", "copy.db").exit_code == 0
            assert process.poll() is None

    async def test_is_one_state_however_much_is_written_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await add(
            *(Thread(key=f"k{n}", title=f"Number {n}", body="word " * 400) for n in range(900))
        )
        monkeypatch.setattr(backup, "PAGES", 5)
        app = await App.open(settings())
        answers = (Answer(body="One."), Answer(body="Two."))
        await app.library.add([Thread(key="pair", title="Which?", answers=answers)])
        pair = await app.answering.find("pair")
        assert pair is not None
        done = False

        async def votes() -> int:
            """Members vote for both answers, one transaction after the other."""
            user = 0
            while not done:
                user += 1
                for answer in pair.answers:
                    await press_button(
                        app.voting, answer_id=answer.id, guild_id=1, user_id=user, value=Vote.UP
                    )
            return user

        voting = asyncio.create_task(votes())
        await until(lambda: tally_of(app.database, pair.answers[1].id, 1))
        content = await backup.back_up(app.settings.database, Path("copy.db"))
        done = True
        users = await voting
        await app.close()
        (sums,) = [r[0] for r in rows(Path("copy.db"), "SELECT count(*) FROM votes")]
        assert content.votes == sums
        assert 2 <= content.votes < 2 * users
        told = "SELECT count(*) FROM votes GROUP BY answer_id ORDER BY answer_id"
        first, second = (int(str(row[0])) for row in rows(Path("copy.db"), told))
        assert first - second in (0, 1)

    def test_replaces_an_older_backup(self, threadwise: Threadwise, home: Path) -> None:
        threadwise("backup", "copy.db")
        (home / "new.txt").write_text("Is this new?\n\nscore:0\n")
        threadwise("import", "new.txt")
        assert "Backed up 3 threads" in threadwise("backup", "copy.db").stderr

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            (str(LIBRARY), "the library itself"),
            ("linked.db", "the library itself"),
            ("notes.txt", "is no backup"),
            ("other.db", "is no backup"),
            ("seeds", "is a folder"),
            ("nowhere/copy.db", "can't be written"),
        ],
    )
    def test_harms_no_other_file(
        self, threadwise: Threadwise, home: Path, name: str, why: str
    ) -> None:
        (home / "notes.txt").write_text("precious")
        (home / "linked.db").symlink_to(LIBRARY)
        other = sqlite3.connect(home / "other.db")
        other.execute("CREATE TABLE mine (a)")
        other.close()
        before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
        result = threadwise("backup", name)
        assert result.exit_code == 2
        assert why in result.stderr
        assert {p: p.read_bytes() for p in before} == before

    def test_without_a_library_there_is_nothing_to_back_up(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATA_DIR", "elsewhere")
        result = threadwise("backup", "copy.db")
        assert result.exit_code == 2
        assert "no library" in result.stderr
        assert not Path("elsewhere").exists()

    @pytest.mark.parametrize("command", ["backup", "restore"])
    def test_other_databases_have_their_own_tools(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://localhost/bot")
        result = threadwise(command, "copy.db")
        assert result.exit_code == 2
        assert "pg_dump" in result.stderr

    def test_damaged_library_is_reported(self, threadwise: Threadwise, library: Path) -> None:
        library.write_bytes(b"This is no database at all. " * 1000)
        result = threadwise("backup", "copy.db")
        assert result.exit_code == 2
        assert "damaged" in result.stderr
        assert not Path("copy.db").exists()

    def test_full_disk_leaves_the_older_backup(
        self, threadwise: Threadwise, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threadwise("backup", "copy.db")
        before = (home / "copy.db").read_bytes()

        async def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(backup, "copy_database", full)
        result = threadwise("backup", "copy.db")
        assert result.exit_code == 2
        assert "no room left" in result.stderr
        assert (home / "copy.db").read_bytes() == before
        assert sorted(p.name for p in home.iterdir()) == ["copy.db", "data", "seeds"]

    @pytest.mark.parametrize("command", ["backup", "restore"])
    async def test_stopped_half_way_nothing_is_left(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        await add(
            *(Thread(key=f"k{n}", title=f"Number {n}", body="word " * 400) for n in range(900))
        )
        url = settings().database
        await backup.back_up(url, Path("old.db"))
        before = {p: p.read_bytes() for p in (home / LIBRARY, home / "old.db")}
        monkeypatch.setattr(backup, "PAGES", 1)
        steps, pages, loop = 0, 0, asyncio.get_running_loop()

        def step(_done: int, total: int) -> None:
            nonlocal steps, pages
            steps, pages = steps + 1, total
            if steps == 5:
                loop.call_soon_threadsafe(working.cancel)

        work = backup.back_up if command == "backup" else backup.restore
        working: asyncio.Task[object] = asyncio.create_task(work(url, Path("old.db"), step))
        await asyncio.wait([working])
        assert working.cancelled()
        assert 5 <= steps < pages
        assert {p: p.read_bytes() for p in before} == before
        assert not [p for p in home.rglob("*") if ".part" in p.name]

    def test_ctrl_c_is_exit_code_130(self, home: Path, tmp_path: Path) -> None:
        script = (
            "import os, signal\nfrom bot.store import backup\nfrom bot.cli import main\n"
            "backup.PAGES = 1\nstep = backup.copy_database\n"
            "async def slow(source, copy, progress):\n"
            "    os.kill(os.getpid(), signal.SIGINT)\n    await step(source, copy, progress)\n"
            "backup.copy_database = slow\nmain()\n"
        )
        process = programs.run("-c", script, "backup", "copy.db")
        assert (process.returncode, process.stderr) == (130, "stopped\n")
        assert sorted(p.name for p in home.iterdir()) == ["data", "seeds"]


class TestRestore:
    @pytest.fixture(autouse=True)
    def copy(self, library: Path, threadwise: Threadwise) -> Path:
        """A backup, since which a thread was added."""
        assert threadwise("backup", "copy.db").exit_code == 0
        Path("new.txt").write_text("Is this new?\n\nscore:0\n")
        threadwise("import", "new.txt")
        assert "new" in keys(threadwise)
        return Path("copy.db")

    def test_puts_it_back_and_keeps_what_was_there(
        self, threadwise: Threadwise, library: Path
    ) -> None:
        result = threadwise("restore", "copy.db")
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"The library is that of copy.db now: {FEW}." in result.stderr
        assert keys(threadwise) == {"bread", "router"}
        assert "new" not in threadwise("ask", "is this new?").stdout
        (former,) = library.parent.glob("*.before-restore-*")
        assert former.name in result.stderr
        assert rows(former, "SELECT count(*) FROM threads") == [(3,)]
        assert threadwise("doctor").exit_code == 0

    def test_what_was_kept_can_be_restored_again(
        self, threadwise: Threadwise, library: Path
    ) -> None:
        threadwise("restore", "copy.db")
        (former,) = library.parent.glob("*.before-restore-*")
        assert threadwise("restore", former).exit_code == 0
        assert keys(threadwise) == {"bread", "new", "router"}

    async def test_ids_are_given_to_no_other_thread(
        self, threadwise: Threadwise, library: Path
    ) -> None:
        (newest,) = rows(library, "SELECT max(id) FROM threads")
        await backup.restore(settings().database, Path("copy.db"))
        await add(Thread(key="later", title="Is this later?"))
        (later,) = rows(library, "SELECT max(id) FROM threads")
        assert later > newest

    async def test_an_index_that_was_ahead_is_not_believed(
        self, threadwise: Threadwise, library: Path
    ) -> None:
        """As many changes as the index had seen have passed by when it is looked at again."""
        await backup.restore(settings().database, Path("copy.db"))
        connection = sqlite3.connect(library)
        with connection:
            connection.execute("INSERT INTO changes (thread_id, text) VALUES (1, 1)")
            connection.execute("INSERT INTO changes (thread_id, text) VALUES (1, 1)")
        connection.close()
        app = await App.open(settings())
        found = await app.answering.complete("", limit=99)
        await app.close()
        assert sorted(m.key for m in found) == ["bread", "router"]

    def test_is_refused_while_a_program_has_the_library_open(
        self, threadwise: Threadwise, library: Path
    ) -> None:
        with running() as process:
            before = library.read_bytes()
            result = threadwise("restore", "copy.db")
            assert result.exit_code == 2
            assert "stop it, then try again" in result.stderr
            assert library.read_bytes() == before
            assert process.stdin
            assert process.stdout
            process.stdin.write("is this new?\n")
            process.stdin.flush()
            assert "new" in process.stdout.readline()
        assert threadwise("restore", "copy.db").exit_code == 0

    def test_works_on_a_fresh_computer(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATA_DIR", "fresh/data")
        result = threadwise("restore", "copy.db")
        assert result.exit_code == 0
        assert "kept" not in result.stderr
        assert keys(threadwise) == {"bread", "router"}

    def test_replaces_a_damaged_library(self, threadwise: Threadwise, library: Path) -> None:
        library.write_bytes(b"This is no database at all. " * 1000)
        log = library.with_name(library.name + "-wal")
        log.write_bytes(b"of the damaged one")
        result = threadwise("restore", "copy.db")
        assert result.exit_code == 0, result.stderr
        assert not log.exists()
        assert keys(threadwise) == {"bread", "router"}
        former = next(library.parent.glob("*.before-restore-*[0-9]"))
        assert former.read_bytes().startswith(b"This is no database")

    def test_an_older_backup_is_migrated_at_the_next_start(
        self, threadwise: Threadwise, copy: Path
    ) -> None:
        old = as_of("0003", copy)
        assert threadwise("restore", old).exit_code == 0
        assert keys(threadwise) == {"bread", "router"}

    def test_a_folder_that_cannot_be_made_is_reported(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATA_DIR", "new.txt/data")
        result = threadwise("restore", "copy.db")
        assert result.exit_code == 2
        assert "can't be written" in result.stderr

    @pytest.mark.parametrize(
        ("damage", "why"),
        [
            ("missing", "no such file"),
            ("folder", "it is no file"),
            ("text", "can't be read as a database"),
            ("empty", "no database of Threadwise"),
            ("other", "no database of Threadwise"),
            ("newer", "newer Threadwise"),
            ("cut", "damaged"),
            ("orphans", "rows point to others that are gone"),
            ("itself", "the library itself"),
        ],
    )
    def test_a_file_that_is_no_sound_backup_changes_nothing(
        self, threadwise: Threadwise, library: Path, copy: Path, damage: str, why: str
    ) -> None:
        file = Path("bad.db")
        if damage == "folder":
            file.mkdir()
        elif damage == "text":
            file.write_text("This is no database at all. " * 1000)
        elif damage == "empty":
            file.touch()
        elif damage == "other":
            sqlite3.connect(file).execute("CREATE TABLE mine (a)").connection.close()
        elif damage == "itself":
            file.symlink_to(library)
        elif damage != "missing":
            shutil.copy(copy, file)
            connection = sqlite3.connect(file)
            with connection:
                if damage == "newer":
                    connection.execute("UPDATE alembic_version SET version_num = '9999'")
                elif damage == "orphans":
                    connection.execute("DELETE FROM threads")
            connection.close()
            if damage == "cut":
                data = bytearray(file.read_bytes())
                data[20_000:60_000] = os.urandom(40_000)
                file.write_bytes(data)
        before = library.read_bytes()
        result = threadwise("restore", file)
        assert result.exit_code == 1, result.stderr
        assert why in result.stderr or (damage == "cut" and "malformed" in result.stderr)
        assert result.stderr.startswith("error: bad.db: ")
        assert library.read_bytes() == before
        assert not list(library.parent.glob("*before-restore*"))
        assert not [p for p in Path().rglob("*") if ".part" in p.name]

    def test_full_disk_changes_nothing(
        self, threadwise: Threadwise, library: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(backup, "copy_database", full)
        result = threadwise("restore", "copy.db")
        assert result.exit_code == 2
        assert "no room left" in result.stderr
        assert "new" in keys(threadwise)

    def test_a_disk_without_links_has_it_copied(
        self, threadwise: Threadwise, library: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: object) -> None:
            raise PermissionError("no links here")

        monkeypatch.setattr(os, "link", refused)
        assert threadwise("restore", "copy.db").exit_code == 0
        (former,) = library.parent.glob("*.before-restore-*")
        assert rows(former, "SELECT count(*) FROM threads") == [(3,)]
