"""Writing the text indexes: one session at a time, of any number of scopes."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Self

from filelock import FileLock
from tantivy import Index, Order, Query

from bot.models import SHARED
from bot.search.documents import Indexed, Pieces, document_of
from bot.search.index_files import IndexBusy, IndexFiles, ScopeState, State, unwritable
from bot.search.scope_index import IndexDamaged, configured, fields, may_be_damage

HEAP = 64_000_000
"""Bytes that the shared library's writer may fill before it writes a segment."""

OWN_HEAP = 16_000_000
"""The same for a server's: about the least that tantivy takes."""

MOST_WRITERS = 4
"""Servers' indexes that are written at a time; each takes some threads and its heap."""


class ScopeWriter:
    """The writer of one scope's index.

    ``newest`` is the highest id of a thread that is in, ``pending`` whether there is
    something to commit, ``replaced`` whether threads were taken out that were in.
    """

    def __init__(self, scope: int, index: Index):
        self._scope, self._index = scope, index
        heap = HEAP if scope == SHARED else OWN_HEAP
        self._writer = index.writer(heap, num_threads=1)
        self.newest = _first(index, Order.Desc)
        self.pending = self.replaced = False

    def put(self, thread_id: int, pieces: Pieces) -> None:
        """Index a thread, in place of what was known of it."""
        self.remove(thread_id)
        self.newest = max(self.newest, thread_id)
        self._writer.add_document(document_of(thread_id, self._scope, pieces))
        self.pending = True

    def remove(self, thread_id: int) -> None:
        """Take a thread out, if it may be in."""
        # The writer remembers each deletion until it commits, and looks for its document
        # in all that was added: what can't be in is not to be taken out.
        if thread_id <= self.newest:
            self._writer.delete_documents_by_term("id", thread_id)
            self.pending = self.replaced = True

    def clear(self) -> None:
        """Take all threads out, and forget what was put in since the last commit."""
        self._writer.rollback()
        self._writer.delete_all_documents()
        self.newest = 0
        self.pending, self.replaced = True, False

    def commit(self) -> int:
        """Write what was done; returns how many threads there are now."""
        if self.pending:
            self._writer.commit()
            self.pending = False
        self._index.reload()
        return int(self._index.searcher().num_docs)

    def close(self, *, undo: bool = False) -> None:
        """Wait for merges and end; with ``undo``, forget what was not committed."""
        try:
            if undo:
                self._writer.rollback()
            self._writer.wait_merging_threads()
        finally:
            del self._writer  # tantivy gives its lock back when the writer is gone


def _first(index: Index, order: Order) -> int:
    """Return the highest or lowest id of a thread that is in; 0 without any."""
    found = index.searcher().search(
        Query.all_query(), 1, count=False, order_by_field="id", order=order
    )
    return int(found.hits[0][0]) if found.hits else 0


