"""Matching the answers of a thread's new version with those of the old, so that votes survive."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
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
    """Return for each new answer the known one that it replaces, or ``None``.

    First by source key, then by equal body, then by similar body among answers
    that no key names, unless there are very many; each known answer is used once.
    """
    paired: list[Known | None] = [None] * len(new)
    free = _Free(known)

    def match_all(like: Callable[[Answer], Known | None]) -> None:
        for position, answer in enumerate(new):
            if paired[position] is None:
                paired[position] = like(answer)

    match_all(free.with_key)
    match_all(free.with_body)
    if len(free) * paired.count(None) <= MOST:
        match_all(free.alike)
    return paired


class _Free:
    """Known answers that no new one replaces yet.

    A thread may have thousands with one body, or one key: those that are used are not
    looked at again.
    """

    def __init__(self, known: Sequence[Known]):
        self._free = {k.id: k for k in known}
        self._by_key = defaultdict[str, deque[Known]](deque)
        self._by_body = defaultdict[str, deque[Known]](deque)
        self._nameless = defaultdict[str, deque[Known]](deque)
        for k in known:
            self._by_body[k.body].append(k)
            if k.key is None:
                self._nameless[k.body].append(k)
            else:
                self._by_key[k.key].append(k)

    def __len__(self) -> int:
        return len(self._free)

    def with_key(self, answer: Answer) -> Known | None:
        """Take the first that has the answer's key, if it has one."""
        return None if answer.key is None else self._first(self._by_key, answer.key)

    def with_body(self, answer: Answer) -> Known | None:
        """Take the first with the answer's body; not one of another key."""
        among = self._by_body if answer.key is None else self._nameless
        return self._first(among, answer.body)

    def alike(self, answer: Answer) -> Known | None:
        """Take the first with a body like the answer's; not one of another key."""
        candidates = (k for k in self._free.values() if k.key is None or answer.key is None)
        found = next((k for k in candidates if _alike(k, answer)), None)
        return None if found is None else self._free.pop(found.id)

    def _first(self, among: Mapping[str, deque[Known]], name: str) -> Known | None:
        waiting = among.get(name, _NONE)
        while waiting:
            found = waiting.popleft()
            if self._free.pop(found.id, None) is not None:
                return found
        return None


_NONE: deque[Known] = deque()


def _alike(known: Known, answer: Answer) -> bool:
    old, new = known.body[:_COMPARED], answer.body[:_COMPARED]
    return fuzz.ratio(old, new, score_cutoff=SAME_TEXT) > 0
