"""The ranker's two models: fitted on some sets, judged on others.

The order is a conditional logit over each question's candidates (McFadden 1974), the
confidence a logistic regression on the first candidate. Both have an L2 penalty, and
every set weighs the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from bot.evaluation import metrics
from bot.search import ranker
from bot.search.weights import Weights
from bot.services.answering import MAX_SUGGESTIONS
from fitting.cases import Case, Parts

PENALTY = 1e-3
SHARES = {"whole": 0.25, "slipped": 0.25, "small": 0.35, "foreign": 0.15}
"""Of each part in the confidence."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Eye:
    """Which features decide; ``order`` and ``confidence`` name them."""

    name: str
    order: tuple[str, ...]
    confidence: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """A question's candidates by place, the best first: which ask the same as it, their shares."""

    places: list[int]
    same: list[bool]
    odds: list[float]


@dataclass(frozen=True)
class Found:
    """One of the best candidates of a question, with its confidences."""

    confidence: float
    together: float
    right: bool


_BY_WORDS = (
    "bm25_to_best",
    "bm25_above",
    "asked_found",
    "title_asked",
    "overlap",
    "bigrams",
    "token_sort",
)
EYES = (
    Eye("words", _BY_WORDS, ("bm25", "title_asked", "token_sort", "share_backed")),
    Eye(
        "meaning",
        (
            "cosine",
            "cosine_place",
            "cosine_above",
            "bm25_place",
            "bm25_above",
            "bm25_to_best",
            "overlap",
            "bigrams",
        ),
        ("cosine", "bm25", "title_asked", "share"),
    ),
)


def fit(sets: Sequence[Parts], eye: Eye) -> Weights:
    """Both models, fitted on several sets of equal weight."""
    order = _fit_order([parts["whole"] + parts["slipped"] for parts in sets], eye.order)
    return Weights(order, *_fit_confidence(sets, order, eye.confidence))


def _fit_order(sets: Sequence[list[Case]], names: Sequence[str]) -> dict[str, float]:
    """The constants under which right candidates are chosen with the greatest likelihood."""
    groups = [_padded(cases, names) for cases in sets]

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = PENALTY * float(w @ w), 2 * PENALTY * w
        for features, there, right in groups:
            scores = np.where(there, features @ w, -np.inf)
            good = np.where(right, scores, -np.inf)
            all_, best = (logsumexp(s, axis=1, keepdims=True) for s in (scores, good))
            pull = np.exp(scores - all_) - np.exp(good - best)
            total += float(np.mean(all_ - best))
            slope = slope + np.einsum("qc,qcf->f", pull, features) / len(features)
        return total, slope

    return _named(names, _minimum(loss, len(names)))


def _padded(
    cases: Iterable[Case], names: Sequence[str]
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Features (question, candidate, feature), which places are filled, which are right."""
    useful = [case for case in cases if case.right.any() and not case.right.all()]
    shape = (len(useful), max(len(case.rows) for case in useful))
    features = np.zeros((*shape, len(names)))
    there, right = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for i, case in enumerate(useful):
        n = len(case.rows)
        features[i, :n] = case.columns(names)
        there[i, :n], right[i, :n] = True, case.right
    return features, there, right


def _fit_confidence(
    sets: Sequence[Parts], order: dict[str, float], names: Sequence[str]
) -> tuple[dict[str, float], float]:
    """The log-odds that the first candidate is right, and those without any evidence."""
    tables = []
    for parts in sets:
        for part, share in SHARES.items():
            firsts = [first(case, order) for case in parts[part] if case.keys]
            features = np.array([[f[name] for name in names] for f, _, _ in firsts])
            tables.append((features, np.array([r for _, r, _ in firsts], float), share))

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = PENALTY * float(w[1:] @ w[1:]), np.r_[0, 2 * PENALTY * w[1:]]
        for features, right, share in tables:
            odds = w[0] + features @ w[1:]
            total += share * float(np.mean(np.logaddexp(0, odds) - right * odds))
            error = share * (expit(odds) - right) / len(right)
            slope = slope + np.r_[error.sum(), features.T @ error]
        return total, slope

    # Bounded below: no evidence for a thread may count against it.
    bounds = [(None, None)] + [(0.0, None)] * len(names)
    found = _minimum(loss, len(names) + 1, bounds)
    return _named(names, found[1:]), float(found[0])


def first(case: Case, order: dict[str, float]) -> tuple[dict[str, float], bool, list[str]]:
    """The first candidate's features with its share, whether it is right, and all in order."""
    standing = _standing(case, order)
    place = standing.places[0]
    told = _told(case, place, standing.odds[0])
    return told, bool(case.right[place]), [case.keys[place] for place in standing.places]


def found(case: Case, model: Weights) -> list[Found]:
    """The best candidates, as "Did you mean" is given them."""
    standing = _standing(case, model.order)
    rows = [
        (place, _told(case, place, odd))
        for place, odd in zip(standing.places[:MAX_SUGGESTIONS], standing.odds, strict=False)
    ]
    sure = accumulate((ranker.confidence(told, model) for _, told in rows), min)
    either = ranker.together(rows[0][1], standing.odds, standing.same, model)
    return [
        Found(confidence, together, bool(case.right[place]))
        for (place, _), confidence, together in zip(rows, sure, either, strict=False)
    ]


def _standing(case: Case, order: dict[str, float]) -> Standing:
    scores = case.columns(list(order)) @ np.array(list(order.values()))
    places = np.argsort(-scores, kind="stable").tolist()
    near_duplicates = case.near_duplicates.get(places[0], frozenset())
    same = [place in near_duplicates for place in places[1:]]
    return Standing(places, same, ranker.softmax_shares(scores[places].tolist(), same))


def _told(case: Case, place: int, share: float) -> dict[str, float]:
    told = dict(zip(case.names, case.rows[place].tolist(), strict=True))
    return told | ranker.share_features(told, share)


def judged(cases: Iterable[Case], model: Weights) -> tuple[list[float], list[float], list[bool]]:
    """A model on some questions: the gains of its ranking; confidences, and what was right."""
    gains, sure, right = [], [], []
    for case in cases:
        if not case.keys:
            sure.append(0.0)
            right.append(False)
            continue
        row, is_right, ranked = first(case, model.order)
        sure.append(ranker.confidence(row, model))
        right.append(is_right)
        if case.relevant:
            gains.append(metrics.ndcg(ranked, case.relevant))
    return gains, sure, right


def unseen(sets: Sequence[Parts]) -> tuple[float, float]:
    """The line by which a cosine follows from the overlap in words (least squares)."""
    cases = [case for parts in sets for case in parts["whole"] if case.keys]
    overlap, cosine = np.vstack([case.columns(("overlap", "cosine")) for case in cases]).T
    slope, start = np.polyfit(overlap, cosine, 1)
    return float(start), float(slope)


def _minimum(loss: Callable[[Array], Any], size: int, bounds: Any = None) -> Array:
    found = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _named(names: Sequence[str], values: Array) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
