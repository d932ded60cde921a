"""The text indexes of a library, one a scope: followers of the store, kept by tantivy.

Losing them loses nothing. One process at a time writes them; any number read. The shared
library's is always open; a server's is opened when a question needs it, and closed when it
was not used for a while.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from bot.models import SHARED
from bot.search.index_files import IndexBusy, IndexFiles, ScopeState, State
from bot.search.index_writing import Writing
from bot.search.scope_index import IndexDamaged, ScopeIndex, Snapshot
from bot.search.view import View

__all__ = ["IndexBusy", "IndexDamaged", "ScopeState", "State", "TextIndex", "Writing"]

MAX_OPEN = 64
"""Servers' indexes that are open at a time."""

MAX_OPEN_WORDS = 400_000
"""Words of the servers' indexes that are open, together; they take some 100 MB."""

IDLE = 600.0
"""Seconds after which a server's index that was not used is closed."""


class TextIndex:
    """The indexes in a folder. Reading is safe from any thread; writing is ``writing()``.

    ``note`` says why what was there could not be kept. ``suspects`` are the scopes whose
    files showed damage; the next writing looks at them, and has them made anew.
    """

    def __init__(self, folder: Path, library: str):
        """Open the indexes in ``folder``, or start empty ones for ``library``.

        Raises SearchError when the folder can't be read or written.
        """
        self.files = IndexFiles(folder, library)
        self.suspects: set[int] = set()
        self._stale: set[int] = set()  # scopes whose words were not read at their last renewal
        self._open: OrderedDict[int, ScopeIndex] = OrderedDict()
        self._views: OrderedDict[tuple[int, ...], View] = OrderedDict()
        self._lock = threading.Lock()
        self._opening: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self.note = self.files.prepare()
        self._seen = self.state
        try:
            self._snapshot(SHARED)
        except IndexDamaged as error:
            self.note = f"it could not be read ({error.problem})"

    def __len__(self) -> int:
        """Return how many threads all indexes have, as far as was seen."""
        return sum(held.threads for held in self._seen.scopes.values())

    @property
    def state(self) -> State:
        """Return what the files on disk hold now; another process may have moved it on."""
        return self.files.state or State(library="")

    @property
    def open_scopes(self) -> list[int]:
        """The scopes whose indexes are open, the one longest unused first."""
        with self._lock:
            return list(self._open)

    def view(self, scopes: Sequence[int]) -> View:
        """Return what is seen of some scopes, the shared one first. Raises IndexDamaged."""
        snapshots = [self._snapshot(scope) for scope in scopes]
        parts = tuple(part for part in snapshots if part is not None and part.threads)
        key = tuple(part.scope for part in parts)
        with self._lock:
            view = self._views.get(key)
            if view is None or view.parts != parts:
                view = self._views[key] = View(parts)
        return view

    def refresh(self, *, words: bool = True) -> bool:
        """See what was written since, by this process or another; False if nothing was.

        Without ``words``, those of indexes that are open already are left as they were for
        now: reading them takes a while in a large library.
        """
        self._close_some()
        state = self.files.state
        if state is None:  # it was lost: what is open serves until it is made anew
            return False
        if state == self._seen and not (words and self._stale):
            return False
        for scope in self.open_scopes:
            if state.scopes.get(scope) != self._seen.scopes.get(scope) or scope in self._stale:
                self._renew(scope, state, words=words)
        self._seen = state
        with suppress(IndexDamaged):  # which is noted
            self._snapshot(SHARED)
        return True

    def writing(self) -> Writing:
        """Take the write lock. Raises IndexBusy while another process has it."""
        lock = self.files.lock()
        try:
            suspects = set(self.suspects)
            state = self.files.checked_state(suspects)
            for scope in suspects:  # opened again when used, whoever has mended it
                self._forget(scope)
            self.suspects -= suspects
            see = partial(self.refresh, words=False)
            return Writing(self.files, lock, state, seen=see, report=self.suspects.add)
        except BaseException:
            lock.release()
            raise

    def verify(self, most_bytes: int | None = None) -> None:
        """Look at the checksums of the open indexes' files; damage makes them ``suspects``.

        At most about ``most_bytes`` of each are read that were not looked at before.
        """
        with self._lock:
            indexes = list(self._open.values())
        for index in indexes:
            if index.problem(most_bytes) is not None:
                self.suspects.add(index.scope)

    def verify_all(self) -> list[str]:
        """Look at the checksums of all files of all scopes; returns what is damaged."""
        found = []
        for scope in self.state.scopes:
            problem = self.files.problem(scope)
            if problem is not None and scope in self.state.scopes:
                self.suspects.add(scope)
                found.append(f"{self.files.place(scope)} was damaged ({problem})")
        return found

    def _snapshot(self, scope: int) -> Snapshot | None:
        """Return what a scope's index holds; None if it has none. Raises IndexDamaged."""
        index = self._used(scope)
        if index is None:
            if scope not in self._seen.scopes and scope not in self._seen.rebuild:
                return None
            with self._opening[scope]:  # one opens it, the others wait
                index = self._used(scope) or self._opened(scope)
        if index is None:
            return None
        index.check_sizes()
        return index.snapshot

    def _used(self, scope: int) -> ScopeIndex | None:
        with self._lock:
            index = self._open.get(scope)
            if index is not None:
                index.used = time.monotonic()
                self._open.move_to_end(scope)
            return index

    def _opened(self, scope: int) -> ScopeIndex | None:
        while True:
            state = self.state
            if scope in state.rebuild:
                raise IndexDamaged(scope, self.files.place(scope), "it is being made anew")
            if scope not in state.scopes:  # it was taken out just now
                return None
            index = self.files.open(scope, state, self.suspects.add)
            with self._lock:
                self._open[scope] = index
            # What was committed while it was read, no refresh has seen in it.
            if self.state.scopes.get(scope) == state.scopes.get(scope):
                break
            self._forget(scope)
        self._close_some()
        return index

    def _renew(self, scope: int, state: State, *, words: bool) -> None:
        """See what an open index holds now, as a newer state tells."""
        held, before = state.scopes.get(scope), self._seen.scopes.get(scope)
        with self._lock:
            index = self._open.get(scope)
        if index is None:
            return
        if held is None or before is None or held.made != before.made:
            self._forget(scope)
            return
        try:
            index.reload(words=words)
        except IndexDamaged:
            self._forget(scope)  # it is noted
        if words:
            self._stale.discard(scope)
        else:
            self._stale.add(scope)

    def _forget(self, scope: int) -> None:
        """Close an index; whoever is searching it can go on."""
        with self._lock:
            self._open.pop(scope, None)
            self._stale.discard(scope)
            for key in [key for key in self._views if scope in key]:
                del self._views[key]

    def _close_some(self) -> None:
        """Close servers' indexes that are idle, and those that are too many or too large."""
        with self._lock:
            opened = [index for scope, index in self._open.items() if scope != SHARED]
        words = sum(len(index.snapshot.words) for index in opened)
        oldest = time.monotonic() - IDLE
        for place, index in enumerate(opened, 1):
            is_last = place == len(opened)  # which is needed now, however large it is
            too_many = len(opened) - place >= MAX_OPEN or (words > MAX_OPEN_WORDS and not is_last)
            if too_many or index.used < oldest:
                words -= len(index.snapshot.words)
                self._forget(index.scope)
