"""Discord's Markdown: its length, its links and code, and cutting it into pages that fit.

Everything here takes time linear in the text's length. A regular expression for
``[label](address)`` would read the rest of a label again at each bracket; here brackets are
paired in one pass, and what an expression has passed over without a match is not read again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, takewhile
from typing import NamedTuple

FENCE = "```"

WINDOW = 4
"""Multiple of a page's size that is read to find its end. Markdown that begins farther behind
a cut can't change where the cut is."""

LONGEST_LABEL = 2_000
"""Characters of a link's label, at most; a "[" farther before a "]" opens no link."""

_MARK_REACH = 2_000
"""Characters behind a cut in which the end of bold text or a spoiler is looked for."""

_LONGEST_CLUSTER = 32
"""Code points that one visible character is taken to have, at most, against endless marks."""

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
_OPENING = re.compile(r"```(?:[\w+\-.#]{0,20}\n)?")
_CLOSING = re.compile(r"\s*```")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？]|\n")
_PARAGRAPH = re.compile(r"\n\s*\n")
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\s*\n")


def width(text: str) -> int:
    """Return the length that Discord may count for a text, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def prefix(text: str, limit: int) -> str:
    """Return the longest beginning within ``limit`` that ends between two graphemes."""
    if width(text[:limit]) <= limit:
        return text[: grapheme(text, min(limit, len(text)))]
    room, at = limit, 0
    while room >= (step := 2 if text[at] > "\uffff" else 1):
        room -= step
        at += 1
    return text[: grapheme(text, at)]


def grapheme(text: str, at: int) -> int:
    """Return the nearest place at or before ``at`` that divides no visible character."""
    start = at
    while 0 < at < len(text) and start - at < _LONGEST_CLUSTER and _joined(text[at - 1], text[at]):
        at -= 1
    return at if at > 0 and start - at < _LONGEST_CLUSTER else start


def _joined(before: str, after: str) -> bool:
    return (
        before == "\u200d"
        or after in "\u200d\ufe0e\ufe0f\u20e3"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or unicodedata.category(after) in ("Mn", "Mc", "Me")
    )


class Span(NamedTuple):
    """A range of a text; for a link with a label, ``label_end`` is behind its bracket."""

    start: int
    end: int
    label_end: int = 0

    def label(self, text: str) -> str:
        """Return what stands in the brackets; empty without any."""
        return text[self.start + 1 : self.label_end - 1] if self.label_end else ""


def spans(text: str, address: re.Pattern[str], other: re.Pattern[str]) -> Iterator[Span]:
    """Yield links whose address matches ``address``, and matches of ``other``, in order.

    Where two overlap, the one that begins first is yielded.
    """
    at, match = 0, other.search(text)
    for link in _links(text, address):
        while match is not None and match.start() < link.start:
            if match.start() >= at:
                yield Span(*match.span())
                at = max(match.end(), at + 1)
            match = other.search(text, at)
        if link.start >= at:
            yield link
            at = link.end
    while match is not None:
        if match.start() >= at:
            yield Span(*match.span())
            at = max(match.end(), at + 1)
        match = other.search(text, at)


def _links(text: str, address: re.Pattern[str]) -> Iterator[Span]:
    for start, end in _labels(text):
        if match := address.match(text, end):
            yield Span(start, match.end(), end)


def _labels(text: str) -> Iterator[tuple[int, int]]:
    """Yield the bounds of brackets on one line that hold something, but no brackets."""
    opened = -1
    for token in _BRACKET.finditer(text):
        sign = token[0]
        if sign == "]" and opened >= 0 and 1 <= token.start() - opened - 1 <= LONGEST_LABEL:
            yield opened, token.end()
        if len(sign) == 1:
            opened = token.start() if sign == "[" else -1


def pages(text: str, limit: int) -> Iterator[str]:
    """Yield the whole text in pages of at most ``limit``; a fence or mark cut in two is reopened.

    Nothing is yielded for an empty text. ``limit`` is at least 100: less has no room for a fence.
    """
    at, reopened, size = 0, "", limit * WINDOW
    while True:
        window = reopened + text[at : at + size]
        if at + size >= len(text) and width(window) <= limit:
            if window:
                yield window
            return
        cut = _split(window, limit)
        if cut.head:
            yield cut.head
        at += max(0, cut.end - len(reopened))
        if cut.skips_blank_lines:
            at = _after_blank_lines(text, at)
        reopened = cut.reopening


class _Cut(NamedTuple):
    """A cut in a text: the page before, what reopens its marks, where the text goes on."""

    head: str
    reopening: str
    end: int
    skips_blank_lines: bool


def _split(text: str, limit: int) -> _Cut:
    """Cut a text at the best place within ``limit``."""
    end = len(prefix(text, limit))
    before = takewhile(lambda fence: fence.start() < end, FENCED.finditer(text))
    fences = [fence.span() for fence in before]
    if fences and fences[-1][1] > end:
        start = fences[-1][0]
        if start < end * 2 // 5:
            return _split_fence(text, start, limit)
        return _Cut(text[:start].rstrip(), "", start, False)
    at = _best_place(text, end, fences)
    marks = _marks_around(text, at)
    if marks:
        at = _best_place(text, len(prefix(text, limit - len(marks))), fences)
        # A tiny first part would be all marks, and what is left as long as before.
        marks = _marks_around(text, at) if at > limit // 4 else ""
    return _Cut(text[:at].rstrip() + marks, marks, at, True)


def _split_fence(text: str, start: int, limit: int) -> _Cut:
    """Cut inside a code block that is too long for one page, at the end of a line."""
    match = _OPENING.match(text, start)
    opening = match[0] if match else FENCE
    first = start + len(opening)
    room = limit - len(FENCE) - 1
    end = max(len(prefix(text, room)), first + 1)
    line = text.rfind("\n", first + 1, end)
    at = line if line > first else _off_backticks(text, grapheme(text, end), first + 1)
    head = text[:at] + "\n" + FENCE
    if closing := _CLOSING.match(text, at):
        return _Cut(head, "", closing.end(), False)
    return _Cut(head, opening, at + text.startswith("\n", at), False)


def _best_place(text: str, end: int, fences: list[tuple[int, int]]) -> int:
    """Return where to cut at or before ``end``: after a paragraph, sentence or word."""
    inside = bytearray(end + 1)  # places at which something would be cut in two
    for start, stop, *_ in chain(fences, spans(text[: end * 2], _ADDRESS, _UNBROKEN)):
        cut = range(start + 1, min(stop, end + 1))
        inside[cut.start : cut.stop] = b"\1" * len(cut)

    def last(places: list[int], least: int) -> int:
        return next((at for at in reversed(places) if at >= least and not inside[at]), 0)

    paragraphs = [m.start() for m in _PARAGRAPH.finditer(text, 0, end)]
    matches = _SENTENCE.finditer(text, 0, end)
    sentences = [m.end() if m[0] != "\n" else m.start() for m in matches]
    words = [m.start() for m in _SPACES.finditer(text, 0, end)]
    at = last(paragraphs, end // 2) or last(sentences, end * 2 // 5) or last(words, 1)
    if at:
        return at
    at = grapheme(text, end)
    while at > 0 and inside[at]:
        at -= 1
    return at if at >= 1 else end


def _marks_around(text: str, at: int) -> str:
    """Return the mark of the bold text, spoiler or such that a cut goes through, if it does."""
    line = text.rfind("\n", 0, at) + 1
    for marked in _MARKED.finditer(text, line, at + _MARK_REACH):
        if marked.end() > at:
            return (marked[1] or "") if marked.start() < at else ""
    return ""


def _after_blank_lines(text: str, at: int) -> int:
    blank = _BLANK_LINES.match(text, at)
    at = blank.end() if blank else at
    return at + text.startswith(" ", at)


def _off_backticks(text: str, at: int, least: int) -> int:
    while at > least and text[at - 1] == "`":
        at -= 1
    return at
