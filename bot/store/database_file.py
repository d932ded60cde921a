"""The place of the database: its URL and, for SQLite, the file, its folder and its readers."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.util import asbool

from bot.errors import ConfigError, StoreError
from bot.private_files import FOLDER, LOG_SUFFIXES, tighten
from bot.store import server_url
from bot.store.server_url import unusable_url

_EMPTY_SECONDS = 1.0
"""Seconds that a file may stay empty: another program may be making the database just now."""


def parse_url(url: str) -> URL:
    """Parse a database URL; it gets the driver that is used. Raises ConfigError."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise ConfigError(
            "DATABASE_URL is not a database URL, such as sqlite+aiosqlite:///data/threadwise.db; "
            "in a password, @ : and / are written as %40 %3A and %2F"
        ) from None
    if server_url.is_on_server(parsed):
        return server_url.normal(parsed)
    return parsed.set(drivername="sqlite+aiosqlite")


def sqlite_file(url: str | URL) -> Path | None:
    """Return the file of a database; ``None`` for one in memory or on a server.

    Raises ConfigError for a URL that can't be used.
    """
    parsed = parse_url(url) if isinstance(url, str) else url
    if server_url.is_on_server(parsed):
        return None
    name, query = parsed.database or "", parsed.query
    try:
        if name.startswith("file:") and asbool(query.get("uri", "")):  # SQLite's own kind of URL
            name = "" if query.get("mode") == "memory" else unquote(urlsplit(name).path)
    except ValueError as error:
        raise unusable_url(error) from None
    return None if name in ("", ":memory:") else Path(name)


def exists(url: str) -> bool:
    """Return whether there is a database to open; of one on a server that is assumed.

    Raises ConfigError for a URL that can't be used.
    """
    parsed = parse_url(url)
    file = sqlite_file(parsed)
    return file.exists() if file is not None else server_url.is_on_server(parsed)


def log_files(path: Path) -> list[Path]:
    """Return the files that SQLite may keep beside a database."""
    return [path.with_name(path.name + suffix) for suffix in LOG_SUFFIXES]


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
    tighten([path, *log_files(path)])


def check_not_emptied(path: Path, index: Path) -> None:
    """Raise StoreError for a file of 0 bytes that was a database before.

    SQLite takes it for a new database, and deletes its log. It was one before if there is a
    log, or a search index, which is made only once there is a database.
    """
    until = time.monotonic() + _EMPTY_SECONDS
    while _is_empty(path) and (proof := _proof(path, index)) is not None:
        if time.monotonic() > until:
            raise StoreError(
                f"{path} is empty (0 bytes), but was a library before, as {proof} tells; put a "
                "backup back with threadwise restore, or, to begin with an empty library, delete "
                "that file"
            )
        time.sleep(0.05)


def _proof(path: Path, index: Path) -> Path | None:
    """Return a file or folder that there would not be if a file never was a database."""
    log = log_files(path)[0]
    if log.exists() and not _is_empty(log):
        return log
    try:
        return index if any(index.iterdir()) else None
    except OSError:
        return None


def _is_empty(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False
