"""The evidence of candidates by their words alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from bot.search.documents import Hit
from bot.search.query import Query
from bot.search.text import Name
from bot.search.weights import WORDS_ORDER

COMPARED = 50
"""The best candidates by BM25, with whose mean and deviation every one is compared."""

FEATURES = ("asked_found", "title_asked", "overlap", "bigrams", "token_sort")
"""What is compared of a question and a name, each in [0, 1]: the share of the question's weight
that is in the name, that of the name's weight that is in the question, twice what they share of
both, the share of the question's pairs of neighbours, and how alike their words are, sorted."""

Rows = NDArray[np.float64]


def scores(query: Query, hits: Sequence[Hit], bm25: Rows, bm25_share: Rows) -> tuple[Rows, Rows]:
    """Return the log-odds that each candidate is meant, and what says that there is an answer.

    ``bm25_share`` is BM25 as a share of the most that it can be for the question. The second
    has the columns that ``weights.WORDS`` names.
    """
    columns = order_columns(bm25, compared(query, hits))
    order = sum(weight * columns[name] for name, weight in WORDS_ORDER.items())
    in_scope = np.column_stack([bm25_share, columns["title_asked"], columns["token_sort"]])
    return np.asarray(order, np.float64), in_scope


def order_columns(bm25: Rows, compared: Rows) -> dict[str, Rows]:
    """Return what orders candidates, by name."""
    columns = dict(zip(FEATURES, compared.T, strict=True))
    columns["bm25_to_best"] = bm25 / max(float(bm25.max()), 1e-9)
    columns["bm25_above"] = deviations(bm25)
    return columns


def compared(query: Query, hits: Sequence[Hit]) -> Rows:
    """Return how each candidate compares with the question, by the name of it that fits best.

    The columns are ``FEATURES``.
    """
    rows = np.array([max((_features(query, name) for name in hit.names), key=_fit) for hit in hits])
    if query.only_stop_words and len(rows):
        # "how do I do it" means nothing but a title of such words
        rows[:, 0] *= rows[:, 1]
    return rows


def deviations(values: Rows) -> Rows:
    """Return how many standard deviations each is above the mean of the ``COMPARED`` greatest."""
    best = np.sort(values)[-COMPARED:]
    above: Rows = (values - best.mean()) / (best.std() + 1e-6)
    return above


def _features(query: Query, name: Name) -> tuple[float, ...]:
    name_stems = set(name.stems)
    shared = query.found_in(name_stems)
    asked, offered = query.weight, sum(map(query.idf.__getitem__, name_stems))
    pairs = query.bigrams.intersection(pairwise(name.stems))
    return (
        _ratio(shared, asked),
        min(1.0, _ratio(shared, offered)),
        min(1.0, _ratio(2 * shared, asked + offered)),
        _ratio(len(pairs), len(query.bigrams)),
        fuzz.ratio(query.content, name.content) / 100,
    )


def _fit(features: tuple[float, ...]) -> float:
    return features[2] + features[4]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
