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


def counted(searcher: Searcher) -> Iterator[list[Count]]:
    """Yield the words of all threads with their document frequencies, piece by piece."""
    found = _beginning(searcher, "")
    yield from _under(searcher, "", found, () if len(found) < PIECE else _alphabet(searcher))


def _under(
    searcher: Searcher, prefix: str, found: list[Count], alphabet: Sequence[str]
) -> Iterator[list[Count]]:
    """Yield the words with a beginning, of which the most used were ``found``."""
    if len(found) < PIECE:
        yield found
        return
    if prefix and (own := searcher.doc_freq("words", prefix)):
        yield [(prefix, own)]
    for letter in alphabet:
        if more := _beginning(searcher, prefix + letter):
            yield from _under(searcher, prefix + letter, more, alphabet)


def _beginning(searcher: Searcher, prefix: str) -> list[Count]:
    """The most used words with this beginning, at most ``PIECE`` of them."""
    return searcher.terms_with_prefix("words", prefix, limit=PIECE)


def _alphabet(searcher: Searcher) -> list[str]:
    """Return every character that a word may have: ASCII's, and those that were indexed."""
    indexed = searcher.terms_with_prefix("letters", "")
    return sorted({*ascii_lowercase, *digits}.union(*(letters for letters, _ in indexed)))
