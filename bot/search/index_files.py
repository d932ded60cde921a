"""The folder of the text indexes: its state, its lock, and what is done about damage.

``state.json`` says which library the indexes follow, in which form, and up to which change;
each scope's index is in a folder of its own. The lock is a file beside the folder, which
may be deleted as a whole.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from filelock import FileLock, Timeout
from pydantic import ConfigDict, TypeAdapter, ValidationError
from tantivy import Index

from bot import private_files
from bot.errors import SearchError
from bot.search.documents import FORMAT
from bot.search.integrity import Checker
from bot.search.scope_index import ScopeIndex, foreign_threads, unreadable


@dataclass(frozen=True, slots=True)
class ScopeState:
    """The state of one scope's index.

    ``seq`` is the change of the library at which it was last written, ``threads`` how many
    threads it has, ``made`` tells it from an earlier index in the same folder.
    """

    seq: int
    threads: int
    made: str


@dataclass(frozen=True, slots=True)
class State:
    """The state of a library's indexes: they hold its changes up to ``seq``, in a format.

    ``scopes`` are those that have an index; ``rebuild`` those that are to be made anew from
    the library, whatever ``seq`` says, because their files were damaged.
    """

    library: str
    seq: int = 0
    format: int = FORMAT
    scopes: dict[int, ScopeState] = field(default_factory=dict)
    rebuild: frozenset[int] = frozenset()

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    def without(self, scope: int, *, rebuild: bool = False) -> State:
        """Return the state once a scope's index is gone, for good or to be made anew."""
        scopes = {s: held for s, held in self.scopes.items() if s != scope}
        again = self.rebuild | {scope} if rebuild else self.rebuild
        return replace(self, scopes=scopes, rebuild=again)


_STATE = TypeAdapter(State)


def write_state(file: Path, state: State) -> None:
    """Write a state in one step that can't be half done. Raises OSError."""
    temporary = file.with_suffix(".tmp")
    temporary.write_bytes(_STATE.dump_json(state))
    temporary.replace(file)


def read_state(file: Path) -> State | None:
    """Return what a file says; None where there is none or it is none of ours.

    Raises OSError for a file that is there and can't be read.
    """
    try:
        return _STATE.validate_json(file.read_bytes(), strict=True)
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


STATE_SECONDS = 5.0
"""Seconds that a state which can't be used is waited for: another process may be writing it."""

log = logging.getLogger(__name__)


class IndexBusy(SearchError):
    """Another process is writing the indexes; its work will be seen when it is done."""


class IndexFiles:
    """The files of a library's text indexes. The methods raise SearchError."""

    def __init__(self, folder: Path, library: str):
        self.folder, self.library = folder, library
        self._state_file = folder / "state.json"

    @property
    def state(self) -> State | None:
        """Return what the indexes hold; None if there are none that are this library's."""
        state = self._read()
        return None if _trouble(state, self.library) else state

    def place(self, scope: int) -> Path:
        """Return where a scope's index is."""
        return self.folder / str(scope)

    def write_state(self, state: State) -> None:
        """Say what the indexes hold, in one step that can't be half done."""
        try:
            write_state(self._state_file, state)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def open(self, scope: int, state: State, report: Callable[[int], object]) -> ScopeIndex:
        """Open a scope's index as a state has it; damage is also ``report``ed, now or later.

        Raises IndexDamaged.
        """
        made = state.scopes[scope].made

        def is_current() -> bool:
            now = self.state
            held = now.scopes.get(scope) if now is not None else None
            return held is not None and held.made == made

        return ScopeIndex(self.place(scope), scope, is_current, report)

    def lock(self) -> FileLock:
        """Take the lock of whoever writes. Raises IndexBusy while another process has it."""
        lock = self._lock()
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise IndexBusy("another program is writing the search index") from None
        except OSError as error:
            raise unwritable(self.folder, error) from None
        return lock

    def prepare(self) -> str | None:
        """Let there be indexes of this library; returns why those that were there are not kept."""
        if self.state is not None:
            return None
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with self._lock().acquire(timeout=STATE_SECONDS):
                trouble = _trouble(self._read(), self.library)
                note = trouble if self.folder.exists() else None
                if trouble is not None:
                    self._clear()
                return note
        except Timeout:
            raise IndexBusy(
                f"the search index in {self.folder} is not this library's or not whole, and "
                "another program is writing it; wait until that is done, or stop it"
            ) from None
        except OSError as error:
            raise SearchError(
                f"the search index can't be made in {self.folder} ({error}); "
                "check that DATA_DIR can be written and has room"
            ) from None

    def checked_state(self, suspects: Iterable[int]) -> State:
        """Return the state from which to go on, with what is damaged marked to be made anew.

        The lock is to be held. A line in the log names what was damaged.
        """
        state = self._read()
        trouble = _trouble(state, self.library)
        if state is None or trouble is not None:
            log.warning("the search index is lost (%s): it is made anew", trouble)
            try:
                self._clear()
            except OSError as error:
                raise unwritable(self.folder, error) from error
            return State(self.library)
        lost = {s for s in state.scopes if not (self.place(s) / "meta.json").exists()}
        for scope in sorted(lost | (state.scopes.keys() & set(suspects))):
            problem = self.problem(scope)
            if problem is not None:
                log.warning("the search index %s is damaged (%s): it is made anew",
                            self.place(scope), problem)  # fmt: skip
                state = state.without(scope, rebuild=True)
                self.write_state(state)
                self.remove(scope)
        return state

    def problem(self, scope: int) -> str | None:
        """Return what is damaged in a scope's files, all of which are read; None if nothing is."""
        try:
            problem = Checker(self.place(scope)).problem()
            if problem is not None:
                return problem
            return foreign_threads(Index.open(str(self.place(scope))).searcher(), scope)
        except (OSError, ValueError) as error:
            raise unreadable(self.place(scope), error) from None

    def remove(self, scope: int) -> None:
        """Delete a scope's files; those that have them open can go on reading them."""
        shutil.rmtree(self.place(scope), ignore_errors=True)

    def _clear(self) -> None:
        """Put an empty state in place of all that is in the folder. Raises OSError."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_state(self._state_file, State(self.library))

    def _lock(self) -> FileLock:
        place = self.folder.with_name(f"{self.folder.name}.lock")
        return FileLock(place, mode=private_files.FILE, thread_local=False)

    def _read(self) -> State | None:
        try:
            return read_state(self._state_file)
        except OSError as error:
            raise unreadable(self.folder, error) from None


def unwritable(folder: Path, error: BaseException) -> SearchError:
    """Return what to say of an index that can't be written."""
    return SearchError(
        f"the search index in {folder} can't be written ({error}); check that it may be, and "
        "that the disk has room"
    )


def _trouble(state: State | None, library: str) -> str | None:
    """Return why what lies in the folder can't be used, or ``None``."""
    if state is None:
        return "it was incomplete"
    if state.format != FORMAT:
        return "it was made by another version"
    if state.library != library:
        return "it belongs to another library"
    return None
