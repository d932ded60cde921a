"""Reading all words of a text index in pieces, so that no single step holds the interpreter.

tantivy walks its dictionary without Python's global lock, but the list that it returns is
made under it: 300,000 words in one call stop every other thread for some 70 ms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from tantivy import Searcher

PIECE = 20_000
"""Words that are taken in one call, which holds the interpreter for some 5 ms."""

Count = tuple[str, int]


def is_small(searcher: Searcher, field: str) -> bool:
    """Return whether one call may return all words of a field."""
    return len(_beginning(searcher, field, "")) < PIECE


def counted(searcher: Searcher, field: str) -> Iterator[list[Count]]:
    """Yield the words of a field with their document frequencies, piece by piece.

    The pieces are in the order of the words' beginnings. Of a large index's words, those
    are missing that begin with an ideograph outside the Basic Multilingual Plane.
    """
    begun = {letter: _beginning(searcher, field, letter) for letter in _letters()}
    begun = {letter: found for letter, found in begun.items() if found}
    seen = {c for found in begun.values() for word, _ in found for c in word}
    alphabet = sorted(
        seen.union(*map(_letters_of, {_script(c) for c in seen} | {"LATIN", "DIGIT"}))
    )
    for letter, found in begun.items():
        yield from _under(searcher, field, letter, found, alphabet)


def _under(
    searcher: Searcher, field: str, prefix: str, found: list[Count], alphabet: Sequence[str]
) -> Iterator[list[Count]]:
    """Yield the words with a beginning, of which the most used were ``found``."""
    if len(found) < PIECE:
        yield found
        return
    if own := searcher.doc_freq(field, prefix):
        yield [(prefix, own)]
    for letter in alphabet:
        if more := _beginning(searcher, field, prefix + letter):
            yield from _under(searcher, field, prefix + letter, more, alphabet)


def _beginning(searcher: Searcher, field: str, prefix: str) -> list[Count]:
    """Return the most used words with this beginning, at most ``PIECE`` of them."""
    return searcher.terms_with_prefix(field, prefix, limit=PIECE)


def _script(letter: str) -> str:
    """Return the first word of a character's name in Unicode, which for letters is their script."""
    return unicodedata.name(letter, "").partition(" ")[0]


@cache
def _letters_of(script: str) -> frozenset[str]:
    """Return all characters of a script that may stand within a word in small letters."""
    known = (c for c in map(chr, range(0x20000)) if _script(c) == script and c == c.lower())
    return frozenset(c for c in known if unicodedata.category(c)[0] in "LNM")


@cache
def _letters() -> tuple[str, ...]:
    """Return all characters with which a word in small letters may begin, but for rare
    ideographs.
    """
    known = map(chr, range(0x20000))
    return tuple(c for c in known if unicodedata.category(c)[0] in "LN" and c == c.lower())
