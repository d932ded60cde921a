"""Candidates to ranked matches: features, an order, and a confidence for each.

Two linear models, whose constants are in ``weights.py``: one orders the candidates
of a question among themselves, the other says how likely it is that a candidate
answers the question at all. ``rank`` is the one door; a new feature is a line in
``features`` and its constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp

from rapidfuzz import fuzz

from bot.search.index import TITLE_BOOST, Hit
from bot.search.query import Query
from bot.search.text import STOP_WORDS, stems, words
from bot.search.weights import CONFIDENCE, CONFIDENCE_BIAS, ORDER

BM25_CEILING = 2.2 * (1 + TITLE_BOOST)
"""The most that both fields give a term for each unit of its idf: k1 + 1, with k1 = 1.2."""

CLEAR_LEAD = 4.0
"""The difference of scores from which more does not make a candidate any surer."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place among the others and its confidence in [0, 1]."""

    hit: Hit
    score: float
    confidence: float
    features: dict[str, float]


def rank(query: Query, hits: Sequence[Hit]) -> list[Ranked]:
    """Order candidates, best first; confidence never rises down the list."""
    best = max((hit.bm25 for hit in hits), default=0.0)
    described = [(hit, features(query, hit, best)) for hit in hits]
    scored = sorted(((_linear(ORDER, f), hit, f) for hit, f in described), key=_place)
    _add_leads(scored)
    sure = accumulate((confidence(f) for _, _, f in scored), min)
    return [Ranked(hit, s, c, f) for (s, hit, f), c in zip(scored, sure, strict=True)]


def confidence(described: dict[str, float]) -> float:
    """The probability that a thread with these features answers the question."""
    return 1.0 / (1.0 + exp(-(CONFIDENCE_BIAS + _linear(CONFIDENCE, described))))


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
    told = max((_of_title(query, name) for name in (hit.title, *hit.phrasings)), key=_fit)
    bm25 = min(1.0, _share(hit.bm25, BM25_CEILING * query.ceiling))
    if query.only_stop_words:  # "how do I do it" means nothing but a title of such words
        told["asked_found"] *= told["title_asked"]
        bm25 *= told["title_asked"]
    return told | {
        "bm25": bm25,
        "bm25_to_best": hit.bm25 / best_bm25 if best_bm25 else 0.0,
    }


def _of_title(query: Query, title: str) -> dict[str, float]:
    cut = stems(title)
    there = set(cut)
    plain = words(title)
    content = " ".join(w for w in plain if w not in STOP_WORDS) or " ".join(plain)
    shared = query.found_in(there)
    asked, offered = query.weight, sum(map(query.idf, there))
    pairs = query.bigrams & set(pairwise(cut))
    return {
        "asked_found": _share(shared, asked),
        "title_asked": min(1.0, _share(shared, offered)),
        "overlap": min(1.0, _share(2 * shared, asked + offered)),
        "bigrams": _share(len(pairs), len(query.bigrams)),
        "token_sort": fuzz.token_sort_ratio(query.content, content) / 100,
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
