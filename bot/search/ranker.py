"""Candidates to ranked matches: features, an order, and a confidence for each.

Two linear models: one orders the candidates of a question among themselves, the other gives
the probability that a candidate answers the question at all. Their constants are in
``weights.py``, once for words alone and once for words and meaning. A new feature is a line
here and its constants; ``rank`` is what others call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate, pairwise
from math import exp, log1p
from statistics import fmean, pstdev
from typing import Protocol

from rapidfuzz import fuzz

from bot.search.documents import TITLE_BOOST, Hit
from bot.search.query import Query
from bot.search.text import Name
from bot.search.weights import MEANING, UNSEEN, WORDS, Weights

BM25_CEILING = 2.2 * (1 + TITLE_BOOST)
"""The most that both fields give a term for each unit of its idf: k1 + 1, with k1 = 1.2."""

COMPARED = 50
"""The best candidates by one value, with whose mean and deviation every value is compared."""

NEAR_DUPLICATES_AMONG = 30
"""The best candidates, among which near duplicates of the first are looked for."""

NEAR_DUPLICATE_RATIO = 75.0
"""``fuzz.ratio`` (0-100) of two titles' words from which they are near duplicates."""

UNRELATED_COSINE = 0.25
"""The cosine of two texts of one field that have nothing else in common: the mean of all
pairs is .09 on travel-dups, .28 on covid-faq and .24 on banking77-oos."""

Features = dict[str, float]
"""A candidate's features by name, each in [0, 1] unless it says otherwise."""

Scored = tuple[float, Hit, Features]
"""A candidate's score, itself, and its features."""


class Similarity(Protocol):
    """The part of semantic retrieval that the ranker needs."""

    cosines: dict[int, float]

    def near_duplicates(self, thread_id: int, others: Sequence[int]) -> set[int]:
        """Return those of the others that ask nearly the same as a thread."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score and its confidence in [0, 1].

    ``score`` is in log-odds: the larger, the likelier it is the one that is meant.
    ``together`` is the confidence that this candidate or one before it is meant.
    """

    hit: Hit
    score: float
    confidence: float
    together: float
    features: Features


def rank(
    query: Query,
    hits: Sequence[Hit],
    similarity: Similarity | None = None,
    limit: int | None = None,
) -> list[Ranked]:
    """Return the best ``limit`` candidates in order; confidence never rises down the list.

    Without ``similarity`` the words alone decide, by constants of their own.
    """
    model = WORDS if similarity is None else MEANING
    all_features = describe(query, hits, similarity.cosines if similarity else None)
    scored = sorted(
        ((_linear(model.order, f), hit, f) for hit, f in zip(hits, all_features, strict=True)),
        key=_order,
    )
    if not scored:
        return []
    others = scored[1:NEAR_DUPLICATES_AMONG]
    duplicate_ids = near_duplicates_of(scored[0][1], others, similarity)
    duplicates = [hit.thread_id in duplicate_ids for _, hit, _ in scored[1:]]
    shares = softmax_shares([score for score, _, _ in scored], duplicates)
    for (_, _, features), share in zip(scored, shares, strict=True):
        features |= share_features(features, share)
    scored = scored[:limit]
    confidences = accumulate((confidence(f, model) for _, _, f in scored), min)
    joint = together(scored[0][2], shares, duplicates, model)
    rows = zip(scored, confidences, joint, strict=False)  # ``joint`` goes on past ``limit``
    return [Ranked(hit, s, c, t, f) for (s, hit, f), c, t in rows]


def together(
    first: Mapping[str, float],
    shares: Sequence[float],
    duplicates: Sequence[bool],
    model: Weights,
) -> Iterator[float]:
    """Yield for each candidate the confidence that it or one before it is meant.

    That is the first's confidence with all their shares. Near ``duplicates`` of the first
    (told for all but it) count nothing again: their shares are in its own.
    """
    own = (
        0.0 if is_duplicate else share
        for share, is_duplicate in zip(shares, (False, *duplicates), strict=True)
    )
    for share in accumulate(own):
        yield confidence({**first, **share_features(first, min(1.0, share))}, model)


def describe(
    query: Query, hits: Sequence[Hit], cosines: Mapping[int, float] | None
) -> list[Features]:
    """Return the features of each candidate."""
    if not hits:
        return []
    scores = [hit.bm25 for hit in hits]
    all_features = [hit_features(query, hit, max(scores)) for hit in hits]
    _add_relative(all_features, "bm25", scores)
    if cosines is not None:
        _add_cosines(hits, all_features, cosines)
    return all_features


