"""Begin a migration of the database: write the next file in ``bot/store/migrations/versions``.

``make migration NAME="what it does"``, after ``bot/store/tables.py`` (or what its columns follow
from) has changed. The file has the next number and what Alembic finds to differ between the
tables of the last migration and those of the program. Read it, complete it, and say why.
"""

from __future__ import annotations

import argparse

from alembic import command
from sqlalchemy import create_engine

from bot.store import migrations


def main() -> None:
    """Write the file and print where it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", help="what the migration does, in a few words")
    name = parser.parse_args().name.strip()
    if not any(character.isalnum() for character in name):
        parser.error('say what it does: make migration NAME="add a column for the language"')
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrations.upgrade(connection)
        last = migrations.current(connection)
        command.revision(
            migrations.config(connection),
            name,
            autogenerate=True,
            rev_id=f"{int(last or 0) + 1:04}",
        )
    engine.dispose()


if __name__ == "__main__":
    main()
