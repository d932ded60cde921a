"""Files that are their owner's alone: folders 0700, files 0600.

What the program keeps are people's words and votes; other accounts of the computer have no
business with it. On systems that know no such modes (Windows), nothing happens.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

FOLDER, FILE = 0o700, 0o600

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def by_default() -> None:
    """From now on, make whatever this process and its children make their owner's alone."""
    os.umask(_OTHERS)


def tighten(paths: Iterable[Path]) -> bool:
    """Take these files and folders from everybody else; returns whether any were open to them.

    What isn't there, isn't ours or can't be changed is passed over, links are too.
    """
    changed = [_tighten(path) for path in paths]
    return any(changed)


def tighten_tree(folder: Path) -> bool:
    """The same for a folder with all that is in it, unless the folder is tight already."""
    return tighten([folder]) and (tighten(folder.rglob("*")) or True)


def is_special(folder: Path) -> bool:
    """Whether a folder is more than this program's: it runs in it, or it is somebody's home."""
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
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
            return False
        if not found.st_mode & _OTHERS:
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except OSError:
        return False
    return True
