"""A dump's file in stretches that end where markup begins, read ahead as far as they are rows.

libxml2 reads a stretch in a thread of its own while the one before is looked at. Only what
is nothing but sound rows is told as read: everything else is for ``Rows`` to look into.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from lxml import etree

Element = Any
"""An lxml element."""

MAX_ROW_BYTES = 16 * 1024 * 1024

_AHEAD = 2


class Stretch(NamedTuple):
    """A piece of the file: from one ``<`` (the first: from the file's beginning) to another.

    ``rows`` are its rows, if it is nothing else; ``cut`` says that it is the beginning of
    something that is too long.
    """

    text: bytes
    rows: list[Element]
    cut: bool


def parser() -> Any:
    """One that resolves nothing and asks nobody."""
    return etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True)


def stretches(chunks: Iterable[bytes]) -> Generator[Stretch]:
    """The stretches of a file that is given in chunks; what is cut off at its end is left out."""
    reading = parser()
    ahead: deque[tuple[bytes, bool, Future[list[Element]]]] = deque()
    with ThreadPoolExecutor(1, "read rows") as thread:
        for text, cut in _pieces(chunks):
            ahead.append((text, cut, thread.submit(_rows, text, reading)))
            if len(ahead) > _AHEAD:
                yield _ready(*ahead.popleft())
        while ahead:
            yield _ready(*ahead.popleft())


def _ready(text: bytes, cut: bool, rows: Future[list[Element]]) -> Stretch:
    return Stretch(text, rows.result(), cut)


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


def _rows(text: bytes, reading: Any) -> list[Element]:
    """The rows of a stretch; none where there is anything else, or anything wrong.

    Line breaks may stand between rows only, so that the lines libxml2 tells are those on
    which rows begin.
    """
    if not text.startswith(b"<row"):
        return []
    try:
        root = etree.fromstring(b"<_>%b</_>" % text, reading)
    except etree.XMLSyntaxError:
        return []
    rows = [*root.iterchildren("row")]
    between = etree.tostring(root, encoding="unicode", method="text")
    if len(rows) != text.count(b"<") or not between.isspace():
        return []
    return rows if between.count("\n") == text.count(b"\n") else []
