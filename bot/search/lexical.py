"""The evidence of candidates by their words alone."""

from __future__ import annotations

from collections.abc import Sequence, Set
from heapq import nlargest
from itertools import pairwise
from math import sqrt

from rapidfuzz import fuzz

from bot.search.documents import Hit
from bot.search.query import Query
from bot.search.text import STOP_STEMS, Name
from bot.search.weights import WORDS_ORDER

COMPARED = 50
"""The best candidates by BM25, with whose mean and deviation every one is compared."""

FEATURES = ("asked_found", "title_asked", "overlap", "bigrams", "token_sort", "content")
"""What is compared of a question and a name, each in [0, 1]: the share of the question's weight
that is in the name, that of the name's weight that is in the question, twice what they share of
both, the share of the question's pairs of neighbours, how alike their words are, sorted, and the
geometric mean of the first two without stop words."""

Features = dict[str, float]


def order(row: Features) -> float:
    """Return the log-odds that a candidate is meant."""
    return sum((weight * row[name] for name, weight in WORDS_ORDER.items()), 0.0)


def features(query: Query, hits: Sequence[Hit], bm25: Sequence[float]) -> list[Features]:
    """Return what orders candidates by words: each compared by the name of it that fits best."""
    rows = []
    most = max((*bm25, 1e-9))
    for hit, score, above in zip(hits, bm25, deviations(bm25), strict=True):
        compared = max((_features(query, name) for name in hit.names), key=_fit)
        row = dict(zip(FEATURES, compared, strict=True))
        if query.only_stop_words:  # "how do I do it" means nothing but a title of such words
            row["asked_found"] *= row["title_asked"]
        rows.append(row | {"bm25_to_best": score / most, "bm25_above": above})
    return rows


def deviations(values: Sequence[float]) -> list[float]:
    """Return how many standard deviations each is above the mean of the ``COMPARED`` greatest."""
    best = nlargest(COMPARED, values)
    mean = sum(best) / max(len(best), 1)
    deviation = sqrt(sum((one - mean) ** 2 for one in best) / max(len(best), 1)) + 1e-6
    return [(one - mean) / deviation for one in values]


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
        _content(query, name_stems),
    )


def _content(query: Query, name_stems: Set[str]) -> float:
    """Return the geometric mean of what is found of the question and asked of the name.

    Stop words don't count, unless the question consists of them.
    """
    asked = query.weight
    if not query.only_stop_words:
        name_stems, asked = name_stems - STOP_STEMS, query.content_weight
    offered = sum(map(query.idf.__getitem__, name_stems))
    shared = query.found_in(name_stems)
    alike = min(1.0, shared / sqrt(asked * offered)) if asked and offered else 0.0
    return alike**2 if query.only_stop_words else alike


def _fit(features: tuple[float, ...]) -> float:
    return features[2] + features[4]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
