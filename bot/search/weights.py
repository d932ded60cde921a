"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on banking77-oos, clinc-oos, covid-faq, travel-dups.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confidence:
    """Two logistic models: is there an answer here, and is the first group the one that is meant.

    Log-odds of the first: ``bias``, and what each unit of the first group's evidence above the
    background adds (``evidence``) and of what else speaks for it (``in_scope``). Of the second:
    those of a group that stands alone (``alone``), and what the logarithm of its share among
    all groups adds (``share``).
    """

    bias: float
    evidence: float
    in_scope: tuple[float, ...]
    alone: float
    share: float


SEMANTIC = Confidence(bias=-0.655, evidence=6.0, in_scope=(1.270,), alone=2.934, share=2.356)
"""``in_scope``: BM25 as a share of the most that it can be."""

WORDS = Confidence(
    bias=-3.291, evidence=0.0, in_scope=(3.098, 2.445, 4.384), alone=2.235, share=2.521
)
"""``in_scope``: BM25 as a share of the most that it can be, ``title_asked``, ``token_sort``."""

WORDS_ORDER = {
    "bm25_to_best": 2.295,
    "bm25_above": 0.536,
    "asked_found": 0.595,
    "title_asked": 1.947,
    "overlap": 0.783,
    "bigrams": 1.250,
    "token_sort": 2.365,
}
"""What each feature adds to the log-odds that a candidate is meant, by words alone."""
