"""Rows of a dump's XML files, one by one, whatever is wrong with some of them.

In well-formed XML a value never holds a bare ``<``, so each one begins a new piece of markup.
The file is cut there, and each row is read as a document of its own: what is wrong with one
doesn't harm the next, and as no row comes with a DOCTYPE, nothing that one declares is ever
resolved. Some rows are held in memory, the file never.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from bot.errors import InputError
from bot.sources.report import SourceReport

MAX_ROW_BYTES = 16 * 1024 * 1024


class XmlRow(NamedTuple):
    """One row: the line that it begins on, and its values by name."""

    line: int
    values: Mapping[str, str]


_ENCODING = re.compile(rb"""\bencoding\s*=\s*["']([\w.-]+)""")
_UTF8 = {b"utf-8", b"utf8", b"us-ascii", b"ascii"}

# Numbers of characters that XML can't have; some programs write them all the same.
_NO_CHARACTER = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcefBCEF]|1[\da-fA-F]));"
)


class XmlRows:
    """Cuts one file into rows; ``path`` names it in the report."""

    def __init__(self, path: Path, root: str, report: SourceReport):
        self.path = path
        self._report = report
        self._root = root.encode()
        self._parser = etree.XMLParser(
            resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True
        )
        self._line = 1
        self._inside = False  # between the root's two tags
        self._ended = False
        self._comment = False
        self._damaged = False  # what follows a damaged row, up to the next, belongs to it

    def of(self, chunks: Iterable[bytes]) -> Iterator[XmlRow | None]:
        """Yield the rows of a file that is given in chunks; ``None`` now and then.

        Raises InputError for a file that is no such file, or not in UTF-8.
        """
        rest = b""  # what follows the last "<"
        for chunk in chunks:
            *pieces, rest = (rest + chunk).split(b"<")
            yield from filter(None, map(self._row, pieces))
            if len(rest) > MAX_ROW_BYTES:
                self._too_long(rest)
                rest = b"!"  # what is left of it, up to the next markup
            yield None
        if rest.rstrip().endswith(b">") and (row := self._row(rest)) is not None:
            yield row
        self._close()

    def _row(self, piece: bytes) -> XmlRow | None:
        line = self._line
        self._line += piece.count(b"\n")
        if self._comment:
            self._comment = b"-->" not in piece
        elif self._inside and piece.startswith(b"row") and not piece[3:4].isalnum():
            return self._parsed(piece.rstrip(), line)
        elif piece.startswith(b"!--"):
            self._comment = b"-->" not in piece
        elif not self._inside:
            self._look_before(piece, line)
        elif piece.startswith(b"/" + self._root):
            self._inside, self._ended = False, True
        elif not self._damaged and not piece.startswith(b"/row") and not piece.startswith(b"?"):
            self._reject("what begins here is no row", line)
        return None

    def _parsed(self, piece: bytes, line: int) -> XmlRow | None:
        self._damaged = False
        text = b"<" + piece if piece.endswith(b"/>") else b"<%b</row>" % piece
        try:
            try:
                return XmlRow(line, etree.fromstring(text, self._parser).attrib)
            except etree.XMLSyntaxError:
                mended = _NO_CHARACTER.sub(b"", text)
                if mended == text:
                    raise
                row = XmlRow(line, etree.fromstring(mended, self._parser).attrib)
        except etree.XMLSyntaxError as error:
            self._reject(f"the row is damaged: {_why(error)}", line)
            return None
        self._report.warn("characters that XML can't have are left out", self.path, line)
        return row

    def _look_before(self, piece: bytes, line: int) -> None:
        """Look at markup before the first row, or after the last."""
        if piece.startswith(self._root) and not self._ended:
            self._ended = piece.rstrip().endswith(b"/>")
            self._inside = not self._ended
        elif piece.startswith(b"!DOCTYPE"):
            self._report.warn("its DOCTYPE is passed over, entities are not resolved", self.path)
        elif piece.startswith(b"?xml") and (match := _ENCODING.search(piece)):
            if match[1].lower() not in _UTF8:
                name = match[1].decode()
                raise InputError(f"it is in {name}; save it as UTF-8", self.path)
        elif self._ended and not piece.isspace():
            self._reject("something follows the end of the file's rows", line)

    def _too_long(self, text: bytes) -> None:
        if text.startswith(b"row") and self._inside:
            limit = MAX_ROW_BYTES // 1024**2
            self._reject(f"the row is longer than {limit} MB", self._line)
        self._line += text.count(b"\n")

    def _close(self) -> None:
        if not self._inside and not self._ended:
            raise InputError(f"there is no <{self._root.decode()}> in it", self.path)
        if not self._ended:
            self._report.reject(
                "the file is cut off here; what came before was read", self.path, self._line
            )

    def _reject(self, why: str, line: int) -> None:
        self._damaged = True
        self._report.reject(why, self.path, line)


def _why(error: Any) -> str:
    """Return libxml2's message without the place within the row."""
    return re.sub(r", line \d+, column \d+.*", "", str(error.msg or "it is not XML"))
