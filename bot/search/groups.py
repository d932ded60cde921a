"""Groups of candidates that have one answer: their evidence counts together."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from math import exp, log

from bot.search.documents import Hit

POOL = 0.06
"""The temperature at which the evidence of a group's members is pooled: as much evidence twice
counts ``POOL * ln 2`` more."""


def group_numbers(hits: Sequence[Hit]) -> list[int]:
    """Return for each candidate the number of its group, which is the place of its first member.

    Threads belong together that have the same answers, or of which one is asked as another
    is: by its title or a phrasing, as duplicates are.
    """
    numbers = list(range(len(hits)))
    first: dict[Hashable, int] = {}
    for place, hit in enumerate(hits):
        for mark in _marks(hit):
            other = first.setdefault(mark, place)
            low, high = sorted((_root(numbers, other), _root(numbers, place)))
            numbers[high] = low
    return [_root(numbers, place) for place in range(len(hits))]


def _marks(hit: Hit) -> Iterator[Hashable]:
    if hit.answers:
        yield hit.answers
    for name in hit.names:
        if name.stems:
            yield name.stems


def _root(numbers: list[int], place: int) -> int:
    while numbers[place] != place:
        numbers[place] = place = numbers[numbers[place]]
    return place


def pooled(evidence: Sequence[float], pool: float = POOL) -> float:
    """Return the evidence of a group's members as one: the log of the sum of their odds."""
    most = max(evidence)
    return most + pool * log(sum(exp((one - most) / pool) for one in evidence))
