"""Nearest neighbours by cosine: a graph a scope, in memory, with checkpoints on disk.

Like the text index it follows the store over its feed of changes; losing it loses
nothing. Each process has its own, so a checkpoint may lag behind: what is newer is
read from the store.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from usearch.compiled import ScalarKind
from usearch.index import Index

from bot.private_files import unfinished

Rows = NDArray[np.int8]
"""Quantised vectors, shape (texts, dimensions)."""

FORMAT = 2
"""Raised when the vectors are packed or kept otherwise: older checkpoints are left."""

CONNECTIVITY = 16
EXPANSION_ADD = 96
EXPANSION_SEARCH = 128
"""Of the graph (HNSW, Malkov & Yashunin 2018): edges a node, width of the searches."""

EXACT = 2_000
"""Vectors up to which every one is compared: quicker than a graph, and misses none."""

MIN_CHANGED_SHARE = 0.05  # of the vectors, before all are written again


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the files: vectors of a model for a library, up to a change of it.

    ``threads`` counts those of each scope that have any; ``checksums`` are the CRC-32 of the
    files, by name.
    """

    library: str
    model: str
    seq: int = 0
    format: int = FORMAT
    threads: dict[int, int] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)
    checksums: dict[str, int] = field(default_factory=dict)


_CHECKPOINT = TypeAdapter(Checkpoint)


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
        self._threads: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._load()

    def __len__(self) -> int:
        return sum(len(index) for index in self._scopes.values())

    @property
    def threads(self) -> int:
        """Return how many threads have vectors."""
        return self._threads.total()

    def threads_in(self, scopes: Sequence[int]) -> int:
        """Return how many threads of those scopes have vectors."""
        return sum(self._threads[scope] for scope in scopes)

    def ids(self, scopes: Sequence[int]) -> set[int]:
        """Return the ids of the threads of those scopes that have vectors."""
        with self._lock:
            indexes = [self._scopes[scope] for scope in scopes if scope in self._scopes]
            return {key for index in indexes for key in index.keys.__array__().tolist()}

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

        With them and without those ``gone``, what is here is true to change ``seq``.
        """
        with self._lock:
            self._threads.subtract(self._remove(list({*gone})))
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
        """Write a checkpoint if enough has changed; half of one is never taken up.

        Raises OSError.
        """
        if self._unsaved and (all_changes or self._unsaved >= len(self) * MIN_CHANGED_SHARE):
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
                checksums[name] = _checksum(place / name)
                (place / name).replace(self.folder / name)
            state = Checkpoint(
                self._library, self._model, self.seq, FORMAT, threads, files, checksums
            )
            (place / "state.json").write_bytes(_CHECKPOINT.dump_json(state))
            (place / "state.json").replace(self.folder / "state.json")
        for old in self.folder.glob("*.usearch*"):
            if old.name not in files.values():
                old.unlink(missing_ok=True)
        self._unsaved = 0

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
        state = _read(self.folder / "state.json")
        if (
            state is None
            or state.format != FORMAT
            or (state.library, state.model) != (self._library, self._model)
        ):
            return
        try:
            loaded = {scope: self._loaded(name, state) for scope, name in state.files.items()}
        except _Damage as error:  # begin anew: the store has it all
            log.warning("vectors kept in %s are damaged (%s): they are read from the library",
                        self.folder, error)  # fmt: skip
        except OSError as error:
            log.warning("vectors kept in %s can't be read (%s): they are read from the library",
                        self.folder, error)  # fmt: skip
        else:
            self._scopes, self._threads, self.seq = loaded, Counter(state.threads), state.seq

    def _loaded(self, name: str, state: Checkpoint) -> Index:
        """Return the graph in a file. Raises _Damage, and OSError for what is no damage."""
        file, index = self.folder / name, self._empty()
        try:
            found = _checksum(file)
            if state.checksums.get(name, found) != found:
                raise _Damage(f"the checksum of {name} is wrong")
        except FileNotFoundError:
            raise _Damage(f"{name} is missing") from None
        try:
            index.load(str(file))
        except (RuntimeError, ValueError) as error:  # written before there were checksums
            raise _Damage(f"{name}: {error}") from None
        if not self._fits(index):
            raise _Damage(f"{name} holds something else")
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


class _Damage(Exception):
    """A file of a checkpoint is missing or not what was written."""


def _checksum(file: Path) -> int:
    """Return the CRC-32 of a file. Raises OSError."""
    crc = 0
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc


def _read(file: Path) -> Checkpoint | None:
    """Return what a checkpoint's file says; None if there is none, or none that can be used."""
    try:
        return _CHECKPOINT.validate_json(file.read_bytes(), strict=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        why = str(error).splitlines()[0]
        log.warning("%s can't be used (%s): vectors are read from the library", file, why)
        return None
