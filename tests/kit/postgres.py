"""A PostgreSQL server of the tests' own, from Debian's programs, and a database for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from bot.store.database import Database

try:
    import asyncpg
except ModuleNotFoundError:  # the extra is not installed
    asyncpg = None

WHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
"""Where packages put the programs that start a server; Debian's are not on the PATH."""

OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",  # for tests alone: a power cut would lose their databases
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "autovacuum": "off",
    "lc_messages": "C",
}

NOT_DURABLE = ("fsync", "full_page_writes", "autovacuum")
"""What is off for tests alone."""

MEMORY = "/dev/shm"
"""A file system in memory, where there is one: a server begins with a thousand small files."""

VARIABLE = "TEST_POSTGRES"
"""The environment's name for the folder of a server that is running already, to spare its start:
``python -m tests.kit.postgres`` starts one, and prints the folder."""

LOCKED = "needs_password"
"""The name of an account that gets in with its password alone; a test makes it."""

TEMPLATE = "migrated"

EMPTY = """
DO $$ DECLARE this record; BEGIN
  FOR this IN SELECT oid::regclass AS name, pg_relation_size(oid) > 1000000 AS large FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    AND pg_relation_size(oid) > 0
  LOOP
    EXECUTE CASE WHEN this.large THEN 'TRUNCATE ' || this.name || ' CASCADE'
      ELSE 'DELETE FROM ' || this.name END;
  END LOOP;
  FOR this IN SELECT schemaname, sequencename FROM pg_sequences WHERE last_value IS NOT NULL
  LOOP EXECUTE format('ALTER SEQUENCE %I.%I RESTART', this.schemaname, this.sequencename);
  END LOOP;
END $$
"""
"""Empties our tables: that takes milliseconds, and a new database a third of a second."""


def programs() -> Path | None:
    """The folder with initdb and postgres, of the newest version that is here."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = [folder for pattern in WHERE for folder in Path("/").glob(pattern[1:])]
    folders = [folder for folder in folders if (folder / "initdb").exists()]
    return max(folders, key=lambda folder: float(_number(folder.parent.name)), default=None)


def _number(name: str) -> str:
    return "".join(sign for sign in name if sign.isdigit() or sign == ".") or "0"


def why_not() -> str | None:
    """Why no server can be started here, if none can."""
    if asyncpg is None:
        return "asyncpg is not installed (make install)"
    if programs() is None:
        return "PostgreSQL's programs are not here (on Debian: apt install postgresql)"
    return None


class Server:
    """A running server on a socket in its own folder, which processes of the tests share."""

    def __init__(self, bin_folder: Path, folder: Path):
        self.bin, self.folder = bin_folder, folder
        self._numbers = (f"library_{os.getpid()}_{n}" for n in count(1))
        self._free: list[str] = []

    @classmethod
    def start(cls, *, durable: bool = False) -> Server:
        """Make a server's folder and start it; it has a database with our tables, but empty.

        Only one that is ``durable`` writes to the disk, as servers do.
        """
        bin_folder = programs()
        assert bin_folder is not None
        memory = MEMORY if os.access(MEMORY, os.W_OK) and not durable else None
        server = cls(bin_folder, Path(tempfile.mkdtemp(prefix="threadwise-postgres-", dir=memory)))
        if not os.geteuid():
            shutil.chown(server.folder, *[_account()[key] for key in ("user", "group")])
        data = f"--pgdata={server.folder / 'data'}"
        server._run("initdb", "--no-sync", "--auth=trust", "--username=postgres",
                    "--encoding=UTF8", "--locale=C.UTF-8", data)  # fmt: skip
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {LOCKED} scram-sha-256\nlocal all all trust\n")
        given = OPTIONS | (dict.fromkeys(NOT_DURABLE, "on") if durable else {})
        options = " ".join(f"--{name}={value}" for name, value in given.items())
        options += f" --unix_socket_directories={server.folder}"
        server._run("pg_ctl", "start", "-w", "-s", data, "-o", options, "-l",
                    str(server.folder / "log"))  # fmt: skip
        asyncio.run(server._make_template())
        return server

    def stop(self) -> None:
        """Stop the server and delete its folder."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", str(self.folder / "data"))
        shutil.rmtree(self.folder)

    def url(self, name: str, user: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql+asyncpg://{user}@/{name}?host={self.folder}"

    async def connect(self, name: str = "postgres") -> Any:
        """A connection of the tests' own to a database."""
        return await asyncpg.connect(user="postgres", database=name, host=str(self.folder))

    async def new(self) -> str:
        """Make a database with our tables; return its name."""
        name = next(self._numbers)
        await self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        return name

    async def take(self) -> str:
        """Give a database with our tables, which are empty, until it is given back."""
        if not self._free:
            return await self.new()
        name = self._free.pop()
        await self.run(EMPTY, database=name)
        return name

    def give_back(self, name: str) -> None:
        """Let another test have a database, of which the tables are as they were."""
        self._free.append(name)

    async def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements, each in a transaction of its own."""
        connection = await self.connect(database)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _make_template(self) -> None:
        await self.run(f"CREATE DATABASE {TEMPLATE}")
        await (await Database.open(self.url(TEMPLATE))).close()
        await self.run("DELETE FROM facts", database=TEMPLATE)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), *arguments]
        with (self.folder / "said").open("w+") as said:  # a pipe would be the server's as well
            done = subprocess.run(command, stdout=said, stderr=said, check=False, **_account())
            said.seek(0)
            assert not done.returncode, said.read()


def _account() -> dict[str, Any]:
    """The account that the server runs as: it refuses to be root."""
    if os.geteuid():
        return {}
    import pwd  # not on Windows

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = known.get("postgres") or known["nobody"]
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


def shared(base: Path) -> Server:
    """The server of all processes of this run of the tests, started by whoever comes first.

    ``base`` is the run's folder. Skips the test where none can be started.
    """
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    bin_folder = programs()
    assert bin_folder is not None
    if folder := os.environ.get(VARIABLE):
        return Server(bin_folder, Path(folder))
    with FileLock(base / "postgres.lock"):
        known = base / "postgres"
        if not known.exists():
            known.write_text(str(Server.start().folder))
        return Server(bin_folder, Path(known.read_text()))


def stop_shared(base: Path) -> None:
    """Stop the server of this run of the tests, if there is one."""
    known, bin_folder = base / "postgres", programs()
    if known.exists() and bin_folder is not None:
        Server(bin_folder, Path(known.read_text())).stop()
        known.unlink()


if __name__ == "__main__":
    print(Server.start().folder)
