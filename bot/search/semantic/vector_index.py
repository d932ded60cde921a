"""Nearest neighbours by cosine: a graph a scope, in memory, with checkpoints on disk.

Like the text index it follows the store over its feed of changes; losing it loses
nothing. Each process has its own, so a checkpoint may lag behind: what is newer is
read from the store.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usearch.compiled import ScalarKind
from usearch.index import Index

from bot.private_files import unfinished
from bot.search.semantic import checkpoint
from bot.search.semantic.checkpoint import (
    CHECKPOINT,
    FORMAT,
    Checkpoint,
    Damage,
    read_checkpoint,
)

Rows = NDArray[np.int8]
"""Quantised vectors, shape (texts, dimensions)."""

CONNECTIVITY = 16
EXPANSION_ADD = 96
EXPANSION_SEARCH = 128
"""Of the graph (HNSW, Malkov & Yashunin 2018): edges a node, width of the searches."""

EXACT = 2_000
"""Vectors up to which every one is compared: quicker than a graph, and misses none."""

MIN_CHANGED_SHARE = 0.05  # of the vectors, before all are written again


class VectorIndex:
    """The vectors of every scope, by thread id; safe from any thread.

    ``seq`` is the change up to which they are true.
    """

    def __init__(self, folder: Path, library: str, model: str, dimensions: int):
        """Take up the checkpoint in ``folder``, if it is of this library and model."""
        self.folder = folder
        self.seq = 0
        self._unsaved = 0
        self._library, self._model, self._dimensions = library, model, dimensions
        self._scopes: dict[int, Index] = {}
        self._saved: set[int] = set()  # the scopes of the checkpoint
        self._threads: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._load()

    def __len__(self) -> int:
        return sum(len(index) for index in self._scopes.values())

    @property
    def scopes(self) -> list[int]:
        """The scopes that have vectors."""
        with self._lock:
            return list(self._scopes)

    @property
    def threads(self) -> int:
        """Return how many threads have vectors."""
        return self._threads.total()

    def threads_in(self, scopes: Sequence[int]) -> int:
        """Return how many threads of those scopes have vectors."""
        return sum(self._threads[scope] for scope in scopes)

    def ids(self, scopes: Sequence[int]) -> set[int]:
        """Return the ids of the threads of those scopes that have vectors."""
        return {*self._ids(scopes).tolist()}

    def sample(self, scopes: Sequence[int], count: int, seed: int) -> list[int]:
        """Return the ids of some threads of those scopes that have vectors, ``count`` at most.

        The same threads and seed give the same.
        """
        ids = self._ids(scopes)
        places = random.Random(seed).sample(range(len(ids)), min(count, len(ids)))
        return [int(ids[place]) for place in places]

    def _ids(self, scopes: Sequence[int]) -> NDArray[np.uint64]:
        """Return the ids of the threads of those scopes that have vectors, in order."""
        with self._lock:
            indexes = [self._scopes[scope] for scope in scopes if scope in self._scopes]
            keys = [index.keys.__array__() for index in indexes]
        return np.unique(np.concatenate([*keys, np.empty(0, np.uint64)]))

    def near(self, wanted: Rows, scopes: Sequence[int], limit: int) -> list[int]:
        """Return the ids of the threads whose texts are nearest; about ``limit`` of them."""
        found: list[tuple[float, int]] = []
        searched = 0
        with self._lock:
            for scope in scopes:
                index = self._scopes.get(scope)
                if index is not None and len(index):
                    few = len(index) <= EXACT
                    hits = index.search(wanted, min(limit, len(index)), exact=few)
                    far = np.atleast_1d(hits.distances).tolist()
                    found += zip(far, np.atleast_1d(hits.keys).tolist(), strict=True)
                    searched += 1
        if searched > 1:  # of both together no more than of one alone
            found = sorted(found)[:limit]
        return list(dict.fromkeys(thread_id for _, thread_id in found))

    def rows(self, thread_ids: Sequence[int], scopes: Sequence[int]) -> dict[int, Rows]:
        """Return the vectors of threads as those scopes see them; some may have none."""
        found: dict[int, Rows] = {}
        if not thread_ids:
            return found
        keys = np.array(thread_ids, np.uint64)
        with self._lock:
            for scope in scopes:
                index = self._scopes.get(scope)
                if index is None:
                    continue
                for thread_id, rows in zip(thread_ids, index.get(keys) or (), strict=True):
                    if rows is not None:
                        known = found.get(thread_id)
                        found[thread_id] = rows if known is None else np.vstack([known, rows])
        return found

    def replace(
        self, texts: Mapping[int, Mapping[int, Rows]], gone: Iterable[int], seq: int
    ) -> None:
        """Take in threads' vectors (thread id: scope: rows) in place of what was known.

        With them and without those ``gone``, what is here is true to change ``seq``. A scope
        without threads loses its graph, in which vectors that were taken out are still kept.
        """
        with self._lock:
            self._threads.subtract(self._remove(list({*gone})))
            self._scopes = {scope: index for scope, index in self._scopes.items() if len(index)}
        sizes = {i: sum(map(len, of_scopes.values())) for i, of_scopes in texts.items()}
        for ids in _batches(sizes):  # searches come in between, and miss no thread
            with self._lock:
                removed = self._remove(ids)
                added = Counter(scope for i in ids for scope in texts[i])
                for scope in added:
                    self._add(scope, {i: texts[i][scope] for i in ids if scope in texts[i]})
                added.subtract(removed)
                self._threads.update(added)
        self.seq = seq

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._scopes = {}
            self._threads.clear()
        self.seq = 0

    def save(self, *, all_changes: bool = False) -> None:
        """Write a checkpoint if enough has changed, or if a scope in it is no more.

        Half of one is never taken up. Raises OSError.
        """
        is_due = all_changes or self._unsaved >= len(self) * MIN_CHANGED_SHARE
        if (self._unsaved and is_due) or self._saved.difference(self.scopes):
            self._write()

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        checksums: dict[str, int] = {}
        # Other processes may be at it too: each fills a folder of its own first.
        with unfinished(self.folder / "checkpoint", folder=True) as place:
            with self._lock:
                files = {scope: f"{scope}-{self.seq}.usearch" for scope in self._scopes}
                for scope, index in self._scopes.items():
                    index.save(str(place / files[scope]))
                threads = dict(self._threads)
            for name in files.values():  # searches go on meanwhile
                checksums[name] = checkpoint.checksum(place / name)
                (place / name).replace(self.folder / name)
            state = Checkpoint(
                self._library, self._model, self.seq, FORMAT, threads, files, checksums
            )
            (place / "state.json").write_bytes(CHECKPOINT.dump_json(state))
            (place / "state.json").replace(self.folder / "state.json")
        for old in self.folder.glob("*.usearch*"):
            if old.name not in files.values():
                old.unlink(missing_ok=True)
        self._unsaved, self._saved = 0, {*files}

    def _remove(self, thread_ids: Sequence[int]) -> Counter[int]:
        """Take threads out; returns how many of each scope had vectors."""
        out, removed = np.array(thread_ids, np.uint64), Counter[int]()
        for scope, index in self._scopes.items():
            if len(index) and len(out):
                known = index.contains(out)
                index.remove(out[known])
                removed[scope] = int(np.count_nonzero(known))
        self._unsaved += len(out)
        return removed

    def _add(self, scope: int, texts: Mapping[int, Rows]) -> None:
        index = self._scopes.get(scope)
        if index is None:
            index = self._scopes[scope] = self._empty()
        keys = np.repeat(np.array([*texts], np.uint64), [len(rows) for rows in texts.values()])
        index.add(keys, np.vstack([*texts.values()]))

    def _empty(self) -> Index:
        return Index(
            ndim=self._dimensions,
            metric="ip",
            dtype="i8",
            multi=True,
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            expansion_search=EXPANSION_SEARCH,
        )

    def _fits(self, index: Index) -> bool:
        """Return whether a file held what ours do: it is believed even about its own form."""
        return index.ndim == self._dimensions and index.dtype == ScalarKind.I8 and index.multi

    def _load(self) -> None:
        state = read_checkpoint(self.folder / "state.json")
        if (
            state is None
            or state.format != FORMAT
            or (state.library, state.model) != (self._library, self._model)
        ):
            return
        try:
            loaded = {scope: self._loaded(name, state) for scope, name in state.files.items()}
        except Damage as error:  # begin anew: the store has it all
            log.warning("vectors kept in %s are damaged (%s): they are read from the library",
                        self.folder, error)  # fmt: skip
        except OSError as error:
            log.warning("vectors kept in %s can't be read (%s): they are read from the library",
                        self.folder, error)  # fmt: skip
        else:
            self._scopes, self._threads, self.seq = loaded, Counter(state.threads), state.seq
        self._saved = {*state.files}

    def _loaded(self, name: str, state: Checkpoint) -> Index:
        """Return the graph in a file. Raises Damage, and OSError for what is no damage."""
        file, index = self.folder / name, self._empty()
        try:
            found = checkpoint.checksum(file)
            if state.checksums.get(name, found) != found:
                raise Damage(f"the checksum of {name} is wrong")
        except FileNotFoundError:
            raise Damage(f"{name} is missing") from None
        try:
            index.load(str(file))
        except (RuntimeError, ValueError) as error:  # written before there were checksums
            raise Damage(f"{name}: {error}") from None
        if not self._fits(index):
            raise Damage(f"{name} holds something else")
        return index


log = logging.getLogger(__name__)

_AT_ONCE = 64
"""Vectors added between which a search may come: some ten milliseconds."""


def _batches(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Cut threads into batches of about ``_AT_ONCE`` vectors."""
    batch, size = list[int](), 0
    for thread_id, more in sizes.items():
        batch.append(thread_id)
        size += more
        if size >= _AT_ONCE:
            yield batch
            batch, size = [], 0
    yield batch
