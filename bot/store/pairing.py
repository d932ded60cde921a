"""Which answer of a thread's new version is which of the old: so that votes survive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.models import Answer

SAME_TEXT = 60.0
"""``fuzz.ratio`` (0-100) from which two bodies count as one answer, edited."""

_COMPARED = 2_000  # characters; enough to know a text by, and quick for long ones

MOST = 400
"""Pairs of bodies of one thread that are compared, up to 0.1 ms each: twenty answers that were
all edited at once. A file could bring a thousand, and everybody would wait."""


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that the library has: its id and what tells it apart."""

    id: int
    key: str | None
    body: str


def pair(known: Sequence[Known], new: Sequence[Answer]) -> list[Known | None]:
    """For each new answer the known one that it replaces, or ``None``.

    First by source key, then by equal body, then by similar body among answers
    that no key names, unless there are very many; each known answer is used once.
    """
    paired: list[Known | None] = [None] * len(new)
    free = {k.id: k for k in known}
    by_key, by_body = defaultdict[str, list[Known]](list), defaultdict[str, list[Known]](list)
    for k in known:
        by_body[k.body].append(k)
        if k.key is not None:
            by_key[k.key].append(k)

    def match_all(like: Callable[[Answer], Iterable[Known]]) -> None:
        for position, answer in enumerate(new):
            if paired[position] is None:
                found = next((k for k in like(answer) if k.id in free), None)
                if found is not None:
                    paired[position] = free.pop(found.id)

    match_all(lambda a: by_key.get(a.key, ()) if a.key is not None else ())
    match_all(lambda a: (k for k in by_body.get(a.body, ()) if _nameless(k, a)))
    if len(free) * paired.count(None) <= MOST:
        match_all(lambda a: (k for k in free.values() if _nameless(k, a) and _alike(k, a)))
    return paired


def _nameless(known: Known, answer: Answer) -> bool:
    return known.key is None or answer.key is None


def _alike(known: Known, answer: Answer) -> bool:
    old, new = known.body[:_COMPARED], answer.body[:_COMPARED]
    return fuzz.ratio(old, new, score_cutoff=SAME_TEXT) > 0
