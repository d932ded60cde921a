"""``move``: the library from one database to another."""

from __future__ import annotations

from typing import Annotated

from bot.cli import runtime
from bot.cli.console import print_note, progress
from bot.cli.options import option
from bot.errors import ConfigError, counted
from bot.settings import load_settings
from bot.store import database_file
from bot.store.database import Database
from bot.store.moving import Moved
from bot.store.moving import move as move_library


def move(
    to: Annotated[
        str,
        option("--to", "URL", "The other database, empty: as DATABASE_URL would name it."),
    ],
) -> None:
    """Move the library, and say what is to be changed afterwards. Raises ThreadwiseError."""
    settings = load_settings()
    if not database_file.exists(settings.database):
        raise ConfigError(f"there is no library in {settings.database} yet; nothing to move")

    async def copy() -> tuple[Moved, str, str]:
        source = await Database.open(settings.database, settings.data_dir / "index")
        try:
            target = await _open(to)
            try:
                with progress("Moving rows") as advance:
                    return await move_library(source, target, advance), source.where, target.where
            finally:
                await target.close()
        finally:
            await source.close()

    moved, source, target = runtime.run(copy(), "stopped; the same command goes on from there")
    rows = {name: each.rows for name, each in moved.tables.items()}
    said = ", ".join(counted(rows[name], name) for name in ("threads", "answers", "votes"))
    others = sum(rows.values()) - sum(rows[name] for name in ("threads", "answers", "votes"))
    print_note(f"Moved {said} and {counted(others, 'rows')} of other tables to {target}.")
    print_note(f"Both hold the same, by the digest {moved.digest}.")
    print_note("Set DATABASE_URL to the other database now; the index in DATA_DIR stays valid.")
    print_note(f"What was there before is left as it is: {source}")


async def _open(url: str) -> Database:
    try:
        return await Database.open(url, unfinished=True)
    except ConfigError as error:
        raise ConfigError(str(error).replace("DATABASE_URL", "--to")) from None
