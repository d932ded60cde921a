"""Tables as aligned text in a code block; wide ones as a list of their rows."""

from __future__ import annotations

import unicodedata

from bot.sources.markup.code import code_block
from bot.sources.markup.escaping import escape_lines
from bot.sources.markup.inline import Inline
from bot.sources.markup.parsing import Element, one_line

_WIDEST = 60
"""Columns of a code block in a card before its lines wrap on a desktop."""


def table(element: Element, inline: Inline) -> list[str]:
    """The blocks that a ``table`` becomes."""
    rows = [_cells(row) for row in element.xpath("tr|thead/tr|tbody/tr|tfoot/tr")]
    rows = [row for row in rows if row]
    if not rows:
        return []
    above = [text for caption in element.iter("caption") if (text := inline.line(caption))]
    texts = [[one_line(cell) for cell in row] for row in rows]
    linked = any(True for _ in element.iter("a", "img"))
    if not linked and (aligned := _aligned(texts, headed=_is_head(rows[0]))):
        return [*above, aligned]
    return above + _listed(rows, inline)


def _cells(row: Element) -> list[Element]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _is_head(row: list[Element]) -> bool:
    return all(cell.tag == "th" for cell in row)


def _aligned(texts: list[list[str]], *, headed: bool) -> str:
    """The cells in columns; nothing if that is too wide or there is nothing in them."""
    columns = max(map(len, texts))
    rows = [row + [""] * (columns - len(row)) for row in texts]
    widths = [max(_width(row[column]) for row in rows) for column in range(columns)]
    if sum(widths) + 3 * (columns - 1) > _WIDEST:
        return ""
    lines = [" │ ".join(_padded(c, w) for c, w in zip(row, widths, strict=True)) for row in rows]
    if headed and len(lines) > 1:
        lines.insert(1, "─┼─".join("─" * width for width in widths))
    return code_block("\n".join(lines))


def _listed(rows: list[list[Element]], inline: Inline) -> list[str]:
    """An item for each row, its cells under their headings' names."""
    heads = [inline.line(cell) for cell in rows[0]] if _is_head(rows[0]) else []
    items = []
    for row in rows[1:] if heads and len(rows) > 1 else rows:
        cells = []
        for column, cell in enumerate(row):
            head = heads[column] if column < len(heads) and len(rows) > 1 else ""
            if text := inline.line(cell):
                cells.append(f"{_bold(head)}: {text}" if head else text)
        if cells:
            items.append("- " + escape_lines(" · ".join(cells)))
    return ["\n".join(items)] if items else []


def _bold(head: str) -> str:
    return head if "**" in head else f"**{head}**"


def _width(text: str) -> int:
    """How many columns the text takes in a monospaced font."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
