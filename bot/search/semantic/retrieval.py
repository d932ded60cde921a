"""What a thread means and what a question means, as vectors that can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from math import sqrt
from pathlib import Path
from types import MappingProxyType

import numpy as np

from bot.models import MOST_PHRASINGS, LearnedPhrasing, Thread
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.semantic.vector_index import VectorIndex, Rows

MOST_TEXT = 600
"""Characters of a title, a body or a phrasing that are read: about as many as the model takes."""


ALIKE = 0.75
"""The cosine of two threads from which they count as asking nearly the same."""

ASKED_AT_ONCE = 2
"""Questions whose vectors are made at the same time; the model itself uses every core."""

SPREAD = 6.5
"""Standard deviations of a vector's numbers that eight bits span; beyond it they are cut.

Numbers of a vector of length one deviate by ``1/sqrt(dimensions)``, so the steps are fine
enough for a cosine to be off by 0.001.
"""


class Similarity:
    """What some threads have to do in meaning with a question, and with each other.

    ``cosines`` are in [-1, 1], by thread id: of each thread's likest text. ``taught`` are
    those of a guild's phrasings.
    """

    def __init__(
        self,
        question: Vectors,
        found: Mapping[int, Rows],
        scale: float,
        taught: Mapping[int, float] = MappingProxyType({}),
    ):
        self.cosines: dict[int, float] = {}
        self._found, self._scale = found, scale
        if found:
            rows = np.vstack(list(found.values())).astype(np.float32)
            ends = np.cumsum([len(r) for r in found.values()])
            starts = np.concatenate([[0], ends[:-1]])
            best = np.maximum.reduceat(rows @ question / scale, starts)
            self.cosines = dict(zip(found, best.tolist(), strict=True))
        for thread_id, cosine in taught.items():
            self.cosines[thread_id] = max(cosine, self.cosines.get(thread_id, -1.0))

    def near_duplicates(self, thread_id: int, others: Sequence[int]) -> set[int]:
        """Those of the others that ask nearly the same as a thread."""
        mine, there = self._found.get(thread_id), [i for i in others if i in self._found]
        if mine is None or not there:
            return set()
        own = np.vstack([mine[:1], *(self._found[i][:1] for i in there)]).astype(np.float32)
        own /= np.linalg.norm(own, axis=1, keepdims=True) + 1e-9
        alike = own[1:] @ own[0]
        return {i for i, cosine in zip(there, alike.tolist(), strict=True) if cosine >= ALIKE}


class SemanticIndex:
    """The eye for meaning over one library."""

    def __init__(self, embedder: Embedder, folder: Path, library: str):
        self._embedder = embedder
        self._beside = ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="meaning")
        self._scale = 127 * sqrt(embedder.dimensions) / SPREAD
        self.neighbours = VectorIndex(folder, library, embedder.name, embedder.dimensions)

    @property
    def model(self) -> str:
        """The name by which vectors of this model are known."""
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return self._embedder.dimensions

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of what ``pack`` gives."""
        return self._embedder.dimensions

    def fits(self, data: bytes) -> bool:
        """Whether what the store has is one row or more of this model's."""
        return bool(data) and len(data) % self.row_bytes == 0

    def knows(self, word: str) -> bool:
        """Whether the model has learnt this word as a whole."""
        return self._embedder.knows(word)

    def question(self, text: str) -> Vectors:
        """The vector of a question."""
        return self._embedder.question(text)

    def begin(self, text: str) -> Future[Vectors]:
        """Begin to make the vector of a question, beside whatever else is done meanwhile."""
        return self._beside.submit(self.question, text)

    def near(self, question: Vectors, scopes: Sequence[int], limit: int) -> list[int]:
        """The ids of about ``limit`` threads nearest to a question."""
        return self.neighbours.near(self.quantised(question), scopes, limit)

    def sense(
        self,
        question: Vectors,
        thread_ids: Sequence[int],
        scopes: Sequence[int],
        taught: Mapping[int, float] = MappingProxyType({}),
    ) -> Similarity:
        """What is to be known of some threads, those of them that have vectors.

        ``taught`` is how alike the question is to what a guild taught, by thread id.
        """
        return Similarity(question, self.neighbours.rows(thread_ids, scopes), self._scale, taught)

    def pack(self, threads: Sequence[Thread]) -> list[bytes]:
        """What the store keeps of each thread: a row for itself, one for each phrasing.

        The thread's own is the mean of the vectors of its title and of its whole text,
        so that its cosine is the mean of both.
        """
        said = [(_own(thread), _phrasings(thread)) for thread in threads]
        vectors = self._embedder.texts([text for own, others in said for text in own + others])
        packed, at = [], 0
        for own, others in said:
            ends = at + len(own), at + len(own) + len(others)
            rows = [vectors[at : ends[0]].mean(axis=0), *vectors[ends[0] : ends[1]]]
            packed.append(self.quantised(np.vstack(rows)).tobytes())
            at = ends[1]
        return packed

    def pack_texts(self, texts: Sequence[str]) -> list[bytes]:
        """What the store keeps of phrasings that were learnt: a row each."""
        cut = [text[:MOST_TEXT] for text in texts]
        return [row.tobytes() for row in self.quantised(self._embedder.texts(cut))]

    def lessons(self, phrasings: Iterable[LearnedPhrasing]) -> PhrasingVectors:
        """What a guild has taught, as far as it has vectors of this model."""
        mine = (p for p in phrasings if p.model == self.model)
        known = [(p.thread_id, p.vector) for p in mine if len(p.vector or b"") == self.row_bytes]
        rows = self._rows(b"".join(vector or b"" for _, vector in known))
        return PhrasingVectors([thread_id for thread_id, _ in known], rows, self._scale)

    def take_in(
        self, found: Mapping[int, Mapping[int, bytes]], gone: Iterable[int], seq: int
    ) -> None:
        """Follow the store to change ``seq``: threads' rows by scope, and those without any."""
        rows = {i: {s: self._rows(data) for s, data in of.items()} for i, of in found.items()}
        self.neighbours.replace(rows, gone, seq)

    def _rows(self, data: bytes) -> Rows:
        return np.frombuffer(data, np.int8).reshape(-1, self._embedder.dimensions)

    def quantised(self, vectors: Vectors) -> Rows:
        """Vectors as eight bits a number."""
        cut: Vectors = np.clip(np.rint(vectors * self._scale), -127, 127)
        return cut.astype(np.int8)


