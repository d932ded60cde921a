"""Files that are written under another name until they are finished, and temporary folders.

The process that fills one holds a lock on it, which the system releases when the process ends,
however it ends. So one that is not locked was left by a crash and can be removed.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600

log = logging.getLogger(__name__)

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def restrict_umask() -> None:
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


try:
    import fcntl
except ImportError:  # Windows: there, what is open can't be deleted anyway
    fcntl = None  # type: ignore[assignment]

LOG_SUFFIXES = ("-wal", "-shm", "-journal")
"""Endings that SQLite appends to a database's name for the files that it keeps beside it."""

_LOCK = "in-use.lock"


@contextmanager
def unfinished(target: Path, *, folder: bool = False) -> Iterator[Path]:
    """Give a new, empty file (or folder) beside ``target``, to be filled and put in its place.

    If it is still there at the end, it is removed, and so is one that an earlier process left.
    Raises OSError.
    """
    clear(target.parent, target.name)
    with _new(target, folder) as place:
        yield place


@contextmanager
def _new(target: Path, folder: bool) -> Iterator[Path]:
    while True:
        place = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        if folder:
            place.mkdir(FOLDER)
        else:
            place.touch(FILE, exist_ok=False)
        with ExitStack() as locked:
            with suppress(FileNotFoundError):
                locked.enter_context(_locked(place))
            if not place.exists():
                continue  # another process took it for a left one before it was locked
            try:
                yield place
            finally:
                _remove(place)
            return


def clear(folder: Path, name: str | None = None) -> list[Path]:
    """Remove abandoned files, of one target or of all in a folder, and return them."""
    of = re.escape(name) if name is not None else ".+"
    pattern = re.compile(rf"\.{of}\.[0-9a-f]{{8}}\.part")
    return _clear(folder, pattern)


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Give a temporary folder, which is removed at the end.

    It is where the system keeps temporary files; ``clear_temporary`` removes those that
    earlier processes left there.
    """
    with tempfile.TemporaryDirectory(
        prefix=f"threadwise-{purpose}-", ignore_cleanup_errors=True
    ) as name:
        lock = Path(name) / _LOCK
        lock.touch(FILE)
        with _locked(lock):
            inside = Path(name) / "inside"
            inside.mkdir()
            yield inside


def clear_temporary() -> list[Path]:
    """Remove the temporary folders of processes that were killed, and return them."""
    return _clear(Path(tempfile.gettempdir()), re.compile(r"threadwise-\w+-\w{8}"), _LOCK)


def _clear(folder: Path, pattern: re.Pattern[str], lock: str = "") -> list[Path]:
    """Remove files and folders of a pattern whose lock, the file ``lock``, nobody holds."""
    cleared = []
    for place in _listed(folder, pattern):
        with _abandoned(place / lock) as is_abandoned:
            if is_abandoned:
                _remove(place)
                cleared.append(place)
    return cleared


def _listed(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    try:
        return [place for place in folder.iterdir() if pattern.fullmatch(place.name)]
    except OSError:
        return []


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
        return
    for suffix in ("", *LOG_SUFFIXES):
        with suppress(OSError):
            place.with_name(place.name + suffix).unlink()


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold the lock on a file or folder."""
    if fcntl is None:
        yield
        return
    handle = os.open(place, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _abandoned(place: Path) -> Iterator[bool]:
    """Give whether nobody holds the lock, and then hold it until the block ends.

    Of another account's files, and of what can't be opened, that is never so.
    """
    if fcntl is None:
        yield place.exists()
        return
    try:
        if place.lstat().st_uid != os.geteuid():
            yield False
            return
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        yield _take_lock(handle)
    finally:
        os.close(handle)


def _take_lock(handle: int) -> bool:
    """Try to take the lock; return whether nobody had it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


OWN_FOLDERS = ("index", "neighbours")
"""Folders in ``DATA_DIR`` that hold nothing but the program's own files."""


def tidy_library(data: Path, database: Path | None) -> None:
    """Remove what a crash left in a library's folder, and take its files from all others.

    Unfinished files that are in use stay. The database itself is private since it was opened;
    its former versions and copies aren't. A folder that holds more than the library, such as a
    home, stays as it is.
    """
    folders = {data, data / "neighbours"} | ({database.parent} if database is not None else set())
    left = [place for folder in folders for place in clear(folder)] + clear_temporary()
    if left:
        log.info("cleared %d unfinished files that an earlier process left", len(left))
    changed = not is_special(data) and tighten([data])
    for name in OWN_FOLDERS:
        changed |= tighten_tree(data / name)
    changed |= tighten([data / "index.lock"])
    if database is not None:
        name = re.sub(r"([\[\]*?])", r"[\1]", database.name)  # else it means something to glob
        changed |= tighten(database.parent.glob(f"{name}.*"))
    if changed:
        log.info("the library in %s is readable by its owner alone now", data)
