"""Candidates to ranked matches: their evidence, and the confidence that one of them is meant.

The evidence of a candidate is its cosine, told on a scale that is the same in every library,
language and model (see ``background.py``), and a little of its BM25; where words alone decide,
what ``lexical.py`` says. Candidates with the same answer are a group, whose evidence is pooled.
The confidence in the first group is the probability that the question has an answer here at
all, times the probability that it is this one if so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log
from operator import mul

from bot.search import lexical
from bot.search.background import TYPICAL, Background
from bot.search.documents import TITLE_BOOST, Hit
from bot.search.groups import POOL, group_numbers, pooled
from bot.search.query import Query
from bot.search.weights import SEMANTIC, WORDS, Confidence

BM25_CEILING = 2.2 * (1 + TITLE_BOOST)
"""The most that both fields give a term for each unit of its idf: k1 + 1, with k1 = 1.2."""

BM25_WEIGHT = 0.025
"""What a standard deviation of BM25 adds to the evidence. Where it was tried (nDCG@10 on
covid-faq and travel-dups), anything from .015 to .04 is as good."""

SHARES = 0.1
"""The temperature at which groups share the probability that one of them is meant."""

WITHOUT_VECTOR = 0.6
"""The evidence that a thread which has no vector yet gets for all of the words asked."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its evidence and its confidence in [0, 1], both those of its ``group``.

    ``together`` is the confidence that this candidate's group or one before it is meant.
    """

    hit: Hit
    score: float
    confidence: float
    together: float
    group: int


@dataclass(frozen=True, slots=True)
class Scored:
    """The evidence of each candidate, and what else speaks for an answer being here at all.

    Evidence up to ``expected`` speaks for nothing. ``in_scope`` has a row for each candidate
    and a column for each constant of the ``model``; ``pool`` and ``shares`` are temperatures.
    """

    evidence: list[float]
    in_scope: list[tuple[float, ...]]
    model: Confidence
    expected: float = 0.0
    pool: float = POOL
    shares: float = SHARES


def rank(
    query: Query,
    hits: Sequence[Hit],
    cosines: Mapping[int, float] | None = None,
    background: Background = TYPICAL,
    limit: int | None = None,
) -> list[Ranked]:
    """Return the best ``limit`` candidates, group after group; confidence never rises.

    ``cosines`` are those of the question and the threads, by thread id. Without them the words
    alone decide.
    """
    if not hits:
        return []
    if cosines is None:
        scored = _by_words(query, hits)
    else:
        scored = _by_meaning(query, hits, cosines, background)
    groups = _pooled(scored, group_numbers(hits))
    confidences = _confidences(scored, groups)
    joint = accumulate(confidences)
    rows = zip(groups, accumulate(confidences, min), joint, strict=True)
    return [
        Ranked(hits[place], scored.evidence[place], confidence, min(1.0, together), number)
        for number, (group, confidence, together) in enumerate(rows)
        for place in group.places
    ][:limit]


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates with one answer: their places, the best first, and their pooled evidence."""

    places: list[int]
    evidence: float


def _pooled(scored: Scored, numbers: Sequence[int]) -> list[Group]:
    """Return the groups, those with most evidence first; of equal ones, the one found first."""
    members: dict[int, list[int]] = {}
    evidence = scored.evidence
    for place in sorted(range(len(numbers)), key=lambda i: -evidence[i]):
        members.setdefault(numbers[place], []).append(place)
    groups = [
        Group(places, pooled([evidence[place] for place in places], scored.pool))
        for places in members.values()
    ]
    return sorted(groups, key=lambda group: -group.evidence)


def _confidences(scored: Scored, groups: Sequence[Group]) -> list[float]:
    """Return the confidence in each group; their sum is that of there being an answer.

    What the first group leaves of it, the others share.
    """
    model, first = scored.model, groups[0]
    above = first.evidence - scored.expected
    others = sum(map(mul, scored.in_scope[first.places[0]], model.in_scope))
    in_scope = _logistic(model.bias + model.evidence * above + others)
    odds = [exp((group.evidence - first.evidence) / scored.shares) for group in groups]
    right = _logistic(model.alone - model.share * log(sum(odds)))
    left = (1.0 - right) / max(sum(odds[1:]), 1e-9)
    return [in_scope * right, *(in_scope * left * odd for odd in odds[1:])]


def _by_meaning(
    query: Query, hits: Sequence[Hit], cosines: Mapping[int, float], background: Background
) -> Scored:
    bm25, share = bm25_of(query, hits)
    relative = [
        background.relative(cosines[hit.thread_id])
        if hit.thread_id in cosines
        else WITHOUT_VECTOR * of_words
        for hit, of_words in zip(hits, share, strict=True)
    ]
    above = lexical.deviations(bm25)
    evidence = [r + BM25_WEIGHT * d for r, d in zip(relative, above, strict=True)]
    return Scored(evidence, [(one,) for one in share], SEMANTIC, background.expected)


def _by_words(query: Query, hits: Sequence[Hit]) -> Scored:
    order, in_scope = lexical.scores(query, hits, *bm25_of(query, hits))
    return Scored(order, in_scope, WORDS, pool=1.0, shares=1.0)


def bm25_of(query: Query, hits: Sequence[Hit]) -> tuple[list[float], list[float]]:
    """Return the candidates' BM25, and as a share of the most that it can be."""
    bm25 = [hit.bm25 for hit in hits]
    if query.only_stop_words:  # those of "how do I do it" are in every thread
        return bm25, [0.0] * len(hits)
    most = BM25_CEILING * query.ceiling + 1e-9
    return bm25, [min(1.0, one / most) for one in bm25]


def _logistic(odds: float) -> float:
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, odds))))