def _own(thread: Thread) -> list[str]:
    """What a thread itself says: its title, and with it the text under it, if there is any."""
    title, said = thread.title[:MOST_TEXT], _said(thread)
    return [title, f"{title}. {said}"] if said else [title]


def _phrasings(thread: Thread) -> list[str]:
    return [text[:MOST_TEXT] for text in thread.phrasings[:MOST_PHRASINGS]]


def _said(thread: Thread) -> str:
    """The text under the title; where a thread has none, the answer that stands for it."""
    body = thread.body.strip()
    if not body and thread.answers:
        best = max(thread.answers, key=lambda answer: (answer.accepted, answer.score))
        body = best.body.strip()
    return body[:MOST_TEXT]


AT_ONCE = 4_096
"""Rows compared in one product: some megabytes of numbers."""


class PhrasingVectors:
    """The learned phrasings of one guild that have a vector; ``rows`` belong to ``thread_ids``.

    They are few beside a library, so every one is compared.
    """

    def __init__(self, thread_ids: Sequence[int], rows: Rows, scale: float):
        order = np.argsort(np.array(thread_ids, np.int64), kind="stable")
        self._rows, self._scale = rows[order], scale
        self._threads, self._starts = np.unique(
            np.array(thread_ids, np.int64)[order], return_index=True
        )

    def cosines(self, question: Vectors) -> dict[int, float]:
        """How alike the question and each thread's likest phrasing are, by thread id."""
        if not len(self._rows):
            return {}
        best = np.maximum.reduceat(self._alike(question), self._starts)
        return dict(zip(self._threads.tolist(), best.tolist(), strict=True))

    def _alike(self, question: Vectors) -> Vectors:
        alike: Vectors = np.empty(len(self._rows), np.float32)
        for at in range(0, len(alike), AT_ONCE):  # kept in 8 bits, compared in 32
            part = slice(at, at + AT_ONCE)
            alike[part] = self._rows[part].astype(np.float32) @ question
        return alike / np.float32(self._scale)
