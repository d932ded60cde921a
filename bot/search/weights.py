"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on travel-dups, covid-faq, banking77-oos.
"""

ORDER = {
    "bm25_to_best": 5.629,
    "asked_found": 1.194,
    "title_asked": 1.472,
    "overlap": 0.362,
    "bigrams": 1.447,
    "token_sort": 2.876,
}
"""What each feature adds to a candidate's place among the others."""

CONFIDENCE = {
    "bm25": 1.179,
    "asked_found": 0.000,
    "title_asked": 0.479,
    "overlap": 0.000,
    "token_set": 0.000,
    "token_sort": 0.218,
    "lead": 0.724,
}
"""What each feature adds to the log-odds that a candidate answers the question."""

CONFIDENCE_BIAS = -2.209
"""Those log-odds where every feature is 0."""
