"""Candidates to ranked matches: features, an order, and a confidence for each.

Two linear models: one orders the candidates of a question among themselves, the other
says how likely it is that a candidate answers the question at all. Their constants are
in ``weights.py``, once for words alone and once for words and meaning. ``rank`` is the
one door; a new feature is a line here and its constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate, pairwise
from math import exp, log1p
from statistics import fmean, pstdev

from rapidfuzz import fuzz

from bot.search.index import TITLE_BOOST, Hit
from bot.search.query import Query
from bot.search.text import Name
from bot.search.weights import MEANING, UNSEEN, WORDS, Weights

BM25_CEILING = 2.2 * (1 + TITLE_BOOST)
"""The most that both fields give a term for each unit of its idf: k1 + 1, with k1 = 1.2."""

COMPARED = 50
"""The best candidates by one eye, among which each one's standing is measured."""

CLEAR_LEAD = 4.0
"""The difference of scores from which more does not make a candidate any surer."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place among the others and its confidence in [0, 1]."""

    hit: Hit
    score: float
    confidence: float
    features: dict[str, float]


def rank(
    query: Query,
    hits: Sequence[Hit],
    cosines: Mapping[int, float] | None = None,
    limit: int | None = None,
) -> list[Ranked]:
    """Order candidates, best first, and return ``limit``; confidence never rises down the list.

    ``cosines`` say how alike question and thread are in meaning, by thread id; without
    them the words alone decide, by constants of their own.
    """
    model = WORDS if cosines is None else MEANING
    described = describe(query, hits, cosines)
    scored = sorted(
        ((_linear(model.order, f), hit, f) for hit, f in zip(hits, described, strict=True)),
        key=_place,
    )
    _add_leads(scored)
    scored = scored[:limit]
    sure = accumulate((confidence(f, model) for _, _, f in scored), min)
    return [Ranked(hit, s, c, f) for (s, hit, f), c in zip(scored, sure, strict=True)]


def describe(
    query: Query, hits: Sequence[Hit], cosines: Mapping[int, float] | None
) -> list[dict[str, float]]:
    """The features of each candidate, by name."""
    best = max((hit.bm25 for hit in hits), default=0.0)
    described = [features(query, hit, best) for hit in hits]
    if cosines is not None and hits:
        _add_meaning(hits, described, cosines)
    return described


def _add_meaning(
    hits: Sequence[Hit], described: Sequence[dict[str, float]], cosines: Mapping[int, float]
) -> None:
    """How alike in meaning, and the standing by either eye among all candidates.

    Both are told as a place (0 for the first, falling with its logarithm) and as
    deviations from the mean of the best: a cosine of .6 is much in one library, and
    little in another. A thread that has no vector yet is taken for what its words promise.
    """
    alike = [
        cosines.get(hit.thread_id, UNSEEN[0] + UNSEEN[1] * told["overlap"])
        for hit, told in zip(hits, described, strict=True)
    ]
    scores = [hit.bm25 for hit in hits]
    rows = zip(described, alike, _places(alike), _deviations(alike), strict=True)
    for told, cosine, place, above in rows:
        told |= {"cosine": cosine, "cosine_place": place, "cosine_above": above}
    rows_by_words = zip(described, _places(scores), _deviations(scores), strict=True)
    for told, place, above in rows_by_words:
        told |= {"bm25_place": place, "bm25_above": above}


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


def lead(ahead: float, described: dict[str, float]) -> float:
    """How far a candidate's score is ahead of the best of the others', in [0, 1].

    It counts as far as the question's words are found: being the best of nothing that
    fits is no evidence.
    """
    return min(max(ahead, 0.0), CLEAR_LEAD) / CLEAR_LEAD * described["asked_found"]


def features(query: Query, hit: Hit, best_bm25: float) -> dict[str, float]:
    """What is to be said of a candidate, each number in [0, 1] unless it says otherwise.

    A thread that people ask in several ways is described by the one that fits best.
    """
    told = max((_of_name(query, name) for name in hit.names), key=_fit)
    bm25 = min(1.0, _share(hit.bm25, BM25_CEILING * query.ceiling))
    if query.only_stop_words:  # "how do I do it" means nothing but a title of such words
        told["asked_found"] *= told["title_asked"]
        bm25 *= told["title_asked"]
    return told | {
        "bm25": bm25,
        "bm25_to_best": hit.bm25 / best_bm25 if best_bm25 else 0.0,
    }


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


def _add_leads(scored: Sequence[tuple[float, Hit, dict[str, float]]]) -> None:
    scores = [score for score, _, _ in scored]
    for place, (score, _, described) in enumerate(scored):
        rival = scores[0] if place else scores[1] if len(scores) > 1 else 0.0
        described["lead"] = lead(score - rival, described)


def _place(scored: tuple[float, Hit, dict[str, float]]) -> tuple[float, int]:
    return -scored[0], scored[1].thread_id
