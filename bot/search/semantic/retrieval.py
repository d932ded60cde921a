"""Semantic retrieval: vectors of threads and questions, compared by their cosine."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from math import sqrt
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from bot.models import MAX_PHRASINGS, Thread, VectorStage
from bot.observing import UNOBSERVED, Observer
from bot.phrasings import LearnedPhrasing
from bot.search.background_file import BackgroundFile
from bot.search.semantic.background_measurement import measure
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.semantic.vector_index import Rows, VectorIndex
from bot.search.text import words

if TYPE_CHECKING:
    from bot.search.background import Background
    from bot.search.view import View

MAX_TEXT = 600
"""Characters of a title, a body or a phrasing that are read: about as many as the model takes."""

MIN_WORDS = 3
"""Words of a text under a title from which its meaning is read: an answer of one word says
nothing of the question."""

QUESTIONS_AT_ONCE = 2
"""Questions whose vectors are made at the same time; the model itself uses every core."""

SPAN = 6.5
"""Standard deviations of a vector's numbers that eight bits span; beyond it they are cut.

Numbers of a vector of length one deviate by ``1/sqrt(dimensions)``, so the steps are fine
enough for a cosine to be off by 0.001.
"""


class SemanticIndex:
    """The vectors of one library and the model that makes them."""

    def __init__(
        self, embedder: Embedder, folder: Path, library: str, observer: Observer = UNOBSERVED
    ):
        self._embedder, self._observer = embedder, observer
        self._executor = ThreadPoolExecutor(QUESTIONS_AT_ONCE, thread_name_prefix="meaning")
        self._scale = 127 * sqrt(embedder.dimensions) / SPAN
        self.vector_index = VectorIndex(folder, library, embedder.name, embedder.dimensions)
        self.backgrounds = BackgroundFile(folder, library, embedder.name)
        self.unrelated: dict[str, Vectors] = {}
        """The vectors of the questions about other fields that were made so far, by language."""

    @property
    def model(self) -> str:
        """The name by which vectors of this model are known."""
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        """Return how many numbers a vector has."""
        return self._embedder.dimensions

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one row of what ``pack`` gives."""
        return self._embedder.dimensions

    def fits(self, data: bytes) -> bool:
        """Return whether what the store has is one row or more of this model's."""
        return bool(data) and len(data) % self.row_bytes == 0

    def knows(self, word: str) -> bool:
        """Return whether the model has learnt this word as a whole."""
        return self._embedder.knows(word)

    def question(self, text: str) -> Vectors:
        """Return the vector of a question."""
        begun = time.perf_counter()
        vector = self._embedder.question(text)
        self._observer.ran_model("question", time.perf_counter() - begun)
        return vector

    def begin(self, text: str) -> Future[Vectors]:
        """Begin to make the vector of a question, beside whatever else is done meanwhile."""
        return self._executor.submit(self.question, text)

    def near(self, question: Vectors, scopes: Sequence[int], limit: int) -> list[int]:
        """Return the ids of about ``limit`` threads nearest to a question."""
        return self.vector_index.near(self.quantised(question), scopes, limit)

    def cosines(
        self,
        question: Vectors,
        thread_ids: Sequence[int],
        scopes: Sequence[int],
        phrasing_cosines: Mapping[int, float] = MappingProxyType({}),
    ) -> dict[int, float]:
        """Return the cosines of a question and threads, by thread id: each of its likest text.

        Those without a vector are left out. ``phrasing_cosines`` are those of the question and
        a guild's phrasings, by thread id.
        """
        cosines: dict[int, float] = {}
        rows = self.vector_index.rows(thread_ids, scopes)
        if rows:
            stacked = np.vstack(list(rows.values())).astype(np.float32)
            starts = np.cumsum([0, *(len(r) for r in rows.values())])[:-1]
            best = np.maximum.reduceat(stacked @ question / self._scale, starts)
            cosines = dict(zip(rows, best.tolist(), strict=True))
        for thread_id, cosine in phrasing_cosines.items():
            cosines[thread_id] = max(cosine, cosines.get(thread_id, -1.0))
        return cosines

    def measure(self, view: View) -> Generator[None, None, Background]:
        """Measure the background of what a server sees; questions may come between the steps.

        Raises ModelError, and IndexDamaged.
        """
        return measure(view, self)

    def pack(
        self, stage: VectorStage, threads: Sequence[Thread], known: Sequence[bytes]
    ) -> list[tuple[VectorStage, bytes]]:
        """Return what the store keeps of each thread after a stage: a row for itself, then others.

        ``known`` is what it keeps of each after the stage before, nothing before the first.
        The thread's own row is its title's vector, and at last the mean of that and the vector
        of its whole text, so that its cosine is the mean of both; each phrasing has a row.
        Each comes with the stage that is reached: later ones may have nothing to add.
        """
        texts = [_texts(thread, stage) for thread in threads]
        vectors = self._vectors([text for those in texts for text in those])
        packed, end = [], 0
        for thread, data, those in zip(threads, known, texts, strict=True):
            start, end = end, end + len(those)
            rows = self._joined(stage, self._rows(data), vectors[start:end])
            packed.append((_reached(thread, stage), rows.tobytes()))
        return packed

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        begun = time.perf_counter()
        vectors = self._embedder.texts(texts)
        if texts:
            self._observer.ran_model("library", time.perf_counter() - begun)
        return vectors

    def _joined(self, stage: VectorStage, known: Rows, vectors: Vectors) -> Rows:
        """Return a thread's rows with the vectors of a stage, of which there may be none."""
        if stage is not VectorStage.BODY or not len(vectors):
            return np.vstack([known, self.quantised(vectors)])
        own = (known[:1] / self._scale + vectors) / 2
        return np.vstack([self.quantised(own.astype(np.float32)), known[1:]])

    def pack_texts(self, texts: Sequence[str]) -> list[bytes]:
        """Return what the store keeps of phrasings that were learnt: a row each."""
        cut = [text[:MAX_TEXT] for text in texts]
        return [row.tobytes() for row in self.quantised(self._vectors(cut))]

    def phrasing_vectors(self, phrasings: Iterable[LearnedPhrasing]) -> PhrasingVectors:
        """Return the phrasings of a guild that have vectors of this model."""
        own = (p for p in phrasings if p.model == self.model)
        known = [(p.thread_id, p.vector) for p in own if len(p.vector or b"") == self.row_bytes]
        rows = self._rows(b"".join(vector or b"" for _, vector in known))
        return PhrasingVectors([thread_id for thread_id, _ in known], rows, self._scale)

    def update(
        self, found: Mapping[int, Mapping[int, bytes]], gone: Iterable[int], seq: int
    ) -> None:
        """Follow the store to change ``seq``: threads' rows by scope, and those without any."""
        rows = {i: {s: self._rows(data) for s, data in of.items()} for i, of in found.items()}
        self.vector_index.replace(rows, gone, seq)

    def _rows(self, data: bytes) -> Rows:
        return np.frombuffer(data, np.int8).reshape(-1, self._embedder.dimensions)

    def quantised(self, vectors: Vectors) -> Rows:
        """Return vectors as eight bits a number."""
        cut: Vectors = np.clip(np.rint(vectors * self._scale), -127, 127)
        return cut.astype(np.int8)


