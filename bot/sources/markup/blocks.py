"""Blocks of Markdown: paragraphs, lists, quotes, code, tables."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.cells import cell_len, set_cell_size

from bot.sources.markup.code import code_block, language_of
from bot.sources.markup.escaping import escape_lines
from bot.sources.markup.inline import DROPPED, Inline, add_text, paragraph
from bot.sources.markup.parsing import DEEPEST, Element, one_line, text_of

RULE = "─" * 12
"""Discord has no horizontal rule."""

_DEEPEST_LIST = 6  # deeper ones go on at this indentation
_LINE_MARK = re.compile(r"(\s*(?:(?:[-*]|\d+\.) |> |#{1,3} )*)(.+)")


class Blocks:
    """Turns the inside of elements into blocks of Markdown."""

    def __init__(self, base_url: str | None) -> None:
        self._inline = Inline(base_url)
        self._lists = 0
        self._quotes = 0
        self._spoilers = 0

    def document(self, body: Element) -> str:
        """Return the whole body as Markdown."""
        return _joined(self._blocks(body))

    def _blocks(self, element: Element) -> list[str]:
        inline = self._inline
        if inline.depth > DEEPEST:
            return _paragraphs([text_of(element)])
        inline.depth += 1
        done: list[str] = []
        run: list[str] = []  # pieces of a paragraph that isn't complete yet
        if (text := element.text) and not text.isspace():
            add_text(run, text)
        for child in element[:]:
            handle = _HANDLERS.get(child.tag)
            if handle is None and len(child) and _holds_blocks(child):
                handle = Blocks._blocks
            if handle is None:
                inline.add(child, run, 0)
            else:
                if run:
                    done += _paragraphs(run)
                    run = []
                done += handle(self, child)
            if (text := child.tail) and (run or not text.isspace()):
                add_text(run, text)
        if run:
            done += _paragraphs(run)
        inline.depth -= 1
        return done

    def _paragraph(self, element: Element) -> list[str]:
        for child in element[:]:
            if child.tag in _HANDLERS:
                return self._blocks(element)
        run: list[str] = []
        self._inline.inside(element, run, 0)
        return _paragraphs(run)

    def _heading(self, element: Element) -> list[str]:
        line = self._inline.line(element)
        if not line:
            return []
        level = int(element.tag[1])
        if level <= 3:
            return [f"{'#' * level} {line}"]
        return [line if "**" in line else f"**{line}**"]

    def _quote(self, element: Element) -> list[str]:
        if "spoiler" in (element.get("class") or "").split():
            return self._spoiler(element)
        self._quotes += 1
        inside = self._blocks(element)
        self._quotes -= 1
        if self._quotes or not inside:  # Discord has no quotes in quotes
            return inside
        lines = _joined(inside).split("\n")
        return ["\n".join(f"> {line}" for line in lines)]

    def _spoiler(self, element: Element) -> list[str]:
        self._spoilers += 1
        inside = self._blocks(element)
        self._spoilers -= 1
        return inside if self._spoilers else [_hidden(block) for block in inside]

    def _list(self, element: Element) -> list[str]:
        number = _start(element) if element.tag == "ol" else None
        self._lists += 1
        items = []
        for child in element:
            blocks = self._blocks(child) if child.tag == "li" else self._alone(child)
            mark = "- " if number is None else f"{number}. "
            if blocks:
                indent = " " * len(mark) if self._lists <= _DEEPEST_LIST else ""
                items.append(mark + "\n".join(blocks).replace("\n", "\n" + indent))
            if number is not None and child.tag == "li":
                number += 1
        self._lists -= 1
        return ["\n".join(items)] if items else []

    def _alone(self, element: Element) -> list[str]:
        """Return an element that stands where only list items may."""
        handle = _HANDLERS.get(element.tag)
        if handle is not None:
            return handle(self, element)
        return [] if element.tag in DROPPED else self._blocks(element)

    def _definitions(self, element: Element) -> list[str]:
        entries: list[str] = []
        for child in element.xpath("dt|dd|div/dt|div/dd"):
            blocks = self._blocks(child)
            if child.tag == "dt":
                entries += map(_bold, blocks)
            elif blocks:
                item = "- " + "\n".join(blocks).replace("\n", "\n  ")
                entries[-1:] = [f"{entries[-1]}\n{item}" if entries else item]
        return entries

    def _code(self, element: Element) -> list[str]:
        for line_break in element.iter("br"):
            line_break.tail = "\n" + (line_break.tail or "")
        block = code_block(text_of(element), language_of(element))
        return [block] if block else []

    def _table(self, element: Element) -> list[str]:
        return table(element, self._inline)

    def _summary(self, element: Element) -> list[str]:
        return [_bold(block) for block in self._blocks(element)]


def _paragraphs(run: list[str]) -> list[str]:
    text = paragraph(run)
    return [text] if text else []


def _holds_blocks(element: Element) -> bool:
    return element.tag not in DROPPED and any(child.tag in _HANDLERS for child in element)


def _joined(blocks: list[str]) -> str:
    """Join blocks; a heading stays close to what it is the heading of."""
    together = "\n\n".join(blocks)
    if "#" not in together or not any(block[0] == "#" for block in blocks):
        return together
    ends = ("\n" if block[0] == "#" else "\n\n" for block in blocks)
    return "".join(block + end for block, end in zip(blocks, ends, strict=True)).rstrip("\n")


def _bold(block: str) -> str:
    return block if "**" in block or "\n" in block or block[0] == "`" else f"**{block}**"


def _hidden(block: str) -> str:
    """Return a block as a spoiler, line by line so that no page can be cut inside of one."""
    block = block.replace("||", "|\u200b|")
    if block.startswith("```"):
        return f"||{_LANGUAGE.sub('```', block, count=1)}||"
    return "\n".join(_LINE_MARK.sub(r"\1||\2||", line) for line in block.split("\n"))


def _start(element: Element) -> int:
    start = element.get("start") or "1"
    return int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1


_LANGUAGE = re.compile(r"```\S*")
_BlockHandler = Callable[[Blocks, Element], list[str]]
_TRANSPARENT = (
    "div section article aside main header footer nav address figure figcaption details "
    "center fieldset legend form body html li dt dd tr td th tbody thead tfoot"
)
_HANDLERS: dict[str, _BlockHandler] = {
    "p": Blocks._paragraph,
    "blockquote": Blocks._quote,
    "pre": Blocks._code,
    "hr": lambda _blocks, _element: [RULE],
    "table": Blocks._table,
    "dl": Blocks._definitions,
    "summary": Blocks._summary,
    **dict.fromkeys(("ul", "ol", "menu", "dir"), Blocks._list),
    **dict.fromkeys((f"h{level}" for level in range(1, 7)), Blocks._heading),
    **dict.fromkeys(_TRANSPARENT.split(), Blocks._blocks),
}


_WIDEST = 60
"""Columns of a code block in a card before its lines wrap on a desktop."""


def table(element: Element, inline: Inline) -> list[str]:
    """Return the blocks that a ``table`` becomes."""
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
    """Return the cells in columns; nothing if that is too wide or there is nothing in them."""
    columns = max(map(len, texts))
    rows = [row + [""] * (columns - len(row)) for row in texts]
    widths = [max(cell_len(row[column]) for row in rows) for column in range(columns)]
    if sum(widths) + 3 * (columns - 1) > _WIDEST:
        return ""
    lines = [" │ ".join(map(set_cell_size, row, widths)) for row in rows]
    if headed and len(lines) > 1:
        lines.insert(1, "─┼─".join("─" * width for width in widths))
    return code_block("\n".join(lines))


def _listed(rows: list[list[Element]], inline: Inline) -> list[str]:
    """Return an item for each row, its cells under their headings' names."""
    heads = [inline.line(cell) for cell in rows[0]] if _is_head(rows[0]) else []
    items = []
    for row in rows[1:] if heads and len(rows) > 1 else rows:
        cells = []
        for column, cell in enumerate(row):
            head = heads[column] if column < len(heads) and len(rows) > 1 else ""
            if text := inline.line(cell):
                cells.append(f"{_bold_head(head)}: {text}" if head else text)
        if cells:
            items.append("- " + escape_lines(" · ".join(cells)))
    return ["\n".join(items)] if items else []


def _bold_head(head: str) -> str:
    return head if "**" in head else f"**{head}**"
