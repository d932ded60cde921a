"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on travel-dups, covid-faq, banking77-oos.
"""

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


WORDS = Weights(
    order={
        "bm25_to_best": 5.851,
        "asked_found": 0.947,
        "title_asked": 1.262,
        "overlap": 0.370,
        "bigrams": 1.489,
        "token_sort": 2.960,
    },
    confidence={
        "bm25": 1.841,
        "title_asked": 1.117,
        "token_sort": 0.213,
        "share_backed": 2.931,
    },
    bias=-2.715,
)

MEANING = Weights(
    order={"cosine": 12.0, "bm25_to_best": 3.0},
    confidence={"cosine": 6.0, "share": 2.0},
    bias=-4.0,
)

UNSEEN = (0.2, 0.6)
"""A thread's likely cosine without a vector: this, and this for each unit of overlap."""
