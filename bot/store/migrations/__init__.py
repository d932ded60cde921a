"""The versions of the tables, and bringing a database up to the newest (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.errors import StoreNewer


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, for commands that work on ``connection``."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database's tables; ``None`` before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Return whether this program has a revision; a newer one has others."""
    return revision in {known.revision for known in _scripts().walk_revisions()}


def upgrade(connection: Connection) -> None:
    """Make or migrate the tables of a database.

    Raises StoreNewer for one that a newer program wrote.
    """
    current = current_revision(connection)
    if current == _scripts().get_current_head():
        return
    if current is not None and not is_known(current):
        raise StoreNewer(
            "this database was written by a newer Threadwise; install that version, "
            "or set DATA_DIR to another folder"
        )
    command.upgrade(config(connection), "head")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())
