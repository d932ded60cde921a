"""The folder that the library is kept in: its owner's alone, without what a crash left."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from bot import private_files
from bot.settings import Settings

FOLDERS = ("index", "neighbours")
"""Folders in ``DATA_DIR`` that hold nothing but the program's own files."""

log = logging.getLogger(__name__)


def tidy(settings: Settings, database: Path | None) -> None:
    """Remove what a crash left, and take the library's files from everybody but their owner."""
    _remove_left_over(settings, database)
    _make_private(settings, database)


def _remove_left_over(settings: Settings, database: Path | None) -> None:
    """Remove unfinished files of processes that were killed; those in use stay."""
    folders = {settings.data_dir, settings.data_dir / "neighbours"}
    folders |= {database.parent} if database is not None else set()
    left = [place for folder in folders for place in private_files.clear(folder)]
    left += private_files.clear_temporary()
    if left:
        log.info("cleared %d unfinished files that an earlier process left", len(left))


def _make_private(settings: Settings, database: Path | None) -> None:
    """Take the library's files from everybody but their owner.

    The database itself is private since it was opened; its former versions and copies aren't.
    A folder that holds more than the library, such as a home, stays as it is.
    """
    data = settings.data_dir
    changed = not private_files.is_special(data) and private_files.tighten([data])
    for name in FOLDERS:
        changed |= private_files.tighten_tree(data / name)
    changed |= private_files.tighten([data / "index.lock"])
    if database is not None:
        name = re.sub(r"([\[\]*?])", r"[\1]", database.name)  # else it means something to glob
        changed |= private_files.tighten(database.parent.glob(f"{name}.*"))
    if changed:
        log.info("the library in %s is readable by its owner alone now", data)
