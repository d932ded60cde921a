"""Reading all words of a text index in pieces, so that no single step holds the interpreter.

tantivy walks its dictionary without Python's global lock, but the list that it returns is
made under it: 300,000 words in one call stop every other thread for some 70 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_lowercase, digits

from tantivy import Searcher

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
