"""Which answer of a thread's new version is which of the old: so that votes survive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.models import Answer

SAME_TEXT = 60.0
"""``fuzz.ratio`` (0-100) from which two bodies count as one answer, edited."""

_COMPARED = 4_000  # characters; enough to know a text by, and quick for long ones


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that the library has: its id and what tells it apart."""

    id: int
    key: str | None
    body: str


def pair(known: Sequence[Known], new: Sequence[Answer]) -> list[Known | None]:
    """For each new answer the known one that it replaces, or ``None``.

    First by source key, then by equal body, then by similar body among answers
    that no key names; each known answer is used once.
    """
    paired: list[Known | None] = [None] * len(new)
    free = list(known)

    def match_all(same: Callable[[Known, Answer], bool]) -> None:
        for position, answer in enumerate(new):
            if paired[position] is None:
                found = next((k for k in free if same(k, answer)), None)
                if found is not None:
                    paired[position] = found
                    free.remove(found)

    if known:
        match_all(lambda k, a: a.key is not None and k.key == a.key)
        match_all(lambda k, a: _nameless(k, a) and k.body == a.body)
        match_all(lambda k, a: _nameless(k, a) and _alike(k.body, a.body))
    return paired


def _nameless(known: Known, answer: Answer) -> bool:
    return known.key is None or answer.key is None


def _alike(old: str, new: str) -> bool:
    return fuzz.ratio(old[:_COMPARED], new[:_COMPARED], score_cutoff=SAME_TEXT) > 0
