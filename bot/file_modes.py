"""Files that are their owner's alone: folders 0700, files 0600.

They hold people's texts and votes, which other accounts of the computer must not read. On
systems that know no such modes (Windows), nothing happens.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

FOLDER, FILE = 0o700, 0o600

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def by_default() -> None:
    """Make all later files of this process and its children their owner's alone (umask)."""
    os.umask(_OTHERS)


def tighten(paths: Iterable[Path]) -> bool:
    """Take files and folders from everybody but their owner; return whether any were not so.

    What isn't there, isn't ours or can't be changed is passed over, and so are links.
    """
    changed = [_tighten(path) for path in paths]
    return any(changed)


def tighten_tree(folder: Path) -> bool:
    """Take a folder, with all that is in it, from others; return whether it was not so before."""
    return tighten([folder]) and (tighten(folder.rglob("*")) or True)


def is_special(folder: Path) -> bool:
    """Return whether a folder is not the program's alone: its working directory, or a home."""
    place = folder.resolve()
    return any(other.is_relative_to(place) for other in (Path.cwd(), _home()))


def _home() -> Path:
    try:
        return Path.home().resolve()
    except RuntimeError:  # of a user without one
        return Path.cwd()


def _tighten(path: Path) -> bool:
    if os.name != "posix":
        return False
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or status.st_uid != os.geteuid():
            return False
        if not status.st_mode & _OTHERS:
            return False
        path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
    except OSError:
        return False
    return True
