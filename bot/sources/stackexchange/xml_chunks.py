"""A dump's file in stretches that end where markup begins, read as far as they are rows.

libxml2 reads a stretch at once and makes no tree of it. Only what is nothing but sound rows
is told as read: everything else is for ``Rows`` to look into.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import NamedTuple

from lxml import etree

MAX_ROW_BYTES = 16 * 1024 * 1024


class Row(NamedTuple):
    """One row: the line that it begins on (of a stretch, from 0), and its values by name."""

    line: int
    values: Mapping[str, str]


class Stretch(NamedTuple):
    """A piece of the file: from one ``<`` (the first: from the file's beginning) to another.

    ``rows`` are its rows, if it is nothing else, ``lines`` the line breaks in it; ``cut``
    says that it is the beginning of something that is too long.
    """

    text: bytes
    lines: int
    rows: list[Row]
    cut: bool


def stretches(chunks: Iterable[bytes]) -> Generator[Stretch]:
    """The stretches of a file that is given in chunks; what is cut off at its end is left out."""
    for text, cut in _pieces(chunks):
        lines = text.count(b"\n")
        yield Stretch(text, lines, [] if cut else _rows(text, lines), cut)


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        at = max(text.rfind(b"<"), 0)
        rest = text[at:]
        if at:
            yield text[:at], False
        if len(rest) > MAX_ROW_BYTES:
            yield rest, True
            rest = b"<!"  # what is left of it, up to the next markup
    if rest.rstrip().endswith(b">"):
        yield rest, False


def _rows(text: bytes, lines: int) -> list[Row]:
    """The rows of a stretch; none where there is anything else, or anything wrong.

    Line breaks may stand between rows only, so that it is known where each begins.
    """
    if not text.startswith(b"<row"):
        return []
    seen = _Seen()
    # "internal" are XML's own entities: what the stretch is wrapped in declares no others.
    reading = etree.XMLParser(
        target=seen, resolve_entities="internal", load_dtd=False, no_network=True, huge_tree=True
    )
    try:
        etree.fromstring(b"<_>%b</_>" % text, reading)
    except etree.XMLSyntaxError:
        return []
    # In "<x:row", of which libxml2 tells only the end, there is no row that we know.
    count = len(seen.rows)
    sound = not seen.others and count == text.count(b"<") == text.count(b"<row")
    return seen.rows if sound and seen.line == lines else []


class _Seen:
    """What libxml2 comes by: rows, and whether there is anything else (its root is one)."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.line = 0
        self.others = -1

    def start(self, tag: str, values: Mapping[str, str]) -> None:
        if tag == "row":
            self.rows.append(Row(self.line, values))
        else:
            self.others += 1

    def data(self, text: str) -> None:
        self.line += text.count("\n")
        if not text.isspace():
            self.others += 1

    def close(self) -> None:
        """Nothing is left to do."""
