"""Candidates to ranked matches: their evidence, and the confidence that one of them is meant.

The evidence of a candidate is its cosine, told on a scale that is the same in every library,
language and model (see ``background.py``), and a little of its BM25; where words alone decide,
what ``lexical.py`` says. Candidates with the same answer are a group, whose evidence is pooled.
The confidence in the first group is the probability that the question has an answer here at
all, times the probability that it is this one if so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log

from bot.search import lexical
from bot.search.background import TYPICAL, Background
from bot.search.documents import TITLE_BOOST, Hit
from bot.search.groups import POOL, group_numbers, pooled
from bot.search.query import Query
from bot.search.weights import SEMANTIC, WORDS

BM25_CEILING = 2.2 * (1 + TITLE_BOOST)
"""The most that both fields give a term for each unit of its idf: k1 + 1, with k1 = 1.2."""

BM25_WEIGHT = 0.02
"""What a standard deviation of BM25 adds to the evidence: more is better on covid-faq, less on
travel-dups (nDCG@10)."""

SHARES = 0.05
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


Confidences = Callable[[Sequence["Group"], Sequence[float]], tuple[list[float], list[float]]]
"""Of groups and their shares: the confidence in each, and that it or one before it is meant."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The evidence of each candidate, and what follows from it.

    ``pool`` is the temperature at which it is pooled, ``temperature`` that of the shares.
    """

    evidence: list[float]
    confidences: Confidences
    pool: float
    temperature: float


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
    confidences, joint = scored.confidences(groups, _shares(groups, scored.temperature))
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


def _shares(groups: Sequence[Group], temperature: float) -> list[float]:
    """Return how likely each group is meant if one of them is: a softmax of their evidence."""
    odds = [exp((group.evidence - groups[0].evidence) / temperature) for group in groups]
    total = sum(odds)
    return [one / total for one in odds]


def _by_meaning(
    query: Query, hits: Sequence[Hit], cosines: Mapping[int, float], background: Background
) -> Scored:
    bm25, bm25_share = bm25_of(query, hits)
    relative = [
        background.relative(cosines[hit.thread_id])
        if hit.thread_id in cosines
        else WITHOUT_VECTOR * of_words
        for hit, of_words in zip(hits, bm25_share, strict=True)
    ]
    above = lexical.deviations(bm25)
    evidence = [r + BM25_WEIGHT * d for r, d in zip(relative, above, strict=True)]

    def confidences(
        groups: Sequence[Group], shares: Sequence[float]
    ) -> tuple[list[float], list[float]]:
        beyond = groups[0].evidence - background.expected
        in_scope = logistic(SEMANTIC.bias + SEMANTIC.evidence * beyond)
        of_share = SEMANTIC.alone + SEMANTIC.share * log(shares[0])
        right = logistic(of_share + SEMANTIC.meant * beyond)
        left = (1.0 - right) / max(1.0 - shares[0], 1e-9)  # is shared by the others
        each = [in_scope * right, *(in_scope * left * share for share in shares[1:])]
        return each, list(accumulate(each))

    return Scored(evidence, confidences, POOL, SHARES)


def _by_words(query: Query, hits: Sequence[Hit]) -> Scored:
    bm25, bm25_share = bm25_of(query, hits)
    rows = lexical.features(query, hits, bm25)

    def confidence(group: Group, share: float) -> float:
        place = group.places[0]
        content = WORDS.content * share * rows[place]["content"]
        return logistic(WORDS.bias + WORDS.bm25 * bm25_share[place] + content)

    def confidences(
        groups: Sequence[Group], shares: Sequence[float]
    ) -> tuple[list[float], list[float]]:
        each = [confidence(group, share) for group, share in zip(groups, shares, strict=True)]
        return each, [confidence(groups[0], share) for share in accumulate(shares)]

    return Scored([lexical.order(row) for row in rows], confidences, pool=1.0, temperature=1.0)


def bm25_of(query: Query, hits: Sequence[Hit]) -> tuple[list[float], list[float]]:
    """Return the candidates' BM25, and as a share of the most that it can be."""
    bm25 = [hit.bm25 for hit in hits]
    if query.only_stop_words:  # those of "how do I do it" are in every thread
        return bm25, [0.0] * len(hits)
    most = BM25_CEILING * query.ceiling + 1e-9
    return bm25, [min(1.0, one / most) for one in bm25]


def logistic(odds: float) -> float:
    """Return the probability of log-odds."""
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, odds))))
