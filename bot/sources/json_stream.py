"""One JSON object, read part by part: a list in it may be longer than memory has room for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from bot.sources.files import MAX_LINE_BYTES

_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_END = 16
"""Characters before the end of what was read within which a value may only seem to be wrong."""


class JsonError(ValueError):
    """Raised for text that is not JSON; ``line`` says where."""

    def __init__(self, reason: str, line: int):
        super().__init__(reason)
        self.line = line


class JsonStream:
    """Reads an object whose text comes in pieces. All methods raise JsonError.

    Every key that ``members`` yields is followed by a call of ``value`` or ``items``, which takes
    what stands under it.
    """

    def __init__(self, pieces: Iterator[str]):
        self._pieces = pieces
        self._text, self._at, self._line = "", 0, 1
        self._decoder = json.JSONDecoder(parse_constant=self._no_constant)

    @property
    def line(self) -> int:
        """Return the line on which the next value stands."""
        return self._line_at(self._at)

    def members(self) -> Iterator[str]:
        """Yield the keys of the object, which is all that the text has."""
        self._take("{")
        if self._peek() != "}":
            more = True
            while more:
                key = self.value()
                if not isinstance(key, str):
                    self._fail("a key must be text")
                self._take(":")
                yield key
                more = self._goes_on("}")
        else:
            self._take("}")
        if self._peek():
            self._fail("something follows the end of the object")

    def items(self) -> Iterator[Any]:
        """Yield the items of a list."""
        self._take("[")
        if self._peek() == "]":
            self._take("]")
            return
        more = True
        while more:
            yield self.value()
            more = self._goes_on("]")

    def value(self) -> Any:
        """Return the next value as a whole."""
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                self._read_on_after(error)
            except RecursionError:
                self._fail("its JSON is nested too deeply")
            except JsonError:
                raise
            except ValueError:
                self._fail("a number in it has too many digits")
            else:
                # A number at the end of the text may go on in the next piece, as "1" to "1.5".
                size, is_near_end = end - self._at, end >= len(self._text) - len("e+")
                if not is_near_end or not self._read_on():
                    self._at += size
                    return value

    def _read_on_after(self, error: json.JSONDecodeError) -> None:
        """Read on if a value is only cut off so far; else raise."""
        is_cut = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _NEAR_END
        ahead = error.pos - self._at
        if is_cut and self._read_on():
            return
        why = "it breaks off" if is_cut else f"it is not JSON: {error.msg}"
        self._fail(why, self._at + ahead)

    def _read_on(self) -> bool:
        """Read as much again as there is, so that a long value takes time in proportion."""
        waiting = len(self._text) - self._at
        if waiting > MAX_LINE_BYTES:
            self._fail(f"a value in it is over {MAX_LINE_BYTES // 1024**2} MB long")
        self._line, parts, size = self.line, [self._text[self._at :]], 0
        self._at = 0
        while size <= waiting:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            size += len(piece)
        self._text = "".join(parts)
        return size > 0

    def _peek(self) -> str:
        """Return the next sign that is no space; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def _take(self, sign: str) -> None:
        found = self._peek()
        if found != sign:
            self._fail(f"it is not JSON: expecting {sign!r}" if found else "it breaks off")
        self._at += 1

    def _goes_on(self, end: str) -> bool:
        """Take a comma, or the sign that ends a list or object; whether it was the comma."""
        is_comma = self._peek() == ","
        self._take("," if is_comma else end)
        return is_comma

    def _fail(self, reason: str, at: int | None = None) -> NoReturn:
        raise JsonError(reason, self._line_at(self._at if at is None else at)) from None

    def _line_at(self, at: int) -> int:
        return self._line + self._text.count("\n", 0, at)

    def _no_constant(self, name: str) -> NoReturn:
        self._fail(f"it is not JSON: {name} is not a number that JSON has")
