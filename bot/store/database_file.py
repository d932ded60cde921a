"""The SQLite file of a library: its folder, who may read it, and whether it was emptied."""

from __future__ import annotations

import time
from pathlib import Path

from bot.errors import StoreError
from bot.file_modes import FOLDER, tighten

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, under its name and these."""

_PATIENCE = 1.0  # seconds: another program may be making the file just now


def make_folder(path: Path) -> None:
    """Make the folder of a database, for its owner alone. Raises StoreError."""
    try:
        path.parent.mkdir(FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} can't be made ({error.strerror}); "
            "set DATA_DIR to one that can be written"
        ) from None


def make_private(path: Path) -> None:
    """Take the database from everybody but its owner.

    SQLite gives what it makes beside it later the same mode.
    """
    tighten([path, *(beside(path, name) for name in BESIDE)])


def beside(path: Path, name: str) -> Path:
    """The file that SQLite keeps beside a database."""
    return path.with_name(path.name + name)


def check_not_emptied(path: Path, index: Path) -> None:
    """Raise StoreError for a file of 0 bytes that was a database before.

    SQLite takes it for a new database, and deletes its log. That it was one before is told by
    the log, or by a search index, which is made only once there is a database.
    """
    until = time.monotonic() + _PATIENCE
    while _is_empty(path) and (proof := _proof(path, index)) is not None:
        if time.monotonic() > until:
            raise StoreError(
                f"{path} is empty (0 bytes), but was a library before, as {proof} tells; put a "
                "backup back with threadwise restore, or, to begin with an empty library, delete "
                "that file"
            )
        time.sleep(0.05)


def _proof(path: Path, index: Path) -> Path | None:
    """What tells that a file was a database before, if anything does."""
    log = beside(path, "-wal")
    if log.exists() and not _is_empty(log):
        return log
    return index if _holds_something(index) else None


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False


def _holds_something(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False
