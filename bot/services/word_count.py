"""Estimates of how many different words texts have, in 4 kB (HyperLogLog).

Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm",
2007, with 2**12 registers: the standard error is 1.6 %, and two counts can be joined. Hashes
depend on a key that members don't know, or somebody could make up words that don't count.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from math import log

from bot.models import Thread
from bot.search.documents import MAX_TEXT
from bot.search.text import words

_BITS = 12
_REGISTERS = 1 << _BITS
_SCALE = 0.7213 / (1 + 1.079 / _REGISTERS)  # alpha_m of the paper, for m >= 128
_RANKED = 64 - _BITS

_REMEMBERED = 50_000
"""Words kept as already counted: most come again and again, and a hash takes a while."""


class WordCount:
    """Counts the different words of texts, as the index tokenizes them."""

    def __init__(self, key: str, kept: str = ""):
        """Begin with nothing, or with what ``kept`` gave; ``key`` is the one it had then."""
        self._key = key.encode()[:64]
        self._registers = bytearray(base64.b64decode(kept)) or bytearray(_REGISTERS)
        self._counted: set[str] = set()

    @property
    def kept(self) -> str:
        """Return the registers as text, from which counting can go on."""
        return base64.b64encode(self._registers).decode()

    @property
    def words(self) -> int:
        """Return the estimate; small counts are corrected as in the paper (linear counting)."""
        unused = self._registers.count(0)
        found = _SCALE * _REGISTERS**2 / sum(2.0**-rank for rank in self._registers)
        if found <= 2.5 * _REGISTERS and unused:
            found = _REGISTERS * log(_REGISTERS / unused)
        return round(found)

    def add(self, texts: Iterable[str]) -> None:
        """Count the words of some texts."""
        for text in texts:
            new = set(words(text)) - self._counted
            for word in new:
                self._count(word)
            if len(self._counted) < _REMEMBERED:
                self._counted |= new

    def with_(self, other: WordCount) -> WordCount:
        """Return the count of the words that are here or in ``other``."""
        joined = WordCount(self._key.decode())
        pairs = zip(self._registers, other._registers, strict=True)
        joined._registers[:] = bytes(max(pair) for pair in pairs)
        return joined

    def _count(self, word: str) -> None:
        digest = hashlib.blake2b(word.encode(), digest_size=8, key=self._key).digest()
        number = int.from_bytes(digest)
        rank = _RANKED - (number >> _BITS).bit_length() + 1
        register = number & (_REGISTERS - 1)
        if rank > self._registers[register]:
            self._registers[register] = rank


def texts_of(thread: Thread) -> Iterator[str]:
    """Yield the texts of a thread that are indexed."""
    yield from (thread.title, *thread.phrasings, *thread.tags, thread.body[:MAX_TEXT])
    yield from (answer.body[:MAX_TEXT] for answer in thread.answers)
