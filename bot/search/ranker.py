"""Candidates to ranked matches: features, an order, and a confidence for each.

Two linear models: one orders the candidates of a question among themselves, the other
says how likely it is that a candidate answers the question at all. Their constants are
in ``weights.py``, once for words alone and once for words and meaning. ``rank`` is the
one door; a new feature is a line here and its constants.
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
"""The best candidates by one eye, among which each one's standing is measured."""

NEAR_DUPLICATES_AMONG = 30
"""The best candidates, among which those that ask the same as the first are looked for."""

ALIKE = 75.0
"""``fuzz.ratio`` (0-100) from which two titles' words count as asking nearly the same."""


UNRELATED_COSINE = 0.25
"""The cosine of two texts of one field that have nothing else in common: the mean of all
pairs is .09 on travel-dups, .28 on covid-faq and .24 on banking77-oos."""


class Similarity(Protocol):
    """What the ranker asks of the eye for meaning."""

    cosines: dict[int, float]

    def near_duplicates(self, thread_id: int, others: Sequence[int]) -> set[int]:
        """Those of the others that ask nearly the same as a thread."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place among the others and its confidence in [0, 1].

    ``score`` is in log-odds: the larger, the likelier it is the one that is meant.
    ``together`` is the confidence that this candidate or one before it is meant.
    """

    hit: Hit
    score: float
    confidence: float
    together: float
    features: dict[str, float]


Scored = tuple[float, Hit, dict[str, float]]
"""A candidate's score, itself, and its features."""


def rank(
    query: Query,
    hits: Sequence[Hit],
    sense: Similarity | None = None,
    limit: int | None = None,
) -> list[Ranked]:
    """Order candidates, best first, and return ``limit``; confidence never rises down the list.

    ``sense`` is what the candidates have to do with the question in meaning; without it
    the words alone decide, by constants of their own.
    """
    model = WORDS if sense is None else MEANING
    described = describe(query, hits, sense.cosines if sense else None)
    scored = sorted(
        ((_linear(model.order, f), hit, f) for hit, f in zip(hits, described, strict=True)),
        key=_place,
    )
    if not scored:
        return []
    near_duplicates = near_duplicates_of(scored[0][1], scored[1:NEAR_DUPLICATES_AMONG], sense)
    same = [hit.thread_id in near_duplicates for _, hit, _ in scored[1:]]
    odds = shares([score for score, _, _ in scored], same)
    for (_, _, told), share in zip(scored, odds, strict=True):
        told |= shared(told, share)
    scored = scored[:limit]
    sure = accumulate((confidence(told, model) for _, _, told in scored), min)
    either = together(scored[0][2], odds, same, model)
    rows = zip(scored, sure, either, strict=False)  # of the others nobody wants to know
    return [Ranked(hit, s, c, t, told) for (s, hit, told), c, t in rows]


def together(
    first: Mapping[str, float], odds: Sequence[float], same: Sequence[bool], model: Weights
) -> Iterator[float]:
    """The confidence that a candidate or one before it is meant: the first's, with all their odds.

    ``odds`` are the ``shares`` of all; those that ask the ``same`` as the first have given
    it theirs already.
    """
    own = (0.0 if too else odd for odd, too in zip(odds, (False, *same), strict=True))
    for share in accumulate(own):
        yield confidence({**first, **shared(first, min(1.0, share))}, model)


def describe(
    query: Query, hits: Sequence[Hit], cosines: Mapping[int, float] | None
) -> list[dict[str, float]]:
    """The features of each candidate, by name."""
    if not hits:
        return []
    scores = [hit.bm25 for hit in hits]
    described = [features(query, hit, max(scores)) for hit in hits]
    _add_standing(described, "bm25", scores)
    if cosines is not None:
        _add_meaning(hits, described, cosines)
    return described


def _add_meaning(
    hits: Sequence[Hit], described: Sequence[dict[str, float]], cosines: Mapping[int, float]
) -> None:
    """How alike in meaning, and the standing by that.

    A thread that has no vector yet is taken for what its words promise.
    """
    alike = [
        cosines.get(hit.thread_id, UNSEEN[0] + UNSEEN[1] * told["overlap"])
        for hit, told in zip(hits, described, strict=True)
    ]
    for told, cosine in zip(described, alike, strict=True):
        told["cosine"] = cosine
    _add_standing(described, "cosine", alike)


