"""Code fences by CommonMark's rules, and the lines that stand in one.

A fence is opened by three or more backticks or tildes, indented by up to three spaces, alone
or in an item of a list; after backticks, the rest of that line has none. It is closed by a
line with at least as many of the same sign and nothing else, or by the end of its item.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

LABEL = re.compile(
    r"[ \t]{0,3}(?P<bold>[*_]{2,3})?(?P<kind>Q|A|Question|Answer)[ \t]?\d{0,4}(?P<sign>[:.)])"
    r"(?P<closed>(?(bold)(?P=bold))?)(?=[ \t]|$)(?P<text>.*)",
    re.IGNORECASE,
)
"""A label that begins a question or an answer; a fence may open behind it."""

OUTSIDE, OPENS, INSIDE, CLOSES = range(4)
"""Where a line may stand; all but the first are in a fence or one of its two lines."""

_OPENING = re.compile(r"(?:(?P<ticks>`{3,})[^`]*|(?P<waves>~{3,}).*)", re.DOTALL)
_CLOSING = re.compile(r"(?P<run>`{3,}|~{3,})[ \t]*")
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)")
_MAY_MATTER = re.compile(r"[ \t]*(?:`{3}|~{3}|[-*+][ \t]|\d{1,9}[.)][ \t])")
_INNER = re.compile(r"(?:[^`~\s]{1,12}[ \t]+){0,2}(?P<run>`{3,}|~{3,})[A-Za-z][^`]*")
"""A fence that names its language, perhaps behind a label; in one as long it opens none."""

_MOST_INDENT = 3


@dataclass(frozen=True, slots=True)
class Fences:
    """The place of each line relative to code fences, by its index.

    ``unclosed`` are the lines whose fence nothing closes. ``doubled`` are pairs: a line that
    opens a fence, and one in this fence that would open another, as where an end is missing.
    """

    places: bytearray
    unclosed: list[int] = field(default_factory=list)
    doubled: list[tuple[int, int]] = field(default_factory=list)


def find_fences(
    lines: Sequence[str],
    *,
    to_end: bool = True,
    content: Callable[[int, str], str] | None = None,
) -> Fences:
    """Tell for each line whether it stands in a fence, in linear time.

    A fence that is never closed goes on ``to_end``, else the line that opens it is text.
    ``content`` gives, of a line outside of fences, what may open one: the text behind a label.
    """
    finder = _Finder(lines, to_end)
    for index, line in enumerate(lines):
        finder.take(index, line, content)
    if finder.opened is not None and not finder.offset:
        finder.fences.unclosed.append(finder.opened)
    return finder.fences


def text_behind_label(_index: int, line: str) -> str:
    """Return what stands behind a label; of other lines all. For ``find_fences``."""
    label = LABEL.match(line)
    return line if label is None else label["text"].strip()


def is_one_fence(lines: Sequence[str]) -> bool:
    """Return whether the first line opens a fence that the last line, and none before, closes."""
    places = find_fences(lines).places
    return len(lines) > 1 and places[0] == OPENS and places.find(CLOSES) == len(lines) - 1


def suspicious_fences(
    lines: Sequence[str], fences: Fences, asks: Callable[[str], object]
) -> Iterator[tuple[int, int]]:
    """Yield each fence that may lack its end, with the first line in it that ``asks``."""
    ends = dict.fromkeys(fences.unclosed, len(lines)) | dict(fences.doubled)
    for opened, end in ends.items():
        first = next((i for i in range(opened + 1, end) if asks(lines[i])), None)
        if first is not None and fences.places[opened]:
            yield opened, first


def fence_warning(line: int) -> str:
    """Return the warning of a possible question on a ``line`` (from 1) within a fence."""
    return (
        f"the code fence that is opened here holds line {line}, which may be a question, and was "
        "read as code; if the fence should end before, close it"
    )


class _Finder:
    """Goes through a text line by line; knows the open items of lists and the open fence."""

    def __init__(self, lines: Sequence[str], to_end: bool):
        self.fences = Fences(bytearray(len(lines)))
        self.opened: int | None = None
        self.offset = 0
        self._run = ""
        self._items: list[int] = []
        self._longest = None if to_end else _longest_closings(lines)

    def take(self, index: int, line: str, content: Callable[[int, str], str] | None) -> None:
        """Look at the next line."""
        if self.opened is not None:
            if self._goes_on(self.opened, index, line):
                return
            self.opened = None
        if content is not None and (rest := content(index, line)) is not line:
            self._items.clear()  # a label ends what stood before it
            line = rest
        if not self._items and not _MAY_MATTER.match(line):
            return
        self._open(index, line)

    def _goes_on(self, opened: int, index: int, line: str) -> bool:
        """Return whether the open fence goes on with this line, or ends on it."""
        indent, rest = _indented(line)
        if rest and indent < self.offset:
            return False
        closing = _CLOSING.fullmatch(rest) if indent - self.offset <= _MOST_INDENT else None
        if closing and closing["run"].startswith(self._run):
            self.opened = None
            self.fences.places[index] = CLOSES
        else:
            self.fences.places[index] = INSIDE
            inner = _INNER.fullmatch(rest)
            if inner and inner["run"][0] == self._run[0] and len(inner["run"]) >= len(self._run):
                self.fences.doubled.append((opened, index))
        return True

    def _open(self, index: int, line: str) -> None:
        """Open a fence if the line does, within the items of lists that it opens or is in."""
        indent, rest = _indented(line)
        if not rest:
            return
        while self._items and indent < self._items[-1]:
            self._items.pop()
        while indent - self._offset() <= _MOST_INDENT:
            item = _ITEM.match(rest)
            if item is None:
                break
            after = indent + item.end()
            spaces, rest = _indented(rest[item.end() :], after)
            wide = spaces - after > _MOST_INDENT + 1 or not rest
            self._items.append(after + 1 if wide else spaces)
            indent = spaces
            if not rest:
                return
        if indent - self._offset() > _MOST_INDENT:
            return
        fence = _OPENING.fullmatch(rest)
        if fence is None:
            return
        run = fence["ticks"] or fence["waves"]
        if self._is_closed(index, run):
            self.opened, self.offset, self._run = index, self._offset(), run
            self.fences.places[index] = OPENS
        else:
            self.fences.unclosed.append(index)

    def _offset(self) -> int:
        """Return the column at which the text of the innermost open item begins."""
        return self._items[-1] if self._items else 0

    def _is_closed(self, index: int, run: str) -> bool:
        """Return whether a fence that is opened here is closed, also by its list item's end."""
        if self._longest is None or self._items:
            return True
        return self._longest[run[0]][index] >= len(run)


def _longest_closings(lines: Sequence[str]) -> dict[str, list[int]]:
    """Return for each sign and line the longest run below that could close a fence."""
    longest = {sign: [0] * len(lines) for sign in "`~"}
    most = dict.fromkeys(longest, 0)
    for index in range(len(lines) - 1, -1, -1):
        for sign, lengths in longest.items():
            lengths[index] = most[sign]
        indent, rest = _indented(lines[index])
        closing = _CLOSING.fullmatch(rest) if indent <= _MOST_INDENT else None
        if closing:
            sign = closing["run"][0]
            most[sign] = max(most[sign], len(closing["run"]))
    return longest


def _indented(line: str, column: int = 0) -> tuple[int, str]:
    """Return the column at which the line's text begins, and that text; blank lines have none."""
    rest = line.lstrip(" \t")
    for sign in line[: len(line) - len(rest)]:
        column += 4 - column % 4 if sign == "\t" else 1
    return column, rest.rstrip("\r\n")
