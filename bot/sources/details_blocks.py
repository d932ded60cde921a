"""``<details>`` in Markdown: what is folded under which summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.sources.fences import find_fences
from bot.sources.headings import plain
from bot.sources.markup import to_markdown

_OPEN = re.compile(r" {0,3}<details\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)details\b[^<>]*>", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary\b[^<>]*>", re.IGNORECASE)
_SUMMARY_END = re.compile(r"</summary\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fold:
    """One ``<details>``: its first and last line, from 1, and the lines under the summary."""

    start: int
    end: int
    summary: str
    lines: list[str]


def folded(lines: Sequence[str]) -> Iterator[Fold]:
    """Each ``<details>``; those within another one are part of it, those in a fence are code."""
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
            summary = plain(to_markdown(text[opening.end() : closing.start()]))
            body = text[closing.end() : [*_TAG.finditer(text)][-1].start()]
            yield Fold(at + 1, end, summary, body.split("\n"))
        at = end


def _ends(lines: Sequence[str]) -> dict[int, int]:
    """For each line that opens a ``<details>``, the line after the one that closes it."""
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
