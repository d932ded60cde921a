"""Wordings that members taught, recognised when the same words are said again.

The same words are the same in their order, with articles and auxiliary verbs aside and slips
allowed for. What is alike otherwise is left to the ranker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.phrasings import LearnedPhrasing
from bot.search.query import Query
from bot.search.text import stems, words

ASIDE = frozenset("a an the is are s do does did can could will would please".split())
"""Words by which questions differ that ask the same in the same words; "s" is that of "what's"."""

MIN_SLIP_LENGTH = 5
"""Letters from which a word may have a slip; of shorter ones, another is too often near."""

TWO_SLIPS_LENGTH = 9
"""Letters from which a word may have two slips."""

MAX_SLIPS = 3
"""Slips in a question, at most."""


class TaughtWordings:
    """The wordings of one guild's phrasings, confirmed or not."""

    def __init__(self, phrasings: Iterable[LearnedPhrasing]):
        self._by_key: defaultdict[str, list[LearnedPhrasing]] = defaultdict(list)
        for phrasing in phrasings:
            self._by_key[_key(phrasing.text)].append(phrasing)
        self._keys = tuple(self._by_key)

    def meant(self, query: Query, asker: int | None) -> list[LearnedPhrasing]:
        """Return the phrasings in the question's words that count for whoever asks.

        What they taught themselves goes before what others did, and what a helper kept before
        what members agree upon.
        """
        said = [p for key in self._same_as(query) for p in self._by_key[key]]
        own = [p for p in said if asker is not None and asker in p.teachers]
        confirmed = [p for p in said if p.confirmed]
        return own or [p for p in confirmed if p.kept] or confirmed

    def _same_as(self, query: Query) -> list[str]:
        """Return the wordings that a question is in: the very same, or else those near by slips."""
        key = _key(query.spoken)
        if key in self._by_key or not key:
            return [key] if key else []
        near = process.extract(
            key, self._keys, scorer=OSA.distance, score_cutoff=MAX_SLIPS, limit=None
        )
        return [other for other, _, _ in near if _differs_by_slips(key, other, query)]


def _key(text: str) -> str:
    said = words(text)
    return " ".join([word for word in said if word not in ASIDE] or said)


def _differs_by_slips(one: str, other: str, query: Query) -> bool:
    ours, theirs = one.split(), other.split()
    if len(ours) != len(theirs):
        return False
    return all(a == b or _is_slip(a, b, query) for a, b in zip(ours, theirs, strict=True))


def _is_slip(one: str, other: str, query: Query) -> bool:
    """Return whether two words are one, written wrongly: not if the library has both.

    Nor if they begin differently, as slips hardly ever do and other names often ("Gambia",
    "Zambia"), nor where a digit differs.
    """
    shorter = min(len(one), len(other))
    if shorter < MIN_SLIP_LENGTH or one[0] != other[0] or not (one.isalpha() and other.isalpha()):
        return False
    if all(query.idf.doc_freq(stems(word)[0]) for word in (one, other)):
        return False
    return OSA.distance(one, other) <= (2 if shorter >= TWO_SLIPS_LENGTH else 1)
