"""Tables that are copied are those that the migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot.store import migrations
from bot.store.database import Database


def content(file: Path) -> set[tuple[str, ...]]:
    """The statements that would make a database again, ids apart.

    Their lines are sorted: constraints come in any order where a migration makes a table anew.
    """
    own = ("library_id", '"sqlite_sequence"')  # the last ids given
    with closing(sqlite3.connect(file)) as connection:
        made = [one for one in connection.iterdump() if not any(word in one for word in own)]
    return {tuple(sorted(line.strip().rstrip(",") for line in one.splitlines())) for one in made}


async def test_copied_tables_are_the_migrated_ones(tmp_path: Path) -> None:
    migrated, copied = tmp_path / "migrated.db", tmp_path / "copied.db"
    head = ScriptDirectory.from_config(migrations.config()).get_current_head()
    assert head is not None
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), head)  # not by the name "head"
    engine.dispose()
    for file in (tmp_path / "first.db", copied):
        await (await Database.open(f"sqlite+aiosqlite:///{file}")).close()
    assert content(copied) == content(migrated)
    assert any(head in line for lines in content(copied) for line in lines)
