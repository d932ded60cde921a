"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on travel-dups, covid-faq, banking77-oos.
"""

ORDER = {
    "bm25_to_best": 5.703,
    "asked_found": 1.176,
    "title_asked": 1.459,
    "overlap": 0.298,
    "bigrams": 1.398,
    "token_sort": 2.940,
}
"""What each feature adds to a candidate's place among the others."""

CONFIDENCE = {
    "bm25": 1.712,
    "title_asked": 1.327,
    "token_sort": 0.171,
    "lead": 3.135,
}
"""What each feature adds to the log-odds that a candidate answers the question."""

CONFIDENCE_BIAS = -2.720
"""Those log-odds where every feature is 0."""
