"""Reader of questions and answers that labels at the beginnings of lines tell apart:

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bot.errors import InputError
from bot.models import Thread
from bot.sources.decoding import FileHead, read_text
from bot.sources.fences import LABEL, Fences, fence_warning, find_fences, suspicious_fences
from bot.sources.file_format import Format
from bot.sources.files import Options
from bot.sources.group_by_question import QuestionGrouper
from bot.sources.markdown_sections import heading_words
from bot.sources.report import SourceReport
from bot.sources.text_page import has_marker

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")


@dataclass
class _LabelledPart:
    """A question or an answer: the line on which it begins (from 1), and its lines.

    Where ``asks`` is ``None`` it is neither.
    """

    line: int
    asks: bool | None
    lines: list[str] = field(default_factory=list)


def looks_labelled(head: FileHead) -> bool:
    """Return whether a labelled answer follows a labelled question, and it is no text page."""
    kinds = [part.asks for part in _parts(head.text) if part.asks is not None]
    answered = any(asks and not then for asks, then in pairwise(kinds))
    return answered and not has_marker(head.text)


def read_labelled(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Yield the threads of a file; names each question that is refused in the report.

    Raises InputError when there is none at all, OSError when the file can't be read.
    """
    grouper = QuestionGrouper(path, report)
    asked: _LabelledPart | None = None
    answers: list[str] = []
    parts = _parts(read_text(path, options), lambda what, line: report.warn(what, path, line))
    for part in [*parts, None]:
        if part is not None and part.asks is None:
            if asked is not None and _text(part.lines):
                report.pass_over("texts that belong to no question")
            continue
        if part is not None and not part.asks:
            answers.append(_text(part.lines))
            continue
        if asked is not None:
            title, _, body = _text(asked.lines).partition("\n\n")
            row = {"question": heading_words(title), "body": body.strip(), "answer": answers}
            grouper.add(row, asked.line)
        asked, answers = part, []
    threads = list(grouper.threads())
    if not threads and not report.refused:
        raise InputError("no line of it begins with Q: and a question", path)
    yield from threads


def _parts(text: str, warn: Callable[[str, int], None] | None = None) -> Iterator[_LabelledPart]:
    """Yield questions and answers in order, and what stands before them or under headings.

    ``warn`` gets remarks on fences that may hold a question, with their lines.
    """
    lines = text.splitlines()
    labels, fences = _labels(lines)
    if warn is not None:
        _warn_of_fences(lines, fences, warn)
    part = _LabelledPart(1, None)
    for index, line in enumerate(lines):
        label = labels.get(index)
        if label is not None:
            yield part
            part = _LabelledPart(index + 1, label["kind"][0] in "Qq", [_rest(label)])
        elif not fences.places[index] and _HEADING.match(line):
            yield part
            part = _LabelledPart(index + 1, None)
        else:
            part.lines.append(line)
    yield part


def _labels(lines: list[str]) -> tuple[dict[int, re.Match[str]], Fences]:
    """Return the labels by line; a fence may begin behind one, and in a fence there are none."""
    signs: set[str] = set()  # "A." may as well begin a list, where questions don't have it
    labels: dict[int, re.Match[str]] = {}

    def behind(index: int, line: str) -> str:
        label = LABEL.match(line)
        if label is None:
            return line
        if label["kind"][0] in "Qq":
            signs.add(label["sign"])
        elif label["sign"] not in signs:
            return line
        labels[index] = label
        return label["text"].strip()

    return labels, find_fences(lines, to_end=False, content=behind)


def _warn_of_fences(lines: list[str], fences: Fences, warn: Callable[[str, int], None]) -> None:
    """Warn of each fence that is never closed, or that may hold a question."""
    for index in fences.unclosed:
        warn(
            "a code fence is opened here and never closed, and was read as text; close it, so "
            "that lines of code are not taken for questions",
            index + 1,
        )
    for opened, first in suspicious_fences(lines, fences, _is_asking):
        warn(fence_warning(first + 1), opened + 1)


def _is_asking(line: str) -> bool:
    label = LABEL.match(line)
    return label is not None and label["kind"][0] in "Qq"


def _rest(label: re.Match[str]) -> str:
    """Return the text after a label on its line, without the marks of a whole line in bold."""
    text = label["text"].strip()
    bold = label["bold"]
    if bold and not label["closed"]:
        text = text.removesuffix(bold) if text.endswith(bold) else f"{bold}{text}"
    return text


def _text(lines: list[str]) -> str:
    return "\n".join(lines).strip()


FORMAT = Format(
    name="labelled",
    looks_like=looks_labelled,
    read=read_labelled,
)
