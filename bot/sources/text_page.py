"""Reader of text pages: one thread a file, a question with its answers.

The first non-empty line is the title. What follows, up to the first marker, is the
question's body. A marker stands alone on its line; letter case and spaces around it
don't matter:

    score:N, then Accepted answer    opens the accepted answer, with score N
    Accepted answer                  opens the accepted answer, with score 0
    Upvote:N                         opens another answer, with score N
    score:N                          before any answer: the question's own score

Where the grammar leaves room, this is what holds:

- ``score`` or ``Upvote``, a colon and nothing or a single word is a marker, and a broken
  one unless that word is a whole number; with several words it is text ("Score: 3 to 1").
- ``score:N`` inside an answer that no ``Accepted answer`` follows is refused, not taken
  as text: it is most likely a misspelt marker, and text would give one person's answer
  to another. The same goes for a second score of the question.
- Text after the question's score goes on with the question's body.
- ``More post``, ``Search Posts`` and ``Related post`` end the page when no answer is
  opened after them; before that they are text like any other.
- Inside a closed code fence everything is text, and blank lines stay as they are. A fence
  that is never closed is a line of text, so that it can't swallow the answers after it.
- A page may have no answers yet, if a marker, a comment of ours or the format's name shows that
  it is one; any other text than a single question is refused, for nobody can tell what in it is
  an answer.
- Behind the end of the page, our own exports write a comment with what pages have no words
  for: the key, authors, links (``roundtrip_comments``). Of an answer in a fence
  ``markdown verbatim`` they mean what is in the fence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from bot.errors import InputError, shown_path
from bot.models import Answer, Thread, plain_key
from bot.sources import roundtrip_comments
from bot.sources.decoding import decode
from bot.sources.fences import find_fences, text_behind_label
from bot.sources.file_format import Format
from bot.sources.files import MAX_PAGE_BYTES, SCORES, Options
from bot.sources.json_thread import FieldError, thread_from, thread_to
from bot.sources.question_headings import only_asks
from bot.sources.report import NoThreads, SourceReport

_LINE_END = re.compile(r"\r\n|\r|\n")
_MARK = re.compile(
    r"\s*(?:(?P<kind>score|upvote)\s*:\s*(?P<value>\S*)|(?P<accepted>accepted)\s+answer"
    r"|more\s+post|search\s+posts|related\s+post)\s*",
    re.IGNORECASE,
)
# People's pages carry a real minus sign as well as a hyphen.
_NUMBER = re.compile(r"([+\-\u2212]?)0*([0-9]{1,19})")


NO_ANSWER = (
    "no answer is marked in it: write 'Accepted answer' or 'Upvote:0' on a line of its own above "
    "each answer, one question a file; or begin lines with 'Q:' and 'A:'"
)
CHAT = "; it looks like a chat log, in which nobody has said yet what answers what"

# A time with who wrote then: "[01/04/2024 10:00] max", "4/1/24, 10:00 - Max: ...", "10:05 <max>".
_CHAT = re.compile(
    r"^\W{0,2}(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?[ T]+)?\d{1,2}:\d\d(?::\d\d)?"
    r"(?: ?[ap]m)?\W{1,4}(?=\w)",
    re.IGNORECASE | re.MULTILINE,
)


class _Marker(NamedTuple):
    """A marker: ``score``, ``upvote``, ``accepted`` or ``furniture``, with what a colon follows."""

    kind: str
    value: str = ""


@dataclass(slots=True)
class _PagePart:
    """The question or an answer: where it was opened, and the lines that belong to it."""

    opened: int
    score: int = 0
    accepted: bool = False
    body: list[int] = field(default_factory=list)


def has_marker(text: str) -> bool:
    """Return whether a line of the text is a marker, so that it reads like a text page."""
    lines = _LINE_END.split(text)
    marked = [
        index
        for index, line in enumerate(lines)
        if (marker := _marker(line)) and marker.kind != "furniture"
    ]
    if not marked:
        return False
    fenced = find_fences(lines, to_end=False, content=text_behind_label).places
    return not all(fenced[index] for index in marked)


def read_pages(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Read a file that holds one page.

    Raises InputError when it can't be accepted, OSError when it can't be read.
    """
    with path.open("rb") as stream:
        data = stream.read(MAX_PAGE_BYTES + 1)
    if len(data) > MAX_PAGE_BYTES:
        limit = MAX_PAGE_BYTES // 1024**2
        raise InputError(f"a text page may have up to {limit} MB", path)
    text = decode(data, options.encoding or "utf-8", path, options)
    certain = options.format == "text"
    yield read_page(text, path, certain=certain, warn=lambda what: report.warn(what, path))


def read_page(
    text: str, path: Path, *, certain: bool = False, warn: Callable[[str], None] | None = None
) -> Thread:
    """Read a page's text; the source key is the file's name without suffix.

    Without a marker in it, a text is a page only if that is ``certain``. ``warn`` gets remarks on
    dates that are left out. Raises InputError with the path and, where there is one, the line.
    """
    return _TextPage(text, path, warn).thread(certain=certain)


