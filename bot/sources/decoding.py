"""Text of files: the beginning of one, all of it, or its lines."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from bot.errors import InputError
from bot.sources.encodings import NO_TEXT, guess, label
from bot.sources.files import MAX_FILE_BYTES, MAX_HTML_BYTES, Broken, Options, unpacked
from bot.sources.report import SourceReport

HEAD_BYTES = 64 * 1024
"""How much of a file is looked at to recognise its format."""

PIECE_BYTES = 256 * 1024
"""How much of a file is read at a time where it is read piece by piece."""

BINARY_BYTES = 4 * 1024
"""A NUL byte within this many bytes says that a file is not text."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_CHARSET = re.compile(rb"<meta\b[^<>]*\bcharset\s*=\s*[\"']?\s*([\w\-]+)", re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True)
class FileHead:
    """The beginning of a file; ``data`` is unpacked when the file is ``gzipped``.

    ``encoding`` is what it is said to be in.
    """

    data: bytes
    gzipped: bool = False
    encoding: str | None = None

    @cached_property
    def text(self) -> str:
        """Return the beginning decoded as far as that can be told, without a byte-order mark."""
        coding = self.encoding or ("utf-16" if self.utf16 else "utf-8")
        try:
            # A letter may be cut at the end.
            text = codecs.getincrementaldecoder(coding)().decode(self.data)
        except UnicodeDecodeError:
            guessed = None if self.encoding or self.utf16 else guess(self.data).sure
            text = self.data.decode(guessed or coding, errors="replace")
        return text.lstrip("\ufeff")

    @property
    def utf16(self) -> bool:
        """Return whether it starts with UTF-16's byte-order mark; not every reader takes it."""
        return self.encoding is None and self.data.startswith(
            (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        )

    @property
    def also_utf8(self) -> bool:
        """Return whether text said to be in another encoding is UTF-8 beyond ASCII."""
        if self.encoding in (None, "utf-8", "utf-8-sig") or self.data.isascii():
            return False
        try:
            codecs.getincrementaldecoder("utf-8")().decode(self.data)
        except UnicodeDecodeError:
            return False
        return True

    @property
    def binary(self) -> bool:
        """Return whether a NUL byte shows that it is not text."""
        return b"\0" in self.data[:BINARY_BYTES] and not self.utf16 and self.encoding is None


def read_head(path: Path, encoding: str | None = None) -> FileHead:
    """Look at how a file begins; raises OSError when it can't be read.

    A broken gzip file gives what could be unpacked: its reader names the damage.
    """
    data = bytearray()
    with unpacked(path) as (stream, gzipped):
        try:
            while len(data) < HEAD_BYTES and (piece := stream.read(BINARY_BYTES)):
                data += piece
        except Broken:
            if not gzipped:
                raise
    return FileHead(bytes(data), gzipped, encoding)


def read_whole(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a file, unpacked. Raises InputError when it has more than ``limit`` bytes."""
    with unpacked(path) as (stream, _):
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise InputError(
            f"such a file may have up to {limit // 1024**2} MB; JSON Lines may have any size",
            path,
        )
    return data


def read_text(path: Path, options: Options) -> str:
    """Read a file as text in the encoding that the options name, else UTF-8, or UTF-16 with a BOM.

    Raises InputError with the line at which it isn't.
    """
    coding, body = _marked(read_whole(path), options)
    return decode(body, coding, path, options)


def read_pieces(path: Path, options: Options) -> Generator[str]:
    """Yield a file's text piece by piece, so that it may have any size; decoded as ``read_text``.

    Raises InputError with the line at which that fails, or where a packed file is damaged, and
    OSError when it can't be read.
    """
    line, decoder, coding = 1, None, ""
    with unpacked(path) as (stream, _):
        is_last = False
        while not is_last:
            data = _read_piece(stream, path)
            is_last = not data
            if decoder is None:
                coding, data = _marked(data, options)
                decoder = codecs.getincrementaldecoder(coding)()
            try:
                text = decoder.decode(data, is_last)
            except UnicodeDecodeError as error:
                line += len(_LINE_END.findall(error.object, 0, error.start))
                why = f"it is not {_what(coding)} text; {_advice(options)}"
                raise InputError(why, path, line) from None
            line += text.count("\n")
            yield text


def _read_piece(stream: BinaryIO, path: Path) -> bytes:
    try:
        return stream.read(PIECE_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError("the gzip file is damaged or cut off; pack it again", path) from None


def decode(data: bytes, coding: str, path: Path, options: Options) -> str:
    """Decode bytes. Raises InputError with the first line that is not in this encoding."""
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data, 0, error.start)) + 1
        byte = f"byte 0x{data[error.start]:02x} at position {error.start}"
        raise InputError(
            f"it is not {_what(coding)} text ({byte}); {_advice(options)}", path, line
        ) from None


def read_table_lines(path: Path, report: SourceReport, options: Options) -> list[str | None]:
    """Read a table's lines with their ends; ``None`` for a line that can't be decoded.

    It is in the encoding that the options name, else in UTF-8 or UTF-16, else in the one that
    its bytes tell, with a warning; where most lines beyond ASCII are UTF-8, the others are
    damage and are named. Raises InputError where that leaves a doubt.
    """
    data = read_whole(path)
    coding, body = _marked(data, options)
    if coding != "utf-8":
        return list(_LINE.findall(decode(body, coding, path, options)))
    lines = body.splitlines(keepends=True)
    read: list[str | None] = []
    odd: list[int] = []
    beyond = 0
    for number, line in enumerate(lines, 1):
        try:
            read.append(line.decode())
            beyond += not line.isascii()
        except UnicodeDecodeError:
            read.append(None)
            odd.append(number)
    # Of a text in another encoding, some short line may happen to be UTF-8 as well.
    if odd and beyond < len(odd) and body is data:
        if options.encoding is not None:
            decode(body, coding, path, options)  # raises with the first line
        return list(_LINE.findall(_guessed(body, path, report, options, odd[0])))
    for number in odd:
        report.reject("it is not UTF-8 text, though other lines are", path, number)
    return read


def read_html(path: Path, report: SourceReport, options: Options) -> str:
    """Read a web page as text in the encoding that the options or the page name, else UTF-8.

    Else it is in the one that its bytes tell, with a warning. Raises InputError where that
    leaves a doubt.
    """
    coding, body = _marked(read_whole(path, MAX_HTML_BYTES), options)
    if options.encoding is not None:
        return decode(body, coding, path, options)
    named = _CHARSET.search(body[:4096])
    for known in ([named[1].decode()] if named and coding == "utf-8" else []) + [coding]:
        try:
            if codecs.lookup(known).name not in NO_TEXT:
                return body.decode(known)
        except (UnicodeError, LookupError):
            continue
    return _guessed(body, path, report, options, None)


def _guessed(
    data: bytes, path: Path, report: SourceReport, options: Options, line: int | None
) -> str:
    """Decode bytes that are not UTF-8 by a guess, with a warning that names the encoding."""
    guessed = guess(data)
    if guessed.sure is None:
        perhaps = " or ".join(map(label, guessed.possible[:3]))
        perhaps = f" (perhaps {perhaps})" if perhaps else ""
        raise InputError(
            f"it is not UTF-8 text, and its bytes don't tell for certain what it is{perhaps}; "
            f"{_advice(options)}",
            path,
            line,
        )
    report.warn(
        f"read as {label(guessed.sure)}, for it is not UTF-8 text; if letters are wrong, "
        f"{_advice(options)}",
        path,
    )
    return data.decode(guessed.sure)


def _what(coding: str) -> str:
    return coding.upper() if coding.startswith("utf") else label(coding)


def _advice(options: Options) -> str:
    if options.encoding is not None:
        return (
            f"is --encoding {options.encoding} right? Name the one that it is in, or leave the "
            "option out: the encodings of tables and web pages are detected"
        )
    if options.upload:
        return "save it as UTF-8 and send it again"
    return "save it as UTF-8, or say what it is: --encoding NAME"


def _marked(data: bytes, options: Options) -> tuple[str, bytes]:
    """Return the encoding by the options or the byte-order mark, and the bytes behind the mark."""
    if options.encoding is not None:
        bom = codecs.BOM_UTF8 if options.encoding == "utf-8" else b""
        return options.encoding, data.removeprefix(bom)
    for mark, coding in _MARKS:
        if data.startswith(mark):
            return coding, data.removeprefix(mark)
    return "utf-8", data
