"""A consistent copy of a database that is in use, and restoring one in its place.

Both are whole or not at all: they are made beside the place they are for, checked there,
and put into it in one step. PostgreSQL has programs of its own for that, which are named.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import ConfigError, InputError, StoreBusy, StoreNewer
from bot.private_files import FOLDER, tighten, unfinished
from bot.store.backend import BUSY_SECONDS
from bot.store.database_file import log_files, parse_url, sqlite_file
from bot.store.facts import COMMAND_TREE_HASH, LIBRARY_ID
from bot.store.server_url import is_on_server, tool_arguments
from bot.store.sqlite_backend import explain
from bot.store.stats import Counts, check_copy, missing_tables
from bot.worker import in_thread

PAGES = 500
"""Pages that are copied between two looks at whether to go on; 2 MB, usually."""

PageProgress = Callable[[int, int], None]
"""Called with the pages copied since the last call, and the pages that there are."""

LOCK_SECONDS = 1.0
"""Seconds that a restore waits for other programs to close the library."""

OWN_FACTS = (LIBRARY_ID, COMMAND_TREE_HASH)
"""Facts that a restored database must not keep. By the id, an index of the former database
would take it for its own; the command tree on Discord may be newer than the hash says."""


DUMP = "run: pg_dump --format=custom --file={file} {url}"
RESTORE = (
    "put back what pg_dump wrote with: "
    "pg_restore --clean --if-exists --no-owner --single-transaction --dbname={url} {file}"
)
"""What to run where the library is in PostgreSQL; both ask for the password."""


async def back_up(url: str, file: Path, progress: PageProgress | None = None) -> Counts:
    """Copy the database at ``url`` into ``file``, whatever is written to it meanwhile.

    An older backup of that name is replaced. Raises ConfigError when the file can't be
    written or is something else, StoreError when the database can't be read.
    """
    source = _file_of(url, DUMP, file)
    if not source.is_file():
        raise ConfigError(f"there is no library in {source} yet; nothing to back up")
    target = file.resolve()
    _check_target(target, source, file)
    with _unfinished(target, file) as copy, _explained(source):
        await copy_database(f"{source.as_uri()}?mode=rw", copy, progress)
        content = await in_thread(_check, copy)
        _put(copy, target)
    return content


async def restore(
    url: str, file: Path, progress: PageProgress | None = None
) -> tuple[Counts, Path | None]:
    """Put a backup in place of the database at ``url``, which no program may have open.

    Returns what it holds, and where the former database is kept (``None``: there was
    none). Raises InputError when the file is no sound backup of this program or an
    older one, StoreBusy while somebody has the library open.
    """
    target = _file_of(url, RESTORE, file)
    if not file.is_file():
        raise InputError("there is no such file" if not file.exists() else "it is no file", file)
    if target.exists() and os.path.samefile(file, target):
        raise InputError("it is the library itself", file)
    with _unfinished(target, target, make_folder=True) as copy:
        with _refused(file):
            await copy_database(_uri(file.resolve()), copy, progress)
            content = await in_thread(_check, copy)
        with _explained(target):
            _close_log(target)
            _make_own(copy, _counters(target))
            former = _set_aside(target)
            _put(copy, target)
    return content, former


async def copy_database(source: str, target: Path, progress: PageProgress | None) -> None:
    """Copy a database as it is at one moment; ``source`` is a URI that SQLite opens.

    Others may write to it meanwhile. Raises sqlite3.Error.
    """
    stopped, done = threading.Event(), 0

    def step(_status: int, left: int, total: int) -> None:
        nonlocal done
        if stopped.is_set():
            raise InterruptedError
        if progress is not None:
            progress(total - left - done, total)
        done = total - left

    def copy() -> None:
        with _connected(source) as there, _connected(target.as_uri()) as here:
            # One state from beginning to end: without it, each write of others restarts the copy.
            there.execute("BEGIN")
            there.execute("SELECT name FROM sqlite_master").fetchall()
            there.backup(here, pages=PAGES, progress=step, sleep=0.05)
            here.execute("PRAGMA journal_mode = DELETE")  # one file, without others beside it

    copying = asyncio.ensure_future(in_thread(copy))
    try:
        await asyncio.shield(copying)
    except asyncio.CancelledError:
        stopped.set()
        with suppress(InterruptedError):
            await copying
        raise


def _check(copy: Path) -> Counts:
    with _connected(copy.as_uri()) as connection:
        return check_copy(connection)


def _file_of(url: str, command: str, given: Path) -> Path:
    parsed = parse_url(url)
    if is_on_server(parsed):
        line = command.format(url=tool_arguments(parsed), file=shlex.quote(str(given)))
        raise ConfigError(f"the library is in PostgreSQL, whose own programs do that; {line}")
    file = sqlite_file(parsed)
    if file is None:
        raise ConfigError("DATABASE_URL names a library in memory, which is gone at the end")
    return file.resolve()


def _check_target(target: Path, source: Path, file: Path) -> None:
    """Raise ConfigError for a place where a backup would do harm."""
    if target == source or (target.exists() and os.path.samefile(target, source)):
        raise ConfigError(f"{file} is the library itself; name another file")
    if target.is_dir():
        raise ConfigError(f"{file} is a folder; name a file in it")
    if target.exists() and not _is_ours(target):
        raise ConfigError(f"{file} is there already and is no backup; name another file")


def _is_ours(file: Path) -> bool:
    """Return whether a file is a database with our tables."""
    if not file.is_file():
        return False
    with suppress(sqlite3.Error), closing(sqlite3.connect(_uri(file), uri=True)) as connection:
        return not missing_tables(connection.execute("SELECT name FROM sqlite_master").fetchall())
    return False


def _uri(file: Path) -> str:
    """Return a read-only URI of a file; one that nobody writes to gets no log beside it."""
    in_use = file.with_name(f"{file.name}-wal").exists()
    return f"{file.as_uri()}?{'mode=ro' if in_use else 'immutable=1'}"


def _close_log(target: Path) -> None:
    """Fold a database's log into it. Raises StoreBusy while a program has it open.

    Each such program holds a lock that the change from WAL needs. A database too damaged to be
    opened is in nobody's use.
    """
    if not target.exists():
        return
    try:
        with closing(sqlite3.connect(target, timeout=LOCK_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")  # for one that never was in WAL
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreBusy(
                f"a running bot, or another program, has {target} open; stop it, then try again"
            ) from None
    except sqlite3.DatabaseError:
        pass


def _counters(target: Path) -> dict[str, int]:
    """Return the last id of each table in the database to be replaced, if it can be read."""
    if target.exists():
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as connection,
        ):
            return dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    return {}


def _make_own(copy: Path, counters: dict[str, int]) -> None:
    """Make a copy another library than the one that was there.

    Ids go on where that one was, because buttons on Discord name threads by them.
    """
    with _connected(copy.as_uri()) as connection:
        connection.execute("BEGIN")
        marks = ", ".join("?" * len(OWN_FACTS))
        connection.execute(f"DELETE FROM facts WHERE name IN ({marks})", OWN_FACTS)
        for name, seq in counters.items():
            raise_it = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
            if not connection.execute(raise_it, (seq, name)).rowcount:
                connection.execute(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT name, ? FROM sqlite_master "
                    "WHERE type = 'table' AND name = ?",
                    (seq, name),
                )
        connection.execute("COMMIT")


def _set_aside(target: Path) -> Path | None:
    """Keep the former database, and its log, under another name too, and return that."""
    now = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    former = target.with_name(f"{target.name}.before-restore-{now}")
    there = target.exists()
    if there:
        try:
            os.link(target, former)  # so that there is a database at every moment
        except OSError:
            shutil.copy2(target, former)
    if there:
        tighten([former])
    # Left by a damaged one; beside another database they do harm.
    for log, former_log in zip(log_files(target), log_files(former), strict=True):
        if log.exists():
            log.replace(former_log)
    return former if there else None


def _put(copy: Path, target: Path) -> None:
    with copy.open("rb") as stream:
        os.fsync(stream.fileno())
    copy.replace(target)


@contextmanager
def _unfinished(target: Path, shown: Path, *, make_folder: bool = False) -> Iterator[Path]:
    """Give the name of an unfinished file beside the target, which is removed at the end.

    Raises ConfigError that names ``shown`` when it can't be written.
    """
    try:
        if make_folder:
            target.parent.mkdir(FOLDER, parents=True, exist_ok=True)
        with unfinished(target) as copy:
            yield copy
    except OSError as error:
        raise ConfigError(f"{shown} can't be written: {error.strerror or error}") from None


@contextmanager
def _explained(source: Path) -> Iterator[None]:
    """Turn SQLite's errors into StoreErrors that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, source) from error
    except InputError as error:
        raise explain(sqlite3.DatabaseError(f"malformed: {error.reason}"), source) from None


@contextmanager
def _refused(file: Path) -> Iterator[None]:
    """Turn errors of a backup to be restored into InputErrors that name it."""
    try:
        yield
    except (InputError, StoreNewer) as error:
        raise InputError(str(error), file) from None
    except sqlite3.Error as error:
        if "full" in str(error):
            raise explain(error, file) from None
        raise InputError(f"it can't be read as a database: {error}", file) from None


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    """Give a connection in no transaction."""
    with closing(
        sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    ) as connection:
        yield connection
