"""What a fitted model consists of; the constants themselves are in ``weights.py``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds to a candidate's place among the others (``order``) and to the
    log-odds that it answers the question (``confidence``; ``bias`` where every feature is 0).
    """

    order: dict[str, float]
    confidence: dict[str, float]
    bias: float
