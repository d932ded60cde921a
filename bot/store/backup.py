"""A consistent copy of a database that is in use, and putting one in its place.

Both are whole or not at all: they are made beside the place they are for, checked there,
and put into it in one step. SQLite only; other databases have tools of their own.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.atomic_write import unfinished
from bot.errors import ConfigError, InputError, StoreBusy, StoreNewer
from bot.file_modes import FOLDER, tighten
from bot.store import sqlite_copy
from bot.store.database import explain, sqlite_file
from bot.store.database_file import BESIDE, beside
from bot.store.sqlite_copy import Content, Progress, checked, connected, lacking

LOCK_SECONDS = 1.0
"""How long a restore waits for others to let go of the library."""

OWN_FACTS = ("library_id", "command_tree_hash")
"""What a copy put back must not know: by the former, index and neighbours of what was there
before would take it for theirs; what Discord was told last may be something newer."""


async def back_up(url: str, file: Path, progress: Progress | None = None) -> Content:
    """Copy the database at ``url`` into ``file``, whatever is written to it meanwhile.

    An older backup of that name is replaced. Raises ConfigError when the file can't be
    written or is something else, StoreError when the database can't be read.
    """
    source = _file_of(url)
    if not source.is_file():
        raise ConfigError(f"there is no library in {source} yet; nothing to back up")
    target = file.resolve()
    _check_target(target, source, file)
    with _unfinished(target, file) as copy, _explained(source):
        await sqlite_copy.copy(f"{source.as_uri()}?mode=rw", copy, progress)
        content = await checked(copy)
        _put(copy, target)
    return content


async def restore(
    url: str, file: Path, progress: Progress | None = None
) -> tuple[Content, Path | None]:
    """Put a backup in place of the database at ``url``, which no program may have open.

    Returns what it holds, and where the former database is kept (``None``: there was
    none). Raises InputError when the file is no sound backup of this program or an
    older one, StoreBusy while somebody has the library open.
    """
    target = _file_of(url)
    if not file.is_file():
        raise InputError("there is no such file" if not file.exists() else "it is no file", file)
    if target.exists() and os.path.samefile(file, target):
        raise InputError("it is the library itself", file)
    with _unfinished(target, target, make_folder=True) as copy:
        with _refused(file):
            await sqlite_copy.copy(_uri(file.resolve()), copy, progress)
            content = await checked(copy)
        with _explained(target):
            _let_go(target)
            await _make_own(copy, _counters(target))
            former = _set_aside(target)
            _put(copy, target)
    return content, former


def _file_of(url: str) -> Path:
    file = sqlite_file(url)
    if file is None:
        raise ConfigError(
            "DATABASE_URL is no SQLite file; back it up and restore it with its own tools, such "
            "as pg_dump and pg_restore"
        )
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
    """Whether a file is a database with our tables."""
    if not file.is_file():
        return False
    with suppress(sqlite3.Error), closing(sqlite3.connect(_uri(file), uri=True)) as connection:
        return not lacking(connection.execute("SELECT name FROM sqlite_master").fetchall())
    return False


def _uri(file: Path) -> str:
    """The file as it may only be read; where nobody writes to it, nothing is put beside it."""
    in_use = file.with_name(f"{file.name}-wal").exists()
    return f"{file.as_uri()}?{'mode=ro' if in_use else 'immutable=1'}"


def _let_go(target: Path) -> None:
    """See that nobody has the database open, and fold its log into it.

    Every program that has it open holds a lock that the change from WAL needs. Raises
    StoreBusy. A database too damaged to be asked is nobody's any more.
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
    """The ids that were given last in the database that is to be replaced, as far as known."""
    if target.exists():
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as connection,
        ):
            return dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    return {}


async def _make_own(copy: Path, counters: dict[str, int]) -> None:
    """Have a copy known for what it is: another library than the one that was there.

    Ids go on where that one was, because buttons on Discord name threads by them.
    """
    async with connected(copy.as_uri()) as connection:
        await connection.execute("BEGIN")
        marks = ", ".join("?" * len(OWN_FACTS))
        await connection.execute(f"DELETE FROM facts WHERE name IN ({marks})", OWN_FACTS)
        for name, seq in counters.items():
            raised = await connection.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (seq, name)
            )
            if not raised.rowcount:
                await connection.execute(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT name, ? FROM sqlite_master "
                    "WHERE type = 'table' AND name = ?",
                    (seq, name),
                )
        await connection.execute("COMMIT")


def _set_aside(target: Path) -> Path | None:
    """Keep the former database under another name, its log with it; it stays where it is too."""
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
    for left in BESIDE:  # of a damaged one; on another they do harm
        if (log := beside(target, left)).exists():
            log.replace(beside(former, left))
    return former if there else None


def _put(copy: Path, target: Path) -> None:
    with copy.open("rb") as stream:
        os.fsync(stream.fileno())
    copy.replace(target)


@contextmanager
def _unfinished(target: Path, shown: Path, *, make_folder: bool = False) -> Iterator[Path]:
    """A name beside the target for what isn't finished; what is left there is taken away."""
    try:
        if make_folder:
            target.parent.mkdir(FOLDER, parents=True, exist_ok=True)
        with unfinished(target) as copy:
            yield copy
    except OSError as error:
        raise ConfigError(f"{shown} can't be written: {error.strerror or error}") from None


@contextmanager
def _explained(source: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, which say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, source) from error
    except InputError as error:
        raise explain(sqlite3.DatabaseError(f"malformed: {error.reason}"), source) from None


@contextmanager
def _refused(file: Path) -> Iterator[None]:
    """Turn what is wrong with a file that was handed in into a word on that file."""
    try:
        yield
    except (InputError, StoreNewer) as error:
        raise InputError(str(error), file) from None
    except sqlite3.Error as error:
        if "full" in str(error):
            raise explain(error, file) from None
        raise InputError(f"it can't be read as a database: {error}", file) from None
