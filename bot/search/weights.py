"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on travel-dups, covid-faq, banking77-oos.
"""

from __future__ import annotations

from bot.search.model import Weights

WORDS = Weights(
    order={
        "bm25_to_best": 6.006,
        "asked_found": 0.826,
        "title_asked": 1.293,
        "overlap": 0.010,
        "bigrams": 1.626,
        "token_sort": 2.996,
    },
    confidence={
        "bm25": 1.321,
        "title_asked": 0.701,
        "token_sort": 0.000,
        "share_backed": 3.506,
    },
    bias=-2.497,
)

MEANING = Weights(
    order={
        "cosine": 5.017,
        "cosine_place": 0.135,
        "cosine_above": 0.562,
        "bm25_place": -0.142,
        "bm25_above": -0.533,
        "bm25_to_best": 6.428,
        "overlap": -0.195,
        "bigrams": 1.797,
    },
    confidence={
        "cosine": 3.053,
        "bm25": 1.088,
        "title_asked": 0.000,
        "share": 3.970,
    },
    bias=-5.168,
)

UNSEEN = (0.292, 0.756)
"""A thread's likely cosine without a vector: this, and so much for each unit of overlap."""
