"""Measures of a ranking and of a confidence, as the field defines them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2, sqrt

BINS = 10
"""Equal-width bins of confidence for the calibration error."""


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002), linear gain."""
    gained = sum(relevant.get(key, 0) / log2(i + 2) for i, key in enumerate(ranked[:depth]))
    best = sorted(relevant.values(), reverse=True)[:depth]
    ideal = sum(gain / log2(i + 2) for i, gain in enumerate(best))
    return gained / ideal if ideal else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """One over the place of the first relevant key; 0 when there is none."""
    return next((1 / (i + 1) for i, key in enumerate(ranked) if key in relevant), 0.0)


def recall(ranked: Sequence[str], relevant: Collection[str], depth: int) -> float:
    """The share of the relevant keys among the first ``depth``."""
    return len(set(ranked[:depth]) & set(relevant)) / len(relevant) if relevant else 0.0


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error (Guo et al. 2017): mean gap of confidence and truth by bin."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, was_right in zip(confidences, right, strict=True):
        bins.setdefault(min(BINS - 1, int(confidence * BINS)), []).append((confidence, was_right))
    gaps = (abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in bins.values())
    return sum(gaps) / len(confidences) if confidences else 0.0


def matthews(true_yes: int, false_yes: int, false_no: int, true_no: int) -> float:
    """Matthews correlation coefficient of a yes/no decision, in [-1, 1]."""
    product = (
        (true_yes + false_yes)
        * (true_yes + false_no)
        * (true_no + false_yes)
        * (true_no + false_no)
    )
    return (true_yes * true_no - false_yes * false_no) / sqrt(product) if product else 0.0
