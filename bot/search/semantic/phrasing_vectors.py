"""What one guild taught, as vectors: how near a question comes to each of its threads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.search.semantic.embedder import Vectors
from bot.search.semantic.vector_index import Rows

AT_ONCE = 4_096
"""Rows compared in one product: some megabytes of numbers."""


class Lessons:
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
