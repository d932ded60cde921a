"""Reading all words of a text index in pieces, so that no single step holds the interpreter.

tantivy walks its dictionary without Python's global lock, but the list that it returns is
made under it: 300,000 words in one call stop every other thread for some 70 ms.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from tantivy import Searcher

PIECE = 20_000
"""Words that are taken in one call, which holds the interpreter for some 5 ms."""

Count = tuple[str, int]


def is_small(searcher: Searcher, field: str) -> bool:
    """Whether one call may return all words of a field."""
    return len(_beginning(searcher, field, "")) < PIECE


def counted(searcher: Searcher, field: str, prefix: str = "") -> Iterator[list[Count]]:
    """Yield the words of a field with their document frequencies, piece by piece.

    The pieces are in the order of the words' beginnings. Of a large index's words, those
    are missing that begin with an ideograph outside the Basic Multilingual Plane.
    """
    found = _beginning(searcher, field, prefix) if prefix else []
    if prefix and len(found) < PIECE:
        yield found
        return
    if own := searcher.doc_freq(field, prefix) if prefix else 0:
        yield [(prefix, own)]
    for letter in sorted(_next_letters(found, len(prefix))):
        more = _beginning(searcher, field, prefix + letter)
        if len(more) < PIECE:
            yield more
        else:
            yield from counted(searcher, field, prefix + letter)


def _beginning(searcher: Searcher, field: str, prefix: str) -> list[Count]:
    """The most used words with this beginning, at most ``PIECE`` of them."""
    return searcher.terms_with_prefix(field, prefix, limit=PIECE)


def _next_letters(found: Iterable[Count], place: int) -> set[str]:
    """The characters that may stand at a place in words of which some were found."""
    if place == 0:
        return set(_letters())
    return {*string.ascii_lowercase, *string.digits, *(w[place] for w, _ in found if w[place:])}


@cache
def _letters() -> tuple[str, ...]:
    """All characters with which a word in small letters may begin, but for rare ideographs."""
    known = map(chr, range(0x20000))
    return tuple(c for c in known if unicodedata.category(c)[0] in "LN" and c == c.lower())
