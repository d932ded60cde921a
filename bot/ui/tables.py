"""Tables of Markdown, which Discord doesn't draw, as aligned code blocks.

A table that is too wide for a card, or has links in it, which a code block would not show,
becomes a list instead: its columns' names stand before the values, or above them where there
are two columns. Everything here takes time linear in the text's length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from bot.ui.markdown import FENCE, FENCED

WIDEST = 56
"""Columns of letters that fit beside each other on a card, as Discord's client on a desk has it."""

_BAR = " │ "

MOST_ALIGNED = WIDEST // len(_BAR) + 1
"""Columns of a table that may be narrow enough: between those of more, the bars alone are wider."""

MAX_GROWTH = 20_000
"""Characters that the tables of one text may add to it; those beyond stay as they are."""

_RULE = re.compile(r":?-++:?")
_CELL_END = re.compile(r"\\.|\|")
_LINK = re.compile(r"https?://|\]\(|<[@#:a]", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CODE = re.compile(r"((?<!`)`++[^`]*+`++)")
_MARKS = re.compile(r"\*\*|__|~~|(?<![\w*])\*(?=[^\s*])|(?<=[^\s*])\*(?![\w*])")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")

Row = list[str]


def aligned(text: str) -> str:
    """Return a text with its tables outside of code as code blocks or lists."""
    if "|" not in text:
        return text
    made, at, room = list[str](), 0, MAX_GROWTH
    for start, end in [*(fence.span() for fence in FENCED.finditer(text)), (len(text), len(text))]:
        drawn = _without_tables(text[at:start], room)
        room -= max(0, len(drawn) - (start - at))
        made += [drawn, text[start:end]]
        at = end
    return "".join(made)


def _without_tables(text: str, room: int) -> str:
    """Return a text without code with its tables drawn, as long as that adds no more than room."""
    lines = text.split("\n")
    made: list[str] = []
    at = 0
    while at < len(lines):
        end = _table_end(lines, at)
        table = _Table(lines[at:end]) if end > at else None
        if table is None or table.growth > room:
            end = max(end, at + 1)
            made += lines[at:end]
        else:
            room -= max(0, table.growth)
            made += table.drawn()
        at = end
    return "\n".join(made)


def _table_end(lines: Sequence[str], at: int) -> int:
    """Return the line after the table that begins at a line; the same line where none does."""
    if at + 1 >= len(lines) or "|" not in lines[at] or "|" not in lines[at + 1]:
        return at
    rule = _cells(lines[at + 1])
    if not all(map(_RULE.fullmatch, rule)) or len(_cells(lines[at])) != len(rule):
        return at
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


class _Table:
    """A table, of its lines: the columns' names, the rule with their alignment, the rows."""

    def __init__(self, lines: Sequence[str]):
        self._header, self._rule, *rows = (_cells(line) for line in lines)
        count = len(self._header)
        self._rows = [_fitted(row, count) for row in rows]
        self._plain: list[Row] = []
        self._sizes: list[int] = []
        # A row may leave out most of its cells: they are filled in only where they are few.
        if count <= MOST_ALIGNED:
            whole = (self._header, *(row + [""] * (count - len(row)) for row in self._rows))
            self._plain = [[_plain(cell) if cell else cell for cell in row] for row in whole]
            self._sizes = [max(cell_len(row[i]) for row in self._plain) for i in range(count)]
        wide = sum(self._sizes) + len(_BAR) * (count - 1)
        self._is_list = wide > WIDEST or any(_LINK.search(line) for line in lines)
        a_line = sum(len(name) + 2 for name in self._header) if self._is_list else wide + 1
        taken = sum(len(line) for line in lines) if self._is_list else 2 * len(FENCE)
        self.growth = taken + a_line * (len(rows) + 2) - sum(len(line) + 1 for line in lines)
        """Characters that it takes more than its lines, at most."""

    def drawn(self) -> Iterator[str]:
        """Yield the lines of the table as Discord shows them."""
        yield from self._listed() if self._is_list else self._aligned()

    def _aligned(self) -> Iterator[str]:
        yield FENCE
        for number, row in enumerate(self._plain):
            cells = [_padded(*cell) for cell in zip(row, self._sizes, self._rule, strict=True)]
            yield _BAR.join(cells).rstrip()
            if number == 0:
                yield "─┼─".join("─" * size for size in self._sizes)
        yield FENCE

    def _listed(self) -> Iterator[str]:
        """Yield a line for each row; the columns' names alone of a table without rows."""
        if len(self._header) == 2 and self._rows and all(map(all, [self._header, *self._rows])):
            yield from (_BREAK.sub(" ", line) for line in self._paired())
            return
        for row in self._rows or [[""] * len(self._header)]:
            named = [
                f"{name}: {cell}" if name and cell else name or cell
                for name, cell in zip(self._header, row, strict=False)
                if cell or not self._rows
            ]
            if named:
                yield "- " + _BREAK.sub(" ", " · ".join(named))

    def _paired(self) -> Iterator[str]:
        """Yield the names of two columns once, then a line for each row."""
        yield ": ".join(self._header)
        yield from ("- " + ": ".join(row) for row in self._rows)


def _cells(line: str) -> Row:
    """Return the cells of a row, without the bars at its ends."""
    cells, at = [], 0
    for bar in _CELL_END.finditer(line):
        if bar[0] == "|":
            cells.append(line[at : bar.start()].strip())
            at = bar.end()
    cells.append(line[at:].strip())
    if len(cells) > 1 and not cells[0]:
        cells = cells[1:]
    if len(cells) > 1 and not cells[-1]:
        cells = cells[:-1]
    return cells


def _fitted(row: Row, width: int) -> Row:
    """Return a row with no more cells than the header; what is beyond stays in the last."""
    return [*row[: width - 1], " ".join(row[width - 1 :])] if len(row) > width else row


def _plain(cell: str) -> str:
    """Return a cell's words without the marks, which a code block would show."""
    parts = _CODE.split(_BREAK.sub(" ", cell))
    words = [_ESCAPED.sub(r"\1", _MARKS.sub("", part)) for part in parts[::2]]
    code = [part.strip("`").replace(r"\|", "|") for part in parts[1::2]] + [""]
    both = [part for pair in zip(words, code, strict=True) for part in pair]
    return "".join(both).replace("`", "'").strip()


def _padded(cell: str, size: int, rule: str) -> str:
    room = size - cell_len(cell)
    if not rule.endswith(":"):
        return cell + " " * room
    left = room // 2 if rule.startswith(":") else room
    return " " * left + cell + " " * (room - left)
