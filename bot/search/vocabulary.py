"""The fuzzy eye: misspelt words repaired against the words that the library uses."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from math import log

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 4
"""Letters from which a word is repaired; shorter ones are too close to too many."""

TWO_SLIPS = 7
"""Letters from which two slips in a word are repaired."""

JOINED = 6
"""Letters from which a word may be two that were run together, each of ``PART`` or more."""

PART = 2

BEGINNING = 4
"""Letters from which an unknown word may be the beginning of longer ones."""

MOST_REPAIRS = 24
"""Words that one may stand for, at most."""

REMEMBERED = 10_000
"""Words whose repairs are kept, for when they come again."""

MOST_WORDS = 400_000
"""Words kept in memory; in a larger library those used only once are left out."""

SORTED_AT_ONCE = 10_000
"""Words that are sorted in one call, which holds the interpreter for some milliseconds."""

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Repair:
    """A word of the library that a misspelt one may stand for, ``distance`` slips away.

    A slip is a letter too many, missing, wrong, or two neighbours swapped.
    """

    word: str
    distance: int


class Vocabulary:
    """The library's words with the number of threads that use each.

    Lookups touch only words that share a beginning or an end with what they are
    asked for: a single slip leaves one half of a word whole. Building one from many words
    takes a while, but no step of it keeps other threads waiting for long.
    """

    def __init__(self, counts: Iterable[tuple[str, int]] = ()):
        self._count: Mapping[str, int] = _most_used(counts)
        self._repaired: dict[str, list[Repair]] = {}
        self._forward = _in_order(self._count)
        self._backward = _in_order(word[::-1] for word in self._count)

    def __len__(self) -> int:
        return len(self._count)

    def __contains__(self, word: str) -> bool:
        return word in self._count

    def starting_with(self, prefix: str, limit: int) -> list[str]:
        """The most used words with this beginning."""
        return nlargest(limit, _range(self._forward, prefix), key=self._count.__getitem__)

    def repairs(self, word: str, limit: int = 3) -> list[Repair]:
        """The words that ``word`` most likely stands for, likeliest first; maybe none."""
        found = self._repaired.get(word)
        if found is None:
            found = self._repairs(word)
            if len(self._repaired) >= REMEMBERED:
                self._repaired.clear()
            self._repaired[word] = found
        return found[:limit]

    def parts(self, word: str) -> tuple[str, str] | None:
        """The two words of the library that an unknown one was run together from.

        None where it is rather one word with a slip. Of several ways to part it, that
        whose rarer word is the most used.
        """
        if len(word) < JOINED or not word.isalpha() or word in self._count:
            return None
        cuts = [(word[:at], word[at:]) for at in range(PART, len(word) - PART + 1)]
        there = [cut for cut in cuts if cut[0] in self._count and cut[1] in self._count]
        if not there or any(repair.distance == 1 for repair in self.repairs(word)):
            return None
        return max(there, key=lambda cut: min(self._count[part] for part in cut))

    def begun_by(self, word: str) -> list[str]:
        """The most used words of which an unknown one may be the beginning."""
        return self.starting_with(word, 3) if len(word) >= BEGINNING and word.isalpha() else []

    def _repairs(self, word: str) -> list[Repair]:
        if len(word) < SHORTEST or not word.isalpha():
            return []
        found = self._within(word, 1, anchor=(len(word) - 1) // 2)
        if not found and len(word) >= TWO_SLIPS:
            found = self._within(word, 2, anchor=len(word) // 3)
        # Words of the same cost are in order of the alphabet: a set has them in any order.
        return nsmallest(MOST_REPAIRS, found, key=lambda r: (self._cost(word, r), r.word))

    def _within(self, word: str, slips: int, anchor: int) -> list[Repair]:
        near = {*_range(self._forward, word[:anchor])}
        near.update(w[::-1] for w in _range(self._backward, word[::-1][:anchor]))
        near.discard(word)
        sized = [w for w in near if abs(len(w) - len(word)) <= slips]
        scored = process.extract_iter(word, sized, scorer=OSA.distance, score_cutoff=slips)
        return [Repair(other, int(distance)) for other, distance, _ in scored]

    def _cost(self, word: str, repair: Repair) -> float:
        """Slips weigh most; then a wrong first letter; then how rarely the word is used."""
        first = 0.5 * (repair.word[0] != word[0])
        return 4.0 * repair.distance + first - 0.5 * log(self._count[repair.word])


def _range(words: list[str], prefix: str) -> Iterator[str]:
    start, end = bisect_left(words, prefix), bisect_left(words, prefix + _LAST)
    return iter(words[start:end])


def _most_used(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The words with their counts; without those used once if they are more than MOST_WORDS."""
    kept: dict[str, int] = {}
    least = 0
    for word, n in counts:
        if n > least:
            kept[word] = n
            if len(kept) > MOST_WORDS and not least:
                least = 1
                kept = {word: n for word, n in kept.items() if n > least}
    return kept


def _in_order(words: Iterable[str], shared: int = 0) -> list[str]:
    """The words sorted, a part at a time; all of them begin with the same ``shared`` letters.

    ``sorted`` would hold the interpreter until it is through with all of them.
    """
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        parts[word[shared : shared + 1]].append(word)
    ordered: list[str] = []
    for beginning in sorted(parts):
        part = parts.pop(beginning)
        if len(part) > SORTED_AT_ONCE:
            part = _in_order(part, shared + 1)
        else:
            _sort(part)
        ordered += part
    return ordered


def _sort(part: list[str]) -> None:
    """Sort a part in one call, which no other thread can interrupt."""
    part.sort()
