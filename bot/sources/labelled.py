"""Questions and answers that are told apart by labels at the beginnings of their lines:

    Q: How do I vote?
    A: Tap the arrow.
    It counts at once.

    A: On a phone, hold the answer first.

``Question`` and ``Answer`` will do as well, with a number (``Q12.``) and in bold; a point
or a bracket may take the colon's place, with answers where it does with questions. What
stands between a question's first paragraph and its answer is the question's body.
Headings belong to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bot.errors import InputError
from bot.models import Thread
from bot.sources import textpage
from bot.sources.decoding import utf8_text
from bot.sources.files import Head
from bot.sources.gathering import Gathering
from bot.sources.headings import plain
from bot.sources.options import Options
from bot.sources.report import SourceReport, shown_path

_LABEL = re.compile(
    r"[ \t]{0,3}(?P<bold>[*_]{2,3})?(?P<kind>Q|A|Question|Answer)[ \t]?\d{0,4}(?P<sign>[:.)])"
    r"(?P<closed>(?(bold)(?P=bold))?)(?=[ \t]|$)(?P<text>.*)",
    re.IGNORECASE,
)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")


@dataclass
class _Part:
    """A question or an answer: the line on which it begins (from 1), and its lines."""

    line: int
    asks: bool
    lines: list[str] = field(default_factory=list)


def looks_labelled(head: Head) -> bool:
    """Whether a labelled answer follows a labelled question, and it is no text page."""
    kinds = [part.asks for part in _parts(head.text)]
    answered = any(asks and not then for asks, then in pairwise(kinds))
    return answered and not textpage.has_marker(head.text)


def read_labelled(path: Path, report: SourceReport, _options: Options) -> Iterator[Thread]:
    """The threads of a file; names each question that is refused in the report.

    Raises InputError when there is none at all, OSError when the file can't be read.
    """
    gathering = Gathering(path, report)
    asked: _Part | None = None
    answers: list[str] = []
    for part in [*_parts(utf8_text(path)), None]:
        if part is not None and not part.asks:
            answers.append(_text(part.lines))
            continue
        if asked is not None:
            title, _, body = _text(asked.lines).partition("\n\n")
            row = {"question": plain(title), "body": body.strip(), "answer": answers}
            gathering.add(row, asked.line)
        asked, answers = part, []
    threads = list(gathering.threads())
    if not threads and not report.refused:
        raise InputError("no line of it begins with Q: and a question", shown_path(path))
    yield from threads


def _parts(text: str) -> Iterator[_Part]:
    """Questions and answers in order; answers before the first question are none."""
    signs: set[str] = set()  # "A." may as well begin a list, where questions don't have it
    part: _Part | None = None
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        label = None if fenced else _LABEL.match(line)
        asks = label is not None and label["kind"][0] in "Qq"
        if label is not None and (asks or label["sign"] in signs):
            signs.add(label["sign"])
            if part is not None:
                yield part
            part = _Part(number, asks, [_rest(label)])
        elif part is not None and not fenced and _HEADING.match(line):
            yield part
            part = None
        elif part is not None:
            part.lines.append(line)
    if part is not None:
        yield part


def _rest(label: re.Match[str]) -> str:
    """What follows a label on its line; of a whole line in bold, without the marks."""
    text = label["text"].strip()
    bold = label["bold"]
    if bold and not label["closed"]:
        text = text.removesuffix(bold) if text.endswith(bold) else f"{bold}{text}"
    return text


def _text(lines: list[str]) -> str:
    return "\n".join(lines).strip()