def _add_standing(
    described: Sequence[dict[str, float]], name: str, values: Sequence[float]
) -> None:
    """The standing of each candidate by its value among those of all.

    It is told as a place (0 for the first, falling with its logarithm) and as deviations
    from the mean of the best: a cosine of .6 is much in one library, little in another.
    """
    for told, place, above in zip(described, _places(values), _deviations(values), strict=True):
        told |= {f"{name}_place": place, f"{name}_above": above}


def _places(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda i: -values[i])
    places = [0.0] * len(values)
    for place, i in enumerate(order):
        places[i] = -log1p(place)
    return places


def _deviations(values: Sequence[float]) -> list[float]:
    """How many standard deviations each is above the mean of the ``COMPARED`` greatest."""
    best = nlargest(COMPARED, values)
    middle, spread = fmean(best), pstdev(best)
    return [(value - middle) / (spread + 1e-6) for value in values]


def confidence(described: dict[str, float], model: Weights) -> float:
    """The probability that a thread with these features answers the question."""
    return 1.0 / (1.0 + exp(-(model.bias + _linear(model.confidence, described))))


def features(query: Query, hit: Hit, best_bm25: float) -> dict[str, float]:
    """What is to be said of a candidate, each number in [0, 1] unless it says otherwise.

    A thread that people ask in several ways is described by the one that fits best.
    """
    told = _of_name(query, hit.names[0])
    for name in hit.names[1:]:
        told = max(told, _of_name(query, name), key=_fit)
    bm25 = min(1.0, _share(hit.bm25, BM25_CEILING * query.ceiling))
    if query.only_stop_words:  # "how do I do it" means nothing but a title of such words
        told["asked_found"] *= told["title_asked"]
        bm25 *= told["title_asked"]
    told["bm25"] = bm25
    told["bm25_to_best"] = _share(hit.bm25, best_bm25)
    return told


def _of_name(query: Query, name: Name) -> dict[str, float]:
    there = set(name.stems)
    shared = query.found_in(there)
    asked, offered = query.weight, sum(map(query.idf.__getitem__, there))
    pairs = query.bigrams.intersection(pairwise(name.stems))
    return {
        "asked_found": _share(shared, asked),
        "title_asked": min(1.0, _share(shared, offered)),
        "overlap": min(1.0, _share(2 * shared, asked + offered)),
        "bigrams": _share(len(pairs), len(query.bigrams)),
        "token_sort": fuzz.ratio(query.content, name.content) / 100,
    }


def _fit(told: dict[str, float]) -> float:
    return told["overlap"] + told["token_sort"]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _linear(weights: dict[str, float], described: dict[str, float]) -> float:
    return sum(weight * described[name] for name, weight in weights.items())


def near_duplicates_of(first: Hit, others: Sequence[Scored], sense: Similarity | None) -> set[int]:
    """The ids of those that ask nearly the same as the first, by meaning or else by words."""
    if sense is not None:
        return sense.near_duplicates(first.thread_id, [hit.thread_id for _, hit, _ in others])
    content = first.names[0].content
    return {h.thread_id for _, h, _ in others if fuzz.ratio(content, h.names[0].content) >= ALIKE}


def shares(scores: Sequence[float], same: Sequence[bool]) -> list[float]:
    """How likely each candidate is meant if one of them is, in [0, 1], the best first.

    That is what the order's model says: a softmax of the scores. Threads that ask nearly
    the same as the first (``same``, for all but it) don't speak against it: theirs is
    added to its own.
    """
    odds = [exp(score - scores[0]) for score in scores]
    total = sum(odds)
    of_kin = sum(odd for odd, too in zip(odds[1:], same, strict=True) if too)
    return [(odds[0] + of_kin) / total, *(odd / total for odd in odds[1:])]


def shared(told: Mapping[str, float], share: float) -> dict[str, float]:
    """What a candidate's share comes to, and how much of it is backed by words that are found.

    Being the best of nothing that fits is no evidence: not by words, nor where the
    meaning is as far away as that of any two texts.
    """
    near = min(1.0, max(0.0, told.get("cosine", UNRELATED_COSINE)) / UNRELATED_COSINE)
    return {"share": share * near, "share_backed": share * told["asked_found"]}


def _place(scored: Scored) -> tuple[float, int]:
    return -scored[0], scored[1].thread_id
