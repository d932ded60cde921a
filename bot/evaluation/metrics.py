"""Metrics of a ranking and of a confidence, as information retrieval defines them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2, pi, sqrt
from statistics import mean

BINS = 10
"""Equal-width bins of confidence for the calibration error."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """A bin of questions whose confidence lies in [start, end), the last bin's end included.

    ``confidence`` is their mean, ``right`` the share whose first match was right; both
    are ``None`` in a bin without questions.
    """

    start: float
    end: float
    questions: int
    confidence: float | None
    right: float | None


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int], depth: int = 10) -> float:
    """Return normalised discounted cumulative gain (Järvelin & Kekäläinen 2002), linear gain."""
    gained = sum(relevant.get(key, 0) / log2(i + 2) for i, key in enumerate(ranked[:depth]))
    best = sorted(relevant.values(), reverse=True)[:depth]
    ideal = sum(gain / log2(i + 2) for i, gain in enumerate(best))
    return gained / ideal if ideal else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return one over the rank of the first relevant key; 0 when there is none."""
    return next((1 / (i + 1) for i, key in enumerate(ranked) if key in relevant), 0.0)


def recall(ranked: Sequence[str], relevant: Collection[str], depth: int) -> float:
    """Return the share of the relevant keys that are among the first ``depth``."""
    return len(set(ranked[:depth]) & set(relevant)) / len(relevant) if relevant else 0.0


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[ReliabilityBin]:
    """Return how often answers were right by confidence: ``BINS`` bins from 0 to 1."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, was_right in zip(confidences, right, strict=True):
        bins[_bin_of(confidence)].append((confidence, was_right))
    return [
        ReliabilityBin(
            start=number / BINS,
            end=(number + 1) / BINS,
            questions=len(inside),
            confidence=mean(c for c, _ in inside) if inside else None,
            right=mean(float(r) for _, r in inside) if inside else None,
        )
        for number, inside in enumerate(bins)
    ]


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error (Guo et al. 2017): the bins' mean gap, weighted."""
    gaps = (
        b.questions * abs(b.confidence - b.right)
        for b in reliability(confidences, right)
        if b.confidence is not None and b.right is not None
    )
    return sum(gaps) / len(confidences) if confidences else 0.0


def error_by_chance(confidences: Sequence[float]) -> float:
    """Return the calibration error that confidences which are exactly true have in the mean.

    The outcomes of a bin scatter about its confidences (Bröcker & Smith 2007), the more the fewer
    they are. Their sum deviates as binomial variances add up, and the mean absolute value of a
    normal deviate is ``sqrt(2 / pi)`` of its standard deviation.
    """
    variances = [0.0] * BINS
    for confidence in confidences:
        variances[_bin_of(confidence)] += confidence * (1.0 - confidence)
    gaps = sum(sqrt(2.0 / pi * variance) for variance in variances)
    return gaps / len(confidences) if confidences else 0.0


def _bin_of(confidence: float) -> int:
    return min(BINS - 1, int(confidence * BINS))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` of them do not exceed (nearest rank).

    Raises ValueError without any values.
    """
    if not values:
        raise ValueError("there is no percentile of nothing")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def matthews(true_yes: int, false_yes: int, false_no: int, true_no: int) -> float:
    """Return the Matthews correlation coefficient (1975) of a yes/no decision, in [-1, 1]."""
    product = (
        (true_yes + false_yes)
        * (true_yes + false_no)
        * (true_no + false_yes)
        * (true_no + false_no)
    )
    return (true_yes * true_no - false_yes * false_no) / sqrt(product) if product else 0.0
