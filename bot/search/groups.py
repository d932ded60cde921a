"""Groups of candidates that have one answer: their evidence counts together."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from bot.search.documents import Hit

POOL = 0.06
"""The temperature at which the evidence of a group's members is pooled: as much evidence twice
counts ``POOL * ln 2`` more."""


def group_numbers(hits: Sequence[Hit]) -> list[int]:
    """Return for each candidate the number of its group, which is the place of its first member.

    Threads belong together that have the same answers, or of which one has the other's title
    as a phrasing, as the thread that a question was closed for has.
    """
    numbers = list(range(len(hits)))
    first: dict[str, int] = {}
    titles: dict[tuple[str, ...], int] = {}
    for place, hit in enumerate(hits):
        if stems := hit.names[0].stems:
            titles.setdefault(stems, place)
        if hit.answers:
            _join(numbers, first.setdefault(hit.answers, place), place)
    for place, hit in enumerate(hits):
        for name in hit.names[1:]:
            if name.stems in titles:
                _join(numbers, titles[name.stems], place)
    return [_root(numbers, place) for place in range(len(hits))]


def outside_group_of(thread_id: int, hits: Sequence[Hit]) -> list[tuple[int, Hit]]:
    """Return the candidates that are not of a thread's group, with the numbers of theirs."""
    numbered = [*zip(group_numbers(hits), hits, strict=True)]
    own = {number for number, hit in numbered if hit.thread_id == thread_id}
    return [(number, hit) for number, hit in numbered if number not in own]


def _join(numbers: list[int], one: int, other: int) -> None:
    low, high = sorted((_root(numbers, one), _root(numbers, other)))
    numbers[high] = low


def _root(numbers: list[int], place: int) -> int:
    while numbers[place] != place:
        numbers[place] = place = numbers[numbers[place]]
    return place


def pooled(evidence: Sequence[float], pool: float = POOL) -> float:
    """Return the evidence of a group's members as one: the log of the sum of their odds."""
    most = max(evidence)
    return most + pool * log(sum(exp((one - most) / pool) for one in evidence))
