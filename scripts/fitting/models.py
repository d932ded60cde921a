"""The ranker's constants: fitted on some sets, judged on others.

The order by words is a conditional logit over each question's candidates (McFadden 1974). The
confidence by meaning is two logistic regressions: whether a question has an answer in the
library, and, of those that have one, whether the first group is it; by words it is one. All
have an L2 penalty; every set weighs the same, and every library of a set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from bot.search import lexical
from bot.search.groups import POOL, pooled
from bot.search.ranker import BM25_WEIGHT, SHARES, WITHOUT_VECTOR
from bot.search.weights import Semantic, Words
from fitting.cases import Array, Case

PENALTY = 1e-4
MIX = {"own": 0.7, "left out": 0.1, "none": 0.1, "foreign": 0.1}
"""Of each kind of question; where a library has none of a kind, the others share its part."""


@dataclass(frozen=True)
class First:
    """The first group of a question, and whether it is right.

    ``evidence`` is what is beyond the background, ``bm25`` that of its best candidate as a share
    of the most that it can be, ``content`` as ``lexical.FEATURES`` has it, ``share`` the group's
    among all.
    """

    case: Case
    evidence: float
    bm25: float
    content: float
    share: float
    right: bool


def firsts(cases: Sequence[Case], order: Mapping[str, float] | None) -> list[First]:
    """Return the first groups, by meaning, or by words with an ``order``."""
    useful = [case for case in cases if len(case.bm25)]
    if order is None:  # a model that can't read a library leaves it to words
        useful = [case for case in useful if not np.isnan(case.cosines).all()]
    return [_first(case, order) for case in useful]


def _first(case: Case, order: Mapping[str, float] | None) -> First:
    pool, shares = (POOL, SHARES) if order is None else (1.0, 1.0)
    evidence = by_meaning(case) if order is None else by_words(case, order)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(case.groups.tolist()):
        members[number].append(place)
    levels = {n: pooled(evidence[places].tolist(), pool) for n, places in members.items()}
    first = max(levels, key=levels.__getitem__)
    best = max(members[first], key=lambda place: evidence[place])
    odds = np.exp((np.array(list(levels.values())) - levels[first]) / shares)
    return First(
        case=case,
        evidence=levels[first] - case.expected,
        bm25=float(case.share[best]),
        content=case.features[best]["content"],
        share=float(1.0 / odds.sum()),
        right=bool(case.right[members[first]].any()),
    )


def by_meaning(case: Case) -> Array:
    """Return the candidates' evidence as the ranker has it."""
    relative = np.where(np.isnan(case.cosines), WITHOUT_VECTOR * case.share, case.cosines)
    above = np.array(lexical.deviations(case.bm25.tolist()))
    evidence: Array = relative + BM25_WEIGHT * above
    return evidence


def by_words(case: Case, order: Mapping[str, float]) -> Array:
    """Return the candidates' log-odds by words alone."""
    return np.array([sum(w * row[name] for name, w in order.items()) for row in case.features])


def fit_order(cases: Sequence[Case], names: Sequence[str]) -> dict[str, float]:
    """Return the constants under which right candidates are likeliest to be chosen."""
    useful = [c for c in cases if c.right.any() and not c.right.all()]
    counts: defaultdict[str, int] = defaultdict(int)
    for case in useful:
        counts[case.test] += 1
    rows = [np.array([[row[name] for name in names] for row in case.features]) for case in useful]

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = PENALTY * float(w @ w), 2 * PENALTY * w
        for case, x in zip(useful, rows, strict=True):
            weight = 1 / counts[case.test] / len(counts)
            odds = np.exp(x @ w - (x @ w).max())
            good = odds * case.right
            total -= weight * float(np.log(good.sum() / odds.sum()))
            slope = slope - weight * (x.T @ (good / good.sum() - odds / odds.sum()))
        return total, slope

    return dict(zip(names, _minimum(loss, len(names)).tolist(), strict=True))


def fit_semantic(first: Sequence[First]) -> Semantic:
    """Return the constants of the confidence by words and meaning."""
    weights = weights_of(first)
    answerable = np.array([f.case.answerable for f in first])
    columns = np.array([[f.evidence] for f in first])
    bias, evidence = logistic_regression(columns, answerable, weights)
    columns = np.array([[np.log(f.share), f.evidence] for f in first])[answerable]
    right = np.array([f.right for f in first])[answerable]
    alone, share, meant = logistic_regression(columns, right, weights[answerable])
    return Semantic(bias, evidence, alone, share, meant)


def fit_words(first: Sequence[First]) -> Words:
    """Return the constants of the confidence by words alone."""
    columns = np.array([[f.bm25, f.share * f.content] for f in first])
    right = np.array([f.right for f in first])
    return Words(*logistic_regression(columns, right, weights_of(first)))


def confidences(first: Sequence[First], model: Semantic | Words) -> Array:
    """Return the confidence in each first group."""
    share = np.array([f.share for f in first])
    if isinstance(model, Words):
        bm25, content = (np.array([getattr(f, n) for f in first]) for n in ("bm25", "content"))
        told: Array = expit(model.bias + model.bm25 * bm25 + model.content * share * content)
        return told
    evidence = np.array([f.evidence for f in first])
    in_scope: Array = expit(model.bias + model.evidence * evidence)
    is_first = expit(model.alone + model.share * np.log(share) + model.meant * evidence)
    return np.asarray(in_scope * is_first)


def weights_of(first: Sequence[First]) -> Array:
    """Return what each question weighs: sets alike, libraries of a set alike, kinds by MIX."""
    counts: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    libraries: defaultdict[str, set[str]] = defaultdict(set)
    for f in first:
        counts[f.case.test, f.case.library, f.case.question.kind] += 1
        libraries[f.case.test].add(f.case.library)
    mixes: defaultdict[str, float] = defaultdict(float)
    for _, library, kind in counts:
        mixes[library] += MIX[kind]
    return np.array(
        [
            MIX[f.case.question.kind]
            / mixes[f.case.library]
            / counts[f.case.test, f.case.library, f.case.question.kind]
            / len(libraries[f.case.test])
            for f in first
        ]
    )


def logistic_regression(columns: Array, right: NDArray[np.bool_], weights: Array) -> list[float]:
    """Return the intercept and the slopes of a weighted logistic regression."""
    total = weights.sum()

    def loss(w: Array) -> tuple[float, Array]:
        odds = w[0] + columns @ w[1:]
        error = weights * (expit(odds) - right) / total
        slope = np.r_[error.sum(), columns.T @ error + 2 * PENALTY * w[1:]]
        value = float((weights * (np.logaddexp(0, odds) - right * odds)).sum() / total)
        return value + PENALTY * float(w[1:] @ w[1:]), slope

    return [float(value) for value in _minimum(loss, columns.shape[1] + 1)]


def _minimum(loss: Callable[[Array], Any], size: int) -> Array:
    return np.asarray(minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x)
