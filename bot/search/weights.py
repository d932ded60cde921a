"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on travel-dups, covid-faq, banking77-oos.
"""

ORDER = {
    "bm25_to_best": 5.851,
    "asked_found": 0.947,
    "title_asked": 1.262,
    "overlap": 0.370,
    "bigrams": 1.489,
    "token_sort": 2.960,
}
"""What each feature adds to a candidate's place among the others."""

CONFIDENCE = {
    "bm25": 1.841,
    "title_asked": 1.117,
    "token_sort": 0.213,
    "lead": 2.931,
}
"""What each feature adds to the log-odds that a candidate answers the question."""

CONFIDENCE_BIAS = -2.715
"""Those log-odds where every feature is 0."""
