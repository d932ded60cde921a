"""Links, code and escapes in Discord's Markdown, found in time linear in the text's length.

A regular expression for ``[label](address)`` reads the rest of a label again at each
bracket. Here brackets are paired in one pass, and the expressions are such that what
one of them has passed over in vain is not passed over again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST_LABEL = 2_000

FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)

_BRACKET = re.compile(r"\\.|[\[\]\n]")
_ADDRESS = re.compile(r"\(<?[^\s\[]{1,4000}?\)")
_UNBROKEN = re.compile(  # what must not be cut in two, beside links with a label
    r"\\[^\w\s]"  # an escaped character
    r"|https?://[^\s<>`\[\]]++"
    r"|<[^<>\s][^<>\n]{0,4000}+>"  # <address>, mention, custom emoji, timestamp
    r"|`++[^`\n]{0,1000}+`++"
    r"|`++"
)
_MARKED = re.compile(  # bold, spoiler and such; what is passed over before it holds no marks
    r"\\.|`[^`\n]+`|https?://[^\s<>]+"
    r"|(\*\*|\|\||~~|__|\*)(?=\S)(?:[^\n\\`]|\\.|`[^`\n]+`)+?\1"
)


class Span(NamedTuple):
    """A stretch of a text; of a link with a label, ``label_end`` is behind its bracket."""

    start: int
    end: int
    label_end: int = 0

    def label(self, text: str) -> str:
        """What stands in the brackets; empty without any."""
        return text[self.start + 1 : self.label_end - 1] if self.label_end else ""


def unbroken(text: str) -> Iterator[Span]:
    """What must not be cut in two: links, addresses, mentions, code, escapes; in order."""
    return spans(text, _ADDRESS, _UNBROKEN)


def spans(text: str, address: re.Pattern[str], other: re.Pattern[str]) -> Iterator[Span]:
    """Links whose address fits the one pattern, and what fits the other, the first ones first.

    Where two overlap, the one that begins first is meant.
    """
    at, found = 0, other.search(text)
    for link in _links(text, address):
        while found is not None and found.start() < link.start:
            if found.start() >= at:
                yield Span(*found.span())
                at = max(found.end(), at + 1)
            found = other.search(text, at)
        if link.start >= at:
            yield link
            at = link.end
    while found is not None:
        if found.start() >= at:
            yield Span(*found.span())
            at = max(found.end(), at + 1)
        found = other.search(text, at)


def marks_around(text: str, at: int) -> str:
    """The mark of the bold text, spoiler or such that a cut goes through, if it does."""
    line = text.rfind("\n", 0, at) + 1
    for marked in _MARKED.finditer(text, line, at + 2_000):
        if marked.end() > at:
            return (marked[1] or "") if marked.start() < at else ""
    return ""


def _links(text: str, address: re.Pattern[str]) -> Iterator[Span]:
    for start, end in _labels(text):
        if found := address.match(text, end):
            yield Span(start, found.end(), end)


def _labels(text: str) -> Iterator[tuple[int, int]]:
    """Where brackets on one line begin and end that hold something, but no brackets."""
    opened = -1
    for token in _BRACKET.finditer(text):
        sign = token[0]
        if sign == "]" and opened >= 0 and 1 <= token.start() - opened - 1 <= LONGEST_LABEL:
            yield opened, token.end()
        if len(sign) == 1:
            opened = token.start() if sign == "[" else -1
