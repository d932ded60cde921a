"""Sections of Markdown: what stands below a heading, or is folded in ``<details>``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt

from bot.sources.fences import find_fences
from bot.sources.markup import to_markdown

_BLOCKS = MarkdownIt("commonmark").disable(["inline"])
_INLINE = MarkdownIt("commonmark")
_CHUNK = 2_000
"""Lines parsed at a time, at least: the parser takes a thousand times a text's memory."""

_MAY_START = re.compile(r" {0,3}#{1,6}(\s|$)")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the lines from it up to the next; ``level`` 0 is what comes before any.

    ``lines`` are those of the text below the heading, ``raw`` the heading's own; ``start``
    is the heading's line, from 1.
    """

    level: int
    title: str
    start: int
    raw: Sequence[str]
    lines: Sequence[str]


def sections(lines: Sequence[str]) -> Iterator[Section]:
    """Cut lines at their headings; those within lists and quotes belong to these."""
    level, title, start, body = 0, "", 0, 0
    for where, until, depth, text in _headings(lines):
        yield Section(level, title, start + 1, lines[start:body], lines[body:where])
        level, title, start, body = depth, text, where, until
    yield Section(level, title, start + 1, lines[start:body], lines[body:])


def heading_words(markdown: str) -> str:
    """Return the words of a heading, without marks, links and pictures."""
    tokens = _INLINE.parseInline(" ".join(markdown.split()))
    words = (
        child.content
        for token in tokens
        for child in token.children or ()
        if child.type in ("text", "code_inline", "image")
    )
    return " ".join("".join(words).split())


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield first line, line after the last, level and text of each heading."""
    done = 0
    while done < len(lines):
        end, headings = _parsed(lines, done)
        yield from headings
        done = end


def _parsed(lines: Sequence[str], start: int) -> tuple[int, list[tuple[int, int, int, str]]]:
    """Return the headings of some lines, and where they end: where a heading begins, or the text.

    Cut there, the next lines mean the same alone. Where the parser sees no heading (the
    line is in a fence), more lines are taken.
    """
    size = _CHUNK
    while True:
        end = next(
            (i for i in range(start + size, len(lines)) if _MAY_START.match(lines[i])), len(lines)
        )
        tokens = _BLOCKS.parse("\n".join(lines[start : end + 1]))
        headings = [
            (start + token.map[0], start + token.map[1], int(token.tag[1]), after.content)
            for token, after in pairwise(tokens)
            if token.type == "heading_open" and token.level == 0 and token.map
        ]
        if end == len(lines):
            return end, headings
        if headings and headings[-1][0] == end:
            return end, headings[:-1]
        size = 2 * (end - start)


_OPEN = re.compile(r" {0,3}<details\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)details\b[^<>]*>", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary\b[^<>]*>", re.IGNORECASE)
_SUMMARY_END = re.compile(r"</summary\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DetailsBlock:
    """One ``<details>``: its first and last line, from 1, and the lines under the summary."""

    start: int
    end: int
    summary: str
    lines: list[str]


def find_details(lines: Sequence[str]) -> Iterator[DetailsBlock]:
    """Yield each outermost ``<details>`` that is not within a code fence."""
    ends = _ends(lines)
    at = 0
    while at < len(lines):
        end = ends.get(at) if _OPEN.match(lines[at]) else None
        if end is None:
            at += 1
            continue
        text = _OPEN.sub("", "\n".join(lines[at:end]), count=1)
        opening = _SUMMARY.search(text)
        closing = _SUMMARY_END.search(text, opening.end()) if opening else None
        if opening and closing:
            summary = heading_words(to_markdown(text[opening.end() : closing.start()]))
            body = text[closing.end() : [*_TAG.finditer(text)][-1].start()]
            yield DetailsBlock(at + 1, end, summary, body.split("\n"))
        at = end


def _ends(lines: Sequence[str]) -> dict[int, int]:
    """Return the line after the closing tag by the line of each opening one."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    fenced = find_fences(lines).places
    for at, line in enumerate(lines):
        for tag in () if fenced[at] else _TAG.finditer(line):
            if not tag[1]:
                opened.append(at)
            elif opened:
                ends[opened.pop()] = at + 1
    return ends
