"""Bytes of files that others made: which letters they stand for."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from bot.errors import InputError
from bot.sources.files import unpacked
from bot.sources.limits import MAX_FILE_BYTES, MAX_HTML_BYTES
from bot.sources.report import SourceReport, shown_path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Python knows them as codings of text; no page is in one, and some take for ever.
_NO_PAGES = {"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"}

_CHARSET = re.compile(rb"<meta\b[^<>]*\bcharset\s*=\s*[\"']?\s*([\w\-]+)", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def whole(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """All bytes of a file, unpacked. Raises InputError when there are more than ``limit``."""
    with unpacked(path) as (stream, _):
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise InputError(
            f"such a file may have up to {limit // 1024**2} MB; JSON Lines may have any size",
            shown_path(path),
        )
    return data


def utf8_text(path: Path, limit: int = MAX_FILE_BYTES) -> str:
    """A file's text, in UTF-8 or with a byte-order mark in UTF-16.

    Raises InputError with the line at which it is neither.
    """
    data = whole(path, limit)
    coding, body = _marked(data)
    try:
        return body.decode(coding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{body[error.start]:02x}"
        raise InputError(
            f"it is not {coding.upper()} text ({byte}); save it as UTF-8", shown_path(path), line
        ) from None


def lines_of(path: Path, report: SourceReport) -> list[str | None]:
    """A file's lines with their ends; ``None`` for one whose letters can't be told.

    UTF-8 and UTF-16 are recognised. A file in which nothing beyond ASCII is UTF-8 is
    taken for cp1252, as Windows writes it, with a note; where some lines are UTF-8, the
    others are damage and are named.
    """
    data = whole(path)
    coding, body = _marked(data)
    if coding != "utf-8":
        return list(_LINE.findall(_decoded(body, coding, path)))
    lines = body.splitlines(keepends=True)
    read: list[str | None] = []
    odd: list[int] = []
    beyond = False
    for number, line in enumerate(lines, 1):
        try:
            read.append(line.decode())
            beyond = beyond or not line.isascii()
        except UnicodeDecodeError:
            read.append(None)
            odd.append(number)
    if odd and not beyond:
        report.warn(
            "it is not UTF-8 text and was read as Windows-1252; if letters are wrong, "
            "save it as UTF-8",
            path,
            odd[0],
        )
        return [line.decode("cp1252", errors="replace") for line in lines]
    for number in odd:
        report.reject("it is not UTF-8 text, though other lines are", path, number)
    return read


def html_text(path: Path, report: SourceReport) -> str:
    """A web page's text: in the coding that it names, else UTF-8, else cp1252 with a warning."""
    data = whole(path, MAX_HTML_BYTES)
    coding, body = _marked(data)
    named = _CHARSET.search(body[:4096])
    for known in ([named[1].decode()] if named and coding == "utf-8" else []) + [coding]:
        try:
            if codecs.lookup(known).name not in _NO_PAGES:
                return body.decode(known)
        except (UnicodeError, LookupError):
            continue
    report.warn("it is neither in the coding that it names nor in UTF-8; read as cp1252", path)
    return body.decode("cp1252", errors="replace")


def _marked(data: bytes) -> tuple[str, bytes]:
    for mark, coding in _MARKS:
        if data.startswith(mark):
            return coding, data.removeprefix(mark)
    return "utf-8", data


def _decoded(body: bytes, coding: str, path: Path) -> str:
    try:
        return body.decode(coding)
    except UnicodeDecodeError:
        raise InputError(
            f"it is damaged {coding.upper()} text; save it as UTF-8", shown_path(path)
        ) from None
