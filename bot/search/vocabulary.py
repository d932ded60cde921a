"""The words of a library: read from its index, and what misspelt words are repaired to."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from math import ceil, log
from string import ascii_lowercase, digits

from rapidfuzz import process
from rapidfuzz.distance import OSA
from tantivy import Searcher

MIN_LENGTH = 4
"""Letters from which a word is repaired; shorter ones are too close to too many."""

TWO_EDITS_LENGTH = 7
"""Letters from which two slips in a word are repaired."""

MIN_JOINED_LENGTH = 6
"""Letters from which a word may be two run together, each of ``MIN_PART_LENGTH`` or more."""

MIN_PART_LENGTH = 2

MIN_PREFIX_LENGTH = 4
"""Letters from which an unknown word may be the beginning of longer ones."""

MIN_STEM_LENGTH, MIN_STEM_SHARE = 5, 0.6
"""Letters, and the share of the longer word, that two forms of a word must begin with alike. Words
cut to five letters are good stems for Turkish (Can et al. 2008)."""

MAX_REPAIRS = 24
"""Words that one may stand for, at most."""

MAX_CACHED = 10_000
"""Words whose repairs are kept, for when they come again."""

MAX_WORDS = 400_000
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
        self._forward = _sorted_in_parts(self._count)
        self._backward = _sorted_in_parts(word[::-1] for word in self._count)

    def __len__(self) -> int:
        return len(self._count)

    def __contains__(self, word: str) -> bool:
        return word in self._count

    def starting_with(self, prefix: str, limit: int) -> list[str]:
        """Return the most used words with this beginning."""
        return nlargest(limit, _range(self._forward, prefix), key=self._count.__getitem__)

    def repairs(self, word: str, limit: int = 3) -> list[Repair]:
        """Return the words that ``word`` most likely stands for, likeliest first; maybe none."""
        found = self._repaired.get(word)
        if found is None:
            found = self._repairs(word)
            if len(self._repaired) >= MAX_CACHED:
                self._repaired.clear()
            self._repaired[word] = found
        return found[:limit]

    def parts(self, word: str) -> tuple[str, str] | None:
        """Return the two words of the library that an unknown one was run together from.

        None where it is rather one word with a slip. Of several ways to part it, that
        whose rarer word is the most used.
        """
        if len(word) < MIN_JOINED_LENGTH or not word.isalpha() or word in self._count:
            return None
        cuts = [
            (word[:at], word[at:]) for at in range(MIN_PART_LENGTH, len(word) - MIN_PART_LENGTH + 1)
        ]
        there = [cut for cut in cuts if cut[0] in self._count and cut[1] in self._count]
        if not there or any(repair.distance == 1 for repair in self.repairs(word)):
            return None
        return max(there, key=lambda cut: min(self._count[part] for part in cut))

    def completions_of(self, word: str) -> list[str]:
        """Return the most used words of which an unknown one may be the beginning."""
        return (
            self.starting_with(word, 3) if len(word) >= MIN_PREFIX_LENGTH and word.isalpha() else []
        )

    def inflections_of(self, word: str) -> list[str]:
        """Return the most used words that begin as an unknown one does, and end otherwise.

        So languages do that join endings to their words, of which the stemmer knows nothing.
        """
        shared = max(MIN_STEM_LENGTH, ceil(MIN_STEM_SHARE * len(word)))
        if len(word) < MIN_STEM_LENGTH or not word.isalpha():
            return []
        longest = len(word[:shared]) / MIN_STEM_SHARE
        return [w for w in self.starting_with(word[:shared], 6) if len(w) <= longest][:3]

    def _repairs(self, word: str) -> list[Repair]:
        if len(word) < MIN_LENGTH or not word.isalpha():
            return []
        found = self._within_distance(word, 1, anchor=(len(word) - 1) // 2)
        if not found and len(word) >= TWO_EDITS_LENGTH:
            found = self._within_distance(word, 2, anchor=len(word) // 3)
        # Words of the same cost are in order of the alphabet: a set has them in any order.
        return nsmallest(MAX_REPAIRS, found, key=lambda r: (self._cost(word, r), r.word))

    def _within_distance(self, word: str, distance: int, anchor: int) -> list[Repair]:
        near = {*_range(self._forward, word[:anchor])}
        near.update(w[::-1] for w in _range(self._backward, word[::-1][:anchor]))
        near.discard(word)
        sized = [w for w in near if abs(len(w) - len(word)) <= distance]
        scored = process.extract_iter(word, sized, scorer=OSA.distance, score_cutoff=distance)
        return [Repair(other, int(distance)) for other, distance, _ in scored]

    def _cost(self, word: str, repair: Repair) -> float:
        """Return what a repair costs: slips most, then a wrong first letter, then rarity."""
        first = 0.5 * (repair.word[0] != word[0])
        return 4.0 * repair.distance + first - 0.5 * log(self._count[repair.word])


def _range(words: list[str], prefix: str) -> Iterator[str]:
    start, end = bisect_left(words, prefix), bisect_left(words, prefix + _LAST)
    return iter(words[start:end])


def _most_used(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the words with their counts.

    Without those used once if they are more than MAX_WORDS.
    """
    kept: dict[str, int] = {}
    least = 0
    for word, n in counts:
        if n > least:
            kept[word] = n
            if len(kept) > MAX_WORDS and not least:
                least = 1
                kept = {word: n for word, n in kept.items() if n > least}
    return kept


