"""The questions of a library with what the engine finds for them."""

from __future__ import annotations

import asyncio
import pickle
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bot.app import App
from bot.models import SHARED
from bot.search import lexical, ranker
from bot.search.groups import group_numbers
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.semantic.retrieval import SemanticIndex
from bot.settings import load_settings
from fitting.libraries import Library, Question

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One question: what its candidates have, and which of them are right.

    ``cosines`` are relative to the background, and NaN without a model; ``features`` are those by
    words; ``groups`` are the candidates' group numbers.
    """

    library: str
    test: str
    question: Question
    answerable: bool
    expected: float
    cosines: Array
    bm25: Array
    share: Array
    features: list[dict[str, float]]
    groups: NDArray[np.int64]
    right: NDArray[np.bool_]


class Remembered:
    """Keeps a model's vectors in a file, so that a second run need not make them again."""

    def __init__(self, embedder: Embedder, file: Path):
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.knows = embedder.knows
        self._embedder, self._file = embedder, file
        self._known: dict[str, Any] = pickle.loads(file.read_bytes()) if file.exists() else {}

    def question(self, text: str) -> Vectors:
        """As ``Embedder.question``."""
        if text not in self._known:
            self._known[text] = self._embedder.question(text)
        return np.asarray(self._known[text])

    def texts(self, texts: Sequence[str]) -> Vectors:
        """As ``Embedder.texts``."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= dict(zip(new, self._embedder.texts(new), strict=True))
        return np.array([self._known[text] for text in texts])

    def keep(self) -> None:
        """Write down what is known by now."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_bytes(pickle.dumps(self._known))


def ask(library: Library, embedder: Remembered | None) -> list[Case]:
    """Put a library's questions to it; without an embedder, by words alone."""

    async def run() -> list[Case]:
        with tempfile.TemporaryDirectory() as place:
            app = await App.open(
                load_settings(
                    _env_file=None, data_dir=Path(place), database_url="", embedding_model="off"
                )
            )
            if embedder is not None:
                folder = Path(place) / "neighbours"
                app.engine.semantic = SemanticIndex(
                    cast(Embedder, embedder), folder, app.database.id
                )
            await app.library.add(library.threads)
            await app.embedding.make()
            deque(app.engine.measure_background(SHARED), 0)
            cases = [_case(app, library, question) for question in library.questions]
            await app.close()
        return cases

    return asyncio.run(run())


def _case(app: App, library: Library, question: Question) -> Case:
    own = question.own if question.own not in question.right else None
    query, hits, cosines, background = app.engine.retrieve(question.text, SHARED, own)
    cosines = cosines or {}
    bm25, share = ranker.bm25_of(query, hits)
    told = np.array([cosines.get(hit.thread_id, np.nan) for hit in hits], float)
    return Case(
        library=library.name,
        test=library.test,
        question=question,
        answerable=bool(question.right),
        expected=background.expected,
        cosines=(told - background.unrelated) / (1.0 - background.unrelated),
        bm25=np.array(bm25),
        share=np.array(share),
        features=lexical.features(query, hits, bm25),
        groups=np.array(group_numbers(hits), np.int64),
        right=np.array([hit.key in question.right for hit in hits], np.bool_),
    )