class _TextPage:
    """Reads one page: its lines, the markers among them, the parts so far."""

    def __init__(self, text: str, path: Path, warn: Callable[[str], None] | None) -> None:
        self._path, self._warn = path, warn
        self._lines = _LINE_END.split(text.lstrip("\ufeff"))
        self._refuse_nul(text)
        self._title = self._find_title()
        fences = find_fences(self._lines[self._title + 1 :], to_end=False)
        self._fenced = bytes(self._title + 1) + fences.places
        self._marks = {
            index: mark
            for index, line in enumerate(self._lines)
            if index > self._title and not self._fenced[index] and (mark := _marker(line))
        }
        self._end = self._find_end()
        self._question = _PagePart(self._title)
        self._question_score: int | None = None
        self._answers: list[_PagePart] = []

    def thread(self, *, certain: bool) -> Thread:
        """Return the thread that the page holds."""
        pending: int | None = None  # the score that the next accepted answer has
        for index in range(self._title + 1, self._end):
            mark = self._marks.get(index)
            match mark.kind if mark else None:
                case "upvote":
                    self._answers.append(_PagePart(index, self._number(index)))
                case "accepted":
                    self._open_accepted(index, pending or 0)
                    pending = None
                case "score" if self._followed_by_accepted(index):
                    pending = self._number(index)
                case "score":
                    self._score_question(index)
                case _:
                    part = self._answers[-1] if self._answers else self._question
                    part.body.append(index)
        thread = Thread(
            key="",
            title=self._lines[self._title].strip(),
            body=self._text(self._question),
            score=self._question_score or 0,
            answers=tuple(map(self._answer, self._answers)),
        )
        marked = self._marked(thread)
        if marked is None and not (self._marks or certain or only_asks(self._lines)):
            is_chat = _CHAT.search("\n".join(self._lines))
            why = NO_ANSWER + (CHAT if is_chat else "")
            raise NoThreads(why, self._path, "texts in which no answer is marked")
        return marked or replace(thread, key=self._key())

    def _marked(self, thread: Thread) -> Thread | None:
        """Return the thread with what a comment behind the page says of it, if there is one."""
        for index in range(self._end, len(self._lines)):
            try:
                values = roundtrip_comments.values_of(self._lines[index])
                if values is not None:
                    row = thread_to(thread) | {"id": values.get("id") or self._key()}
                    row = roundtrip_comments.merge_comment(row, values)
                    return thread_from(row, lambda _: None, self._warn)
            except FieldError as error:
                raise self._error(f"what its comment says can't be: {error}", index) from None
        return None

    def _key(self) -> str:
        key = plain_key(self._path.stem)
        if not key or shown_path(Path(key)) != Path(key):
            raise self._error("its name can't be a thread's key; rename it in letters and digits")
        return key

    def _refuse_nul(self, text: str) -> None:
        for index, line in enumerate(self._lines if "\0" in text else ()):
            if "\0" in line:
                raise self._error("it holds a NUL character, which text never does", index)

    def _find_title(self) -> int:
        title = next((i for i, line in enumerate(self._lines) if line.strip()), None)
        if title is None:
            raise self._error("the page has no title: it is empty")
        mark = _marker(self._lines[title])
        if mark is not None and mark.kind != "furniture":
            raise self._error("the page has no title before its first marker", title)
        return title

    def _find_end(self) -> int:
        """Return the line at which the page's furniture begins, else the number of lines."""
        opening = ("upvote", "accepted")
        last = max((i for i, mark in self._marks.items() if mark.kind in opening), default=-1)
        furniture = (i for i, mark in self._marks.items() if mark.kind == "furniture")
        return next((i for i in furniture if i > last), len(self._lines))

    def _followed_by_accepted(self, index: int) -> bool:
        following = index + 1
        while following < self._end and not self._lines[following].strip():
            following += 1
        mark = self._marks.get(following)
        return mark is not None and mark.kind == "accepted"

    def _open_accepted(self, index: int, score: int) -> None:
        for other in self._answers:
            if other.accepted:
                raise self._error(
                    f"a second accepted answer; the first is on line {other.opened + 1}", index
                )
        self._answers.append(_PagePart(index, score, accepted=True))

    def _score_question(self, index: int) -> None:
        number = self._number(index)
        line = self._lines[index].strip()
        if self._answers:
            raise self._error(
                f"'{line}' opens no answer here: write 'Accepted answer' below it, or "
                f"'Upvote:{number}' for another answer, or put it between ``` lines",
                index,
            )
        if self._question_score is not None:
            raise self._error(f"'{line}' is a second score of the question", index)
        self._question_score = number

    def _number(self, index: int) -> int:
        value = self._marks[index].value
        match = _NUMBER.fullmatch(value)
        number = int(match[2]) * (-1 if match[1] in ("-", "\u2212") else 1) if match else None
        if number is None or number not in SCORES:
            what = f"'{value[:40]}' is not a whole number" if value else "the number is missing"
            raise self._error(f"{what} (a score is written like 'Upvote:3')", index)
        return number

    def _answer(self, part: _PagePart) -> Answer:
        body = self._text(part)
        if not body:
            raise self._error("the answer that begins here is empty", part.opened)
        return Answer(body=body, score=part.score, accepted=part.accepted)

    def _text(self, part: _PagePart) -> str:
        lines: list[str] = []
        for index in part.body:
            line = self._lines[index]
            if self._fenced[index] or line.strip():
                lines.append(line)
            elif lines and lines[-1]:
                lines.append("")
        return roundtrip_comments.unwrap_verbatim("\n".join(lines).rstrip())

    def _error(self, why: str, index: int | None = None) -> InputError:
        line = None if index is None else index + 1
        return InputError(why, self._path, line)


def _marker(line: str) -> _Marker | None:
    match = _MARK.fullmatch(line)
    kind = match and (match["kind"] or match["accepted"] or "furniture").lower()
    return _Marker(kind, match["value"] or "") if match and kind else None


FORMAT = Format(
    name="text",
    suffixes=(".txt",),
    looks_like=lambda head: has_marker(head.text),
    read=read_pages,
    packed=False,
    utf16=False,
)
