"""The versions of the tables, and bringing a database up to the newest (Alembic).

Alembic is imported only where something is to be migrated: it takes a tenth of the time in
which a command starts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

from bot.errors import StoreNewer

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent
VERSION = table("alembic_version", column("version_num"))
"""Alembic's own table: one row, once a migration was applied."""


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, for commands that work on ``connection``."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def current(connection: Connection) -> str | None:
    """Return the migration that a database's tables are at; ``None`` before the first."""
    if not inspect(connection).has_table(VERSION.name):
        return None
    return connection.scalar(select(VERSION.c.version_num))


def numbers() -> list[str]:
    """Return the migrations that this program has, oldest first, as their files' names begin."""
    return sorted(file.name.partition("_")[0] for file in FOLDER.glob("versions/[0-9]*_*.py"))


def is_known(number: str) -> bool:
    """Return whether this program has a migration; a newer one has others."""
    return number in numbers()


def upgrade(connection: Connection) -> None:
    """Make or migrate the tables of a database.

    Raises StoreNewer for one that a newer program wrote.
    """
    at, known = current(connection), numbers()
    if at == known[-1]:
        return
    if at is not None and at not in known:
        raise StoreNewer(
            "this database was written by a newer Threadwise; install that version, "
            "or set DATA_DIR to another folder"
        )
    from alembic import command

    command.upgrade(config(connection), "head")
