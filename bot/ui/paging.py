"""Markdown cut at good places into pieces that fit, in time linear in its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, takewhile

from bot.ui.markdown import FENCED, marks_around, unbroken
from bot.ui.measure import grapheme, prefix, width

FENCE = "```"

WINDOW = 4
"""How many times the size of a piece is looked at to find its end. What lies farther
behind a cut can't change where it is."""

_OPENING = re.compile(r"```(?:[\w+\-.#]{0,20}\n)?")
_CLOSING = re.compile(r"\s*```")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？]|\n")
_PARAGRAPH = re.compile(r"\n\s*\n")
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\s*\n")

Cut = tuple[str, str, int, bool]
"""The first piece, what the next one begins with, where in the text it goes on, and whether
blank lines there are left out."""


def pieces(text: str, limit: int) -> Iterator[str]:
    """The whole text in pieces of at most ``limit``; a fence or mark cut in two is reopened."""
    at, carried, size = 0, "", limit * WINDOW
    while True:
        window = carried + text[at : at + size]
        if at + size >= len(text) and width(window) <= limit:
            if window:
                yield window
            return
        head, again, end, between = _split(window, limit)
        if head:
            yield head
        at += max(0, end - len(carried))
        if between:
            at = _after_blank_lines(text, at)
        carried = again


def _after_blank_lines(text: str, at: int) -> int:
    blank = _BLANK_LINES.match(text, at)
    at = blank.end() if blank else at
    return at + text.startswith(" ", at)


def _split(text: str, limit: int) -> Cut:
    """Cut a text in two, the first part of which fits, at the best place there is."""
    end = len(prefix(text, limit))
    found = takewhile(lambda fence: fence.start() < end, FENCED.finditer(text))
    fences = [fence.span() for fence in found]
    if fences and fences[-1][1] > end:
        start = fences[-1][0]
        if start < end * 2 // 5:
            return _split_fence(text, start, limit)
        return text[:start].rstrip(), "", start, False
    at = _best_place(text, end, fences)
    marks = marks_around(text, at)
    if marks:
        at = _best_place(text, len(prefix(text, limit - len(marks))), fences)
        # A tiny first part would be all marks, and what is left as long as before.
        marks = marks_around(text, at) if at > limit // 4 else ""
    return text[:at].rstrip() + marks, marks, at, True


def _split_fence(text: str, start: int, limit: int) -> Cut:
    """Cut inside a code block that is too long for one piece, at the end of a line."""
    found = _OPENING.match(text, start)
    opening = found[0] if found else FENCE
    first = start + len(opening)
    room = limit - len(FENCE) - 1
    end = max(len(prefix(text, room)), first + 1)
    line = text.rfind("\n", first + 1, end)
    at = line if line > first else _off_backticks(text, grapheme(text, end), first + 1)
    head = text[:at] + "\n" + FENCE
    if closing := _CLOSING.match(text, at):
        return head, "", closing.end(), False
    return head, opening, at + text.startswith("\n", at), False


def _best_place(text: str, end: int, fences: list[tuple[int, int]]) -> int:
    inside = bytearray(end + 1)  # places at which something would be cut in two
    for start, stop, *_ in chain(fences, unbroken(text[: end * 2])):
        cut = range(start + 1, min(stop, end + 1))
        inside[cut.start : cut.stop] = b"\1" * len(cut)

    def last(places: list[int], least: int) -> int:
        return next((at for at in reversed(places) if at >= least and not inside[at]), 0)

    paragraphs = [m.start() for m in _PARAGRAPH.finditer(text, 0, end)]
    found = _SENTENCE.finditer(text, 0, end)
    sentences = [m.end() if m[0] != "\n" else m.start() for m in found]
    words = [m.start() for m in _SPACES.finditer(text, 0, end)]
    at = last(paragraphs, end // 2) or last(sentences, end * 2 // 5) or last(words, 1)
    if at:
        return at
    at = grapheme(text, end)
    while at > 0 and inside[at]:
        at -= 1
    return at if at >= 1 else end


def _off_backticks(text: str, at: int, least: int) -> int:
    while at > least and text[at - 1] == "`":
        at -= 1
    return at
