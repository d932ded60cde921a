"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on banking77-oos, clinc-oos, covid-faq, travel-dups, languages.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Semantic:
    """Two logistic models: is there an answer here, and is the first group the one that is meant.

    Log-odds of the first: ``bias``, and what a unit of the first group's evidence beyond the
    background adds (``evidence``). Of the second: those of a group that stands ``alone``, what
    the logarithm of its ``share`` among all groups adds, and what a unit of its evidence beyond
    the background does (``meant``).
    """

    bias: float
    evidence: float
    alone: float
    share: float
    meant: float


@dataclass(frozen=True, slots=True)
class Words:
    """A logistic model of the first group being right, by words alone.

    ``bm25`` is what BM25 adds as a share of the most that it can be, ``content`` what it adds
    that question and name have the same content words, times the group's share among all.
    """

    bias: float
    bm25: float
    content: float


SEMANTIC = Semantic(bias=0.659, evidence=5.161, alone=1.073, share=2.927, meant=2.344)

WORDS = Words(bias=-1.715, bm25=1.486, content=4.279)

WORDS_ORDER = {
    "bm25_to_best": 0.206,
    "bm25_above": 0.744,
    "asked_found": 0.843,
    "title_asked": 1.668,
    "overlap": 0.741,
    "bigrams": 1.962,
    "token_sort": 3.610,
}
"""What each feature adds to the log-odds that a candidate is meant, by words alone."""