def _sorted_in_parts(words: Iterable[str], shared: int = 0) -> list[str]:
    """Return the words sorted, a part at a time.

    All of them begin with the same ``shared`` letters.

    ``sorted`` would hold the interpreter until it is through with all of them.
    """
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        parts[word[shared : shared + 1]].append(word)
    ordered: list[str] = []
    for beginning in sorted(parts):
        part = parts.pop(beginning)
        if len(part) > SORTED_AT_ONCE:
            part = _sorted_in_parts(part, shared + 1)
        else:
            _sort(part)
        ordered += part
    return ordered


def _sort(part: list[str]) -> None:
    """Sort a part in one call, which no other thread can interrupt."""
    part.sort()


class JoinedVocabulary(Vocabulary):
    """Two vocabularies as if all their threads were in one library; nothing is copied.

    ``own`` should be the smaller one: of it, every word with a beginning is looked at.
    """

    def __init__(self, shared: Vocabulary, own: Vocabulary):
        self._shared, self._own = shared, own
        self._count = _Sums(shared._count, own._count)
        self._repaired = {}

    def starting_with(self, prefix: str, limit: int) -> list[str]:
        """Return the most used words with this beginning."""
        # A word that isn't among the most used of the shared ones can only be if it is an own.
        shared = self._shared.starting_with(prefix, limit)
        candidates = sorted({*shared, *_range(self._own._forward, prefix)})
        return nlargest(limit, candidates, key=self._count.__getitem__)

    def _within_distance(self, word: str, distance: int, anchor: int) -> list[Repair]:
        shared = self._shared._within_distance(word, distance, anchor)
        return list(dict.fromkeys(shared + self._own._within_distance(word, distance, anchor)))


class _Sums(Mapping[str, int]):
    """The number of threads that use a word, in both."""

    def __init__(self, one: Mapping[str, int], other: Mapping[str, int]):
        self._one, self._other = one, other

    def __getitem__(self, word: str) -> int:
        count = self._one.get(word, 0) + self._other.get(word, 0)
        if not count:
            raise KeyError(word)
        return count

    def __contains__(self, word: object) -> bool:
        return word in self._one or word in self._other

    def __iter__(self) -> Iterator[str]:
        yield from self._one
        yield from (word for word in self._other if word not in self._one)

    def __len__(self) -> int:
        return len(self._one) + sum(word not in self._one for word in self._other)


PIECE = 20_000
"""Words that are taken in one call, which holds the interpreter for some 5 ms."""

Count = tuple[str, int]
"""A word, and how many threads use it."""


def counted(
    searcher: Searcher, prefix: str = "", alphabet: Sequence[str] = ()
) -> Iterator[list[Count]]:
    """Yield all words with a prefix and their document frequencies, piece by piece.

    ``alphabet`` are the characters that a word may have, if they were looked up already.
    """
    if len(found := _beginning(searcher, prefix)) < PIECE:
        yield found
        return
    del found  # tens of thousands of words at each of up to 80 levels
    if prefix and (own := searcher.doc_freq("words", prefix)):
        yield [(prefix, own)]
    alphabet = alphabet or _alphabet(searcher)
    for letter in alphabet:
        yield from counted(searcher, prefix + letter, alphabet)


def _beginning(searcher: Searcher, prefix: str) -> list[Count]:
    """Return the most used words with this prefix, at most ``PIECE`` of them."""
    return searcher.terms_with_prefix("words", prefix, limit=PIECE)


def _alphabet(searcher: Searcher) -> list[str]:
    """Return every character that a word may have: those of ASCII, and what was indexed."""
    indexed = searcher.terms_with_prefix("letters", "")
    return sorted({*ascii_lowercase, *digits}.union(*(letters for letters, _ in indexed)))