def _texts(thread: Thread, stage: VectorStage) -> list[str]:
    """Return the texts that a stage reads of a thread; the last the title and what is below."""
    title = thread.title[:MAX_TEXT]
    match stage:
        case VectorStage.TITLE:
            return [title]
        case VectorStage.PHRASINGS:
            return [text[:MAX_TEXT] for text in thread.phrasings[:MAX_PHRASINGS]]
        case VectorStage.BODY:
            below = _text_below(thread)
            return [f"{title}. {below}"] if len(words(below)) >= MIN_WORDS else []


def _reached(thread: Thread, stage: VectorStage) -> VectorStage:
    """Return the last stage up to which nothing is left to be made of a thread after one."""
    later = (following for following in VectorStage if following > stage)
    missing = next((following for following in later if _texts(thread, following)), None)
    return VectorStage(missing - 1) if missing else max(VectorStage)


def _text_below(thread: Thread) -> str:
    """Return the text under the title; where a thread has none, the answer that stands for it."""
    body = thread.body.strip()
    if not body and thread.answers:
        best = max(thread.answers, key=lambda answer: (answer.accepted, answer.score))
        body = best.body.strip()
    return body[:MAX_TEXT]


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
        """Return how alike the question and each thread's likest phrasing are, by thread id."""
        if not len(self._rows):
            return {}
        best = np.maximum.reduceat(self._cosines(question), self._starts)
        return dict(zip(self._threads.tolist(), best.tolist(), strict=True))

    def _cosines(self, question: Vectors) -> Vectors:
        cosines: Vectors = np.empty(len(self._rows), np.float32)
        for at in range(0, len(cosines), AT_ONCE):  # kept in 8 bits, compared in 32
            part = slice(at, at + AT_ONCE)
            cosines[part] = self._rows[part].astype(np.float32) @ question
        return cosines / np.float32(self._scale)