class Writing:
    """The write lock on the indexes; ``with`` gives it back. Nothing counts until ``commit``.

    The steps raise SearchError for want of room, for example, and IndexDamaged.
    """

    def __init__(
        self,
        files: IndexFiles,
        lock: FileLock,
        state: State,
        seen: Callable[[], object],
        report: Callable[[int], object],
    ):
        self._files, self._lock, self._state, self._seen = files, lock, state, seen
        self._report = report
        self._writers: OrderedDict[int, ScopeWriter] = OrderedDict()
        self._written: dict[int, int] = {}  # scopes since the last commit, with their threads
        self._replaced: set[int] = set()
        self._rebuilt: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(undo=kind is not None)

    @property
    def seq(self) -> int:
        """The change of the library that the indexes are up to."""
        return self._state.seq

    @property
    def scopes(self) -> set[int]:
        """The scopes that have an index."""
        return {*self._state.scopes}

    @property
    def lost(self) -> list[int]:
        """The scopes that are to be made anew, because their files were damaged."""
        return sorted(self._state.rebuild - self._rebuilt)

    def close(self, *, undo: bool = False) -> None:
        """Give the lock back; with ``undo``, forget what was done since the last commit."""
        try:
            while self._writers:
                scope, writer = self._writers.popitem()
                with self._writable(scope):
                    writer.close(undo=undo)
        finally:
            self._writers.clear()
            self._lock.release()

    def put(self, threads: Iterable[Indexed]) -> None:
        """Index threads, in place of what was known of them."""
        for scope, those in groupby(sorted(threads, key=itemgetter(1)), key=itemgetter(1)):
            with self._writable(scope):
                writer = self._writer(scope)
                for thread_id, _, pieces in those:
                    writer.put(thread_id, pieces)

    def remove(self, scopes: Mapping[int, int]) -> None:
        """Take threads out, each of its scope, by id; those that are not in are passed over."""
        for thread_id, scope in scopes.items():
            if self._has(scope):
                with self._writable(scope):
                    self._writer(scope).remove(thread_id)

    def replaced(self) -> dict[int, int]:
        """Return the scopes that count threads which are no more, with how many threads each has.

        tantivy counts those in its statistics until it merges. Writes what was done.
        """
        for scope, writer in self._writers.items():
            with self._writable(scope):
                self._write(scope, writer)
        held = {scope: state.threads for scope, state in self._state.scopes.items()} | self._written
        return {scope: held[scope] for scope in self._replaced & held.keys()}

    def oldest(self) -> dict[int, int]:
        """Return the lowest id of a thread in each guild's index that was committed, by scope."""
        found = {}
        for scope in self._state.scopes.keys() - {SHARED} - self._state.rebuild:
            with self._writable(scope):
                found[scope] = _first(Index.open(str(self._files.place(scope))), Order.Asc)
        return {scope: thread_id for scope, thread_id in found.items() if thread_id}

    def clear(self, scope: int) -> None:
        """Take all threads of a scope out, to put them in again; all count at once."""
        with self._writable(scope):
            self._writer(scope).clear()
        self._replaced.discard(scope)

    def made_anew(self, scope: int) -> None:
        """Note that all threads of a scope that was ``lost`` were put in."""
        self._rebuilt.add(scope)

    def start_over(self) -> None:
        """Prepare for all threads of the library; what is there counts until it is cleared."""
        self._state = replace(self._state, seq=0, rebuild=frozenset())

    def commit(self, seq: int, *, settled: bool = False) -> None:
        """Make what was done so far visible, as the library's state at change ``seq``.

        With ``settled``, merges that tantivy has begun are waited for, so that nothing
        changes by itself afterwards.
        """
        for scope, writer in list(self._writers.items()):
            with self._writable(scope):
                self._write(scope, writer)
                if settled:
                    del self._writers[scope]
                    writer.close()
        scopes = dict(self._state.scopes)
        for scope, threads in self._written.items():
            made = scopes[scope].made if scope in scopes else uuid.uuid4().hex
            scopes[scope] = ScopeState(seq, threads, made)
        emptied = [s for s in self._written if s != SHARED and not scopes[s].threads]
        for scope in emptied:
            del scopes[scope]
        rebuild = self._state.rebuild - self._rebuilt
        self._state = replace(self._state, seq=seq, scopes=scopes, rebuild=rebuild)
        self._files.write_state(self._state)
        self._written.clear()
        self._rebuilt.clear()
        if settled:
            self._replaced.clear()
        for scope in emptied:
            self._drop(scope)
        self._seen()

    def _write(self, scope: int, writer: ScopeWriter) -> None:
        """Have what was done to a scope on the disk, where it counts from the next commit on."""
        if writer.replaced:
            self._replaced.add(scope)
        if writer.pending:
            self._written[scope] = writer.commit()

    def _drop(self, scope: int) -> None:
        writer = self._writers.pop(scope, None)
        if writer is not None:
            with self._writable(scope):
                writer.close()
        self._files.remove(scope)

    def _has(self, scope: int) -> bool:
        return scope in self._state.scopes or scope in self._writers or scope in self._written

    def _writer(self, scope: int) -> ScopeWriter:
        writer = self._writers.get(scope)
        if writer is None:
            while len(self._writers) >= MOST_WRITERS:
                oldest, other = self._writers.popitem(last=False)
                with self._writable(oldest):
                    self._write(oldest, other)
                    other.close()
            writer = self._writers[scope] = self._opened(scope)
        else:
            self._writers.move_to_end(scope)
        return writer

    def _opened(self, scope: int) -> ScopeWriter:
        place, is_new = self._files.place(scope), not self._has(scope)
        if is_new:  # what an interrupted session may have left there is put in again
            self._files.remove(scope)
            place.mkdir(parents=True)
        index = Index(fields(), str(place)) if is_new else Index.open(str(place))
        try:
            return ScopeWriter(scope, configured(index))
        except ValueError as error:
            if "LockBusy" in str(error):
                raise IndexBusy("another program is writing the search index") from None
            raise

    @contextmanager
    def _writable(self, scope: int) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if not may_be_damage(error):
                raise
            place = self._files.place(scope)
            problem = self._files.problem(scope) if self._has(scope) else None
            if problem is not None:
                self._report(scope)  # so that the next writing has it made anew
                raise IndexDamaged(scope, place, problem) from None
            raise unwritable(place, error) from error
