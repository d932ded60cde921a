"""The words that one server's questions are read by: the shared library's and its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import nlargest

from bot.search.vocabulary import Repair, Vocabulary, _range


class JoinedVocabulary(Vocabulary):
    """Two vocabularies as if all their threads were in one library; nothing is copied.

    ``own`` should be the smaller one: of it, every word with a beginning is looked at.
    """

    def __init__(self, shared: Vocabulary, own: Vocabulary):
        self._shared, self._own = shared, own
        self._count = _Sums(shared._count, own._count)
        self._repaired = {}

    def starting_with(self, prefix: str, limit: int) -> list[str]:
        """The most used words with this beginning."""
        # A word that isn't among the most used of the shared ones can only be if it is an own.
        shared = self._shared.starting_with(prefix, limit)
        candidates = sorted({*shared, *_range(self._own._forward, prefix)})
        return nlargest(limit, candidates, key=self._count.__getitem__)

    def _within(self, word: str, slips: int, anchor: int) -> list[Repair]:
        shared = self._shared._within(word, slips, anchor)
        return list(dict.fromkeys(shared + self._own._within(word, slips, anchor)))


class _Sums(Mapping[str, int]):
    """How many threads use a word, in both."""

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
