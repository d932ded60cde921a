"""The folder that the library is kept in: its owner's alone, without what a crash left."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from bot import atomic_write, file_modes
from bot.settings import Settings

FOLDERS = ("index", "neighbours")
"""Those in ``DATA_DIR`` that the program fills by itself."""

_OF_A_PROCESS = re.compile(r"(?:state|.+\.usearch)\.(\d+)")

log = logging.getLogger(__name__)


def make_private(settings: Settings, database: Path | None) -> None:
    """Take the library's files from everybody but their owner.

    A folder that holds more than the library, such as a home, stays as it is.
    """
    data = settings.data_dir
    changed = not file_modes.is_special(data) and file_modes.tighten([data])
    for name in FOLDERS:
        changed |= file_modes.tighten_tree(data / name)
    changed |= file_modes.tighten([data / "index.lock"])
    if database is not None:
        changed |= file_modes.tighten(database.parent.glob(f"{_plain(database.name)}*"))
    if changed:
        log.info("the library in %s is readable by its owner alone now", data)


def clear_left_over(settings: Settings, database: Path | None) -> None:
    """Remove unfinished files of processes that were killed; those in use stay."""
    folders = {settings.data_dir} | ({database.parent} if database is not None else set())
    left = [place for folder in folders for place in atomic_write.clear(folder)]
    left += atomic_write.clear_temporary()
    left += _of_dead_processes(settings.data_dir / "neighbours")
    if left:
        log.info("cleared %d unfinished files that an earlier process left", len(left))


def _of_dead_processes(folder: Path) -> list[Path]:
    """Checkpoints that were never finished, which carry the number of their process."""
    cleared = []
    for place in folder.glob("*.*"):
        found = _OF_A_PROCESS.fullmatch(place.name)
        if found is not None and not _lives(int(found[1])):
            place.unlink(missing_ok=True)
            cleared.append(place)
    return cleared


def _lives(process: int) -> bool:
    """Whether a process is there; where that can't be asked (Windows), it is taken to be.

    Our own number is that of an earlier process, which died in another container.
    """
    if os.name != "posix":
        return True
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _plain(name: str) -> str:
    """A name in which no character means anything to ``glob``."""
    return re.sub(r"([\[\]*?])", r"[\1]", name)