def _add_cosines(
    hits: Sequence[Hit], all_features: Sequence[Features], cosines: Mapping[int, float]
) -> None:
    """Add the cosine, and how it compares with the others'.

    Of a thread that has no vector yet, the cosine is estimated from the words' overlap.
    """
    values = [
        cosines.get(hit.thread_id, UNSEEN[0] + UNSEEN[1] * features["overlap"])
        for hit, features in zip(hits, all_features, strict=True)
    ]
    for features, cosine in zip(all_features, values, strict=True):
        features["cosine"] = cosine
    _add_relative(all_features, "cosine", values)


def _add_relative(all_features: Sequence[Features], name: str, values: Sequence[float]) -> None:
    """Add how each candidate's value compares with those of all.

    As a place (0 for the first, falling with its logarithm) and as standard deviations above
    the mean of the best: a cosine of .6 is much in one library, little in another.
    """
    rows = zip(all_features, _places(values), _deviations(values), strict=True)
    for features, place, above in rows:
        features |= {f"{name}_place": place, f"{name}_above": above}


def _places(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda i: -values[i])
    places = [0.0] * len(values)
    for place, i in enumerate(order):
        places[i] = -log1p(place)
    return places


def _deviations(values: Sequence[float]) -> list[float]:
    """Return how many standard deviations each is above the mean of the ``COMPARED`` greatest."""
    best = nlargest(COMPARED, values)
    mean, deviation = fmean(best), pstdev(best)
    return [(value - mean) / (deviation + 1e-6) for value in values]


def confidence(features: Mapping[str, float], model: Weights) -> float:
    """Return the probability that a thread with these features answers the question."""
    return 1.0 / (1.0 + exp(-(model.bias + _linear(model.confidence, features))))


def hit_features(query: Query, hit: Hit, best_bm25: float) -> Features:
    """Return the features of one candidate by its words.

    A thread that is asked in several ways is described by the name that fits best.
    """
    features = _name_features(query, hit.names[0])
    for name in hit.names[1:]:
        features = max(features, _name_features(query, name), key=_fit)
    bm25 = min(1.0, _ratio(hit.bm25, BM25_CEILING * query.ceiling))
    if query.only_stop_words:  # "how do I do it" means nothing but a title of such words
        features["asked_found"] *= features["title_asked"]
        bm25 *= features["title_asked"]
    features["bm25"] = bm25
    features["bm25_to_best"] = _ratio(hit.bm25, best_bm25)
    return features


def _name_features(query: Query, name: Name) -> Features:
    name_stems = set(name.stems)
    shared = query.found_in(name_stems)
    asked, offered = query.weight, sum(map(query.idf.__getitem__, name_stems))
    pairs = query.bigrams.intersection(pairwise(name.stems))
    return {
        "asked_found": _ratio(shared, asked),
        "title_asked": min(1.0, _ratio(shared, offered)),
        "overlap": min(1.0, _ratio(2 * shared, asked + offered)),
        "bigrams": _ratio(len(pairs), len(query.bigrams)),
        "token_sort": fuzz.ratio(query.content, name.content) / 100,
    }


def _fit(features: Features) -> float:
    return features["overlap"] + features["token_sort"]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _linear(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sum(weight * features[name] for name, weight in weights.items())


def near_duplicates_of(
    first: Hit, others: Sequence[Scored], similarity: Similarity | None
) -> set[int]:
    """Return the ids of those that ask nearly the same as the first, by meaning or by words."""
    if similarity is not None:
        ids = [hit.thread_id for _, hit, _ in others]
        return similarity.near_duplicates(first.thread_id, ids)
    content = first.names[0].content
    ratios = ((hit, fuzz.ratio(content, hit.names[0].content)) for _, hit, _ in others)
    return {hit.thread_id for hit, ratio in ratios if ratio >= NEAR_DUPLICATE_RATIO}


def softmax_shares(scores: Sequence[float], duplicates: Sequence[bool]) -> list[float]:
    """Return how likely each candidate is meant if one of them is, the best first.

    A softmax of the scores, which is what the order's model says. Near ``duplicates`` of the
    first (told for all but it) don't speak against it: their shares are added to its own.
    """
    odds = [exp(score - scores[0]) for score in scores]
    total = sum(odds)
    of_duplicates = sum(odd for odd, own in zip(odds[1:], duplicates, strict=True) if own)
    return [(odds[0] + of_duplicates) / total, *(odd / total for odd in odds[1:])]


def share_features(features: Mapping[str, float], share: float) -> Features:
    """Return the features that follow from a candidate's share.

    Being the best of nothing that fits is no evidence: neither by words, nor where the
    meaning is no nearer than that of two unrelated texts.
    """
    nearness = min(1.0, max(0.0, features.get("cosine", UNRELATED_COSINE)) / UNRELATED_COSINE)
    return {"share": share * nearness, "share_backed": share * features["asked_found"]}


def _order(scored: Scored) -> tuple[float, int]:
    return -scored[0], scored[1].thread_id
