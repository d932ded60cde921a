"""The questions of the test sets with what the engine finds for them.

Questions are taken as they are and with slips in 30 % of their longer words: asked of the
whole library, of small libraries cut from it (a community begins with a handful of
threads), and of libraries of another field, which can't answer them.
"""

from __future__ import annotations

import asyncio
import pickle
import random
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bot.app import App
from bot.evaluation.test_sets import TestQuery, TestSet, misspell
from bot.models import Thread
from bot.search import ranker
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.semantic.retrieval import SemanticIndex
from bot.settings import load_settings

TYPOS = 0.3
SMALL = (3, 5, 10, 10, 30, 30, 70, 70, 150, 300)  # threads of the small libraries
FOREIGN = 200  # questions of each other set
LIKELY = 12  # candidates that may come first by other constants than the present ones


@dataclass(frozen=True)
class Case:
    """One question: its candidates' keys and features, and which of them are right.

    ``rows`` has a row for each candidate and a column for each of ``names``;
    ``near_duplicates`` are, for some candidates by place, those that ask nearly the same.
    """

    keys: list[str]
    names: tuple[str, ...]
    rows: NDArray[np.float32]
    right: NDArray[np.bool_]
    relevant: dict[str, int]
    near_duplicates: dict[int, frozenset[int]]

    def columns(self, names: Sequence[str]) -> NDArray[np.float32]:
        """The features of these names."""
        return self.rows[:, [self.names.index(name) for name in names]]


Parts = dict[str, list[Case]]
"""The cases of one set: ``whole`` and, with slips, ``slipped``; ``small``; ``foreign``."""


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


def gather(test: TestSet, others: list[TestSet], embedder: Remembered | None) -> Parts:
    """Every part of a set; without an embedder, as it is found by words alone."""
    rng = random.Random(11)
    foreign = [TestQuery("", q.text, {}) for o in others for q in rng.sample(o.queries, FOREIGN)]
    slipped = [TestQuery(q.key, misspell(q.text, TYPOS, rng), q.relevant) for q in test.queries]
    small: list[Case] = []
    for size in SMALL:
        small += ask(*_small_library(test, foreign, size, rng), embedder)
    count = len(test.queries)
    found = ask(test.threads, [*test.queries, *slipped, *foreign], embedder)
    return {
        "whole": found[:count],
        "slipped": found[count : 2 * count],
        "foreign": found[2 * count :],
        "small": small,
    }


def ask(
    threads: Iterable[Thread], queries: list[TestQuery], embedder: Remembered | None
) -> list[Case]:
    """Put questions to a library of these threads."""

    async def run() -> list[Case]:
        with tempfile.TemporaryDirectory() as place:
            app = await App.open(
                load_settings(
                    _env_file=None, data_dir=Path(place), database_url="", embedding_model="off"
                )
            )
            if embedder is not None:
                folder = Path(place) / "neighbours"
                app.engine.meaning = SemanticIndex(
                    cast(Embedder, embedder), folder, app.database.id
                )
            await app.library.add(threads)
            await app.embedding.make()
            cases = [_case(app, query) for query in queries]
            await app.close()
        return cases

    return asyncio.run(run())


def _case(app: App, query: TestQuery) -> Case:
    engine = app.engine
    hits, sense, asked = engine.retrieve(query.text, 0, query.key)
    ranked = ranker.rank(asked, hits, sense)
    keys = [r.hit.key for r in ranked]
    place = {r.hit.thread_id: i for i, r in enumerate(ranked)}
    near = [(r.score, r.hit, r.features) for r in ranked[: ranker.NEAR_DUPLICATES_AMONG]]
    near_duplicates = {
        i: frozenset(
            place[k] for k in ranker.near_duplicates_of(hit, near[:i] + near[i + 1 :], sense)
        )
        for i, (_, hit, _) in enumerate(near[:LIKELY])
    }
    right = np.array([key in query.relevant for key in keys], np.bool_)
    names = tuple(ranked[0].features) if ranked else ()
    rows = np.array([[r.features[name] for name in names] for r in ranked], np.float32)
    return Case(keys, names, rows, right, query.relevant, near_duplicates)


def _small_library(
    test: TestSet, foreign: list[TestQuery], size: int, rng: random.Random
) -> tuple[list[Thread], list[TestQuery]]:
    """Some threads, with questions that they answer, that their field asks, and foreign ones."""
    by_key = {thread.key: thread for thread in test.threads}
    answerable = [query for query in test.queries if query.relevant]
    asked = rng.sample(answerable, min(len(answerable), max(2, min(size // 2, 60))))
    chosen = {next(iter(query.relevant)) for query in asked}
    spare = [key for key in by_key if key not in chosen]
    chosen |= set(rng.sample(spare, max(0, min(len(spare), size - len(chosen)))))
    queries = asked + rng.sample(test.queries, len(asked)) + rng.sample(foreign, len(asked))
    mixed = [
        TestQuery(q.key, misspell(q.text, TYPOS, rng) if i % 3 == 0 else q.text, q.relevant)
        for i, q in enumerate(queries)
    ]
    return [by_key[key] for key in sorted(chosen)], mixed
