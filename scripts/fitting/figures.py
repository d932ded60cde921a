"""What constants are worth on questions that they weren't fitted on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.evaluation import metrics
from bot.search.weights import Semantic, Words
from fitting.cases import Array
from fitting.models import First, confidences, weights_of

LEVELS = (0.4, 0.5, 0.6, 0.75)
COLUMNS = ("P@1", "ECE", "ECE a library", *(f"from {level}" for level in LEVELS))

Flags = NDArray[np.bool_]


def figures(judged: Sequence[First], constants: Semantic | Words) -> list[str]:
    """Return the cells of ``COLUMNS`` for one set.

    The calibration error is told of all questions of the set and as a mean over its libraries,
    each with what true confidences would have by chance in brackets: of a library's few hundred
    questions, that alone is some .06. By level: the share of answerable questions answered, the
    share of answers that are right and the MCC of answering, as means over the libraries.
    """
    sure, weights = confidences(judged, constants), weights_of(judged)
    right = np.array([first.right for first in judged])
    own = np.array([first.case.answerable for first in judged])
    of_library: defaultdict[str, list[int]] = defaultdict(list)
    for place, first in enumerate(judged):
        of_library[first.case.library].append(place)
    rows = [_of_library(sure[p], weights[p], right[p], own[p]) for p in of_library.values()]
    p_at_1, error, by_chance, *levels = np.mean(np.array(rows), axis=0).tolist()
    shown = (levels[at : at + 3] for at in range(0, len(levels), 3))
    by_level = [f"{cov:.0%}: {prec:.0%}, {mcc:.2f}" for cov, prec, mcc in shown]
    errors = (calibration(sure, weights, right), (error, by_chance))
    return [f"{p_at_1:.3f}", *(f"{e:.3f} ({chance:.3f})" for e, chance in errors), *by_level]


def calibration(sure: Array, weights: Array, right: Flags) -> tuple[float, float]:
    """Return the calibration error, and what true confidences would have by chance.

    As in ``bot/evaluation/metrics.py``, of questions that don't weigh the same.
    """
    bins = np.minimum(metrics.BINS - 1, (sure * metrics.BINS).astype(int))

    def sums(values: Array) -> Array:
        return np.bincount(bins, values, metrics.BINS).astype(np.float64)

    gaps = np.abs(sums(weights * (sure - right))).sum()
    by_chance = np.sqrt(2 / np.pi * sums(weights**2 * sure * (1 - sure))).sum()
    return float(gaps / weights.sum()), float(by_chance / weights.sum())


def _of_library(sure: Array, weights: Array, right: Flags, own: Flags) -> list[float]:
    """Return the figures of one library, as one list."""
    figures = [float(right[own].mean()), *calibration(sure, weights, right)]
    for level in LEVELS:
        yes = sure >= level
        answered = float(weights[yes].sum())
        figures += [
            float(weights[yes & own].sum() / weights[own].sum()),
            float(weights[yes & right].sum()) / answered if answered else 1.0,
            metrics.matthews(
                int((yes & own).sum()),
                int((yes & ~own).sum()),
                int((~yes & own).sum()),
                int((~yes & ~own).sum()),
            ),
        ]
    return figures
