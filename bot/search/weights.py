"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on travel-dups, covid-faq, banking77-oos.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """The linear models of the ranker.

    ``order`` is what each feature adds to a candidate's score among the others,
    ``confidence`` what it adds to the log-odds that the candidate answers the question;
    ``bias`` is those log-odds where every feature is 0.
    """

    order: dict[str, float]
    confidence: dict[str, float]
    bias: float


WORDS = Weights(
    order={
        "bm25_to_best": 4.894,
        "bm25_above": 0.171,
        "asked_found": 0.733,
        "title_asked": 1.336,
        "overlap": -0.099,
        "bigrams": 1.575,
        "token_sort": 2.916,
    },
    confidence={
        "bm25": 1.413,
        "title_asked": 0.734,
        "token_sort": 0.000,
        "share_backed": 3.340,
    },
    bias=-2.519,
)

MEANING = Weights(
    order={
        "cosine": 5.017,
        "cosine_place": 0.137,
        "cosine_above": 0.560,
        "bm25_place": -0.142,
        "bm25_above": -0.533,
        "bm25_to_best": 6.431,
        "overlap": -0.195,
        "bigrams": 1.796,
    },
    confidence={
        "cosine": 2.659,
        "bm25": 1.096,
        "title_asked": 0.000,
        "share": 4.082,
    },
    bias=-4.977,
)

UNSEEN = (0.292, 0.757)
"""A thread's likely cosine without a vector: this, and so much for each unit of overlap."""
