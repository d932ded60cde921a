"""Values as other people's files have them: text for numbers, "yes" for true, lists in a cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

from bot.sources.date_checks import is_far
from bot.sources.json_thread import FieldError, moment, shown, sound
from bot.sources.limits import MAX_TEXT, SCORES
from bot.sources.markup import to_markdown
from bot.sources.markup.parsing import one_line, parse

_YES = frozenset("true yes y x 1 ✓ ✔ ✅ ja oui si sí sim tak да accepted best correct".split())
_NO = frozenset(["", *"false no n 0 - ✗ ✘ ❌ nein non nao não nie нет none null".split()])
_NUMBER = re.compile(r"[+\-\u2212]?[0-9]{1,19}(\.0+)?")
# What a browser would show as text: it begins with a tag, or one is closed in it.
_HTML = re.compile(
    r"\s*<(p|div|ul|ol|h[1-6]|span|strong|em|b|i|a|pre|br|table|blockquote)\b[^>]*>"
    r"|[^`]*</(p|a|li|ul|ol|div|strong|em|b|i|span|pre|h[1-6])>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<br[ \t]{0,3}/?>[ \t]*\n?", re.IGNORECASE)
_CODE = re.compile(r"((?<!`)`+[^`]+`+)")
_TABLE = re.compile(r"^[ \t]*\|", re.MULTILINE)


class Ready(str):
    """Text that is Markdown already."""

    __slots__ = ()


class DateError(ValueError):
    """A date that is left out: the text says why."""


def _words(html: str) -> str:
    return one_line(parse(html))


def text_of(value: object, name: str, convert: Callable[[str], str] = to_markdown) -> str:
    """Text without spaces around it; HTML becomes Markdown. Raises FieldError naming it."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FieldError(f"{name} must be text, it is {shown(value)}")
    text = str(value)
    if len(text) > MAX_TEXT:
        raise FieldError(
            f"{name} is {len(text):,} characters long; up to {MAX_TEXT:,} are read, "
            "and a whole file in one text is most likely a quote that is never closed"
        )
    if "\r" in text:  # other ends of lines would be kept as a part of the text
        text = re.sub(r"\r\n?", "\n", text)
    is_html = not isinstance(value, Ready) and _HTML.match(text)
    if not is_html and not isinstance(value, Ready) and _BREAK.search(text):
        text = _with_lines(text)
    return sound(convert(text) if is_html else text.strip(), name)


def _with_lines(text: str) -> str:
    """Text with lines where it has ``<br>``, and with the letters that its entities mean."""
    if _TABLE.search(text):  # of Markdown, whose rows are lines
        return text
    parts = _CODE.split(text)
    parts[::2] = [unescape(_broken(part)).replace("\xa0", " ") for part in parts[::2]]
    return "".join(parts)


def _broken(text: str) -> str:
    """Text with an end of line for each ``<br>`` and the spaces around it."""
    *lines, last = _BREAK.split(text)
    return "\n".join([*(line.rstrip(" \t") for line in lines), last])


def line_of(value: object, name: str) -> str:
    """Text on one line, as a title is; of HTML the words alone."""
    return " ".join(text_of(value, name, _words).split())


def texts_of(value: object, name: str) -> tuple[str, ...]:
    """Several texts, each on one line: a list, or a text with commas, semicolons, bars, lines."""
    if isinstance(value, str):
        value = re.split(r"[,;|\n]|(?<=>)(?=<)", value)
    items = value if isinstance(value, list) else [value]
    found = (line_of(item, name).strip("<>") for item in items)
    return tuple(dict.fromkeys(filter(None, found)))


def number_of(value: object, name: str) -> int:
    """A whole number; nothing is 0. Raises FieldError naming it."""
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if not text and not isinstance(value, bool):
        return 0
    number = int(text.replace("\u2212", "-").split(".")[0]) if _NUMBER.fullmatch(text) else None
    if number is None or number not in SCORES:
        raise FieldError(f"{name} must be a whole number, it is {shown(value)}")
    return number


def flag_of(value: object, name: str) -> bool:
    """Yes or no, in many words; nothing is no. Raises FieldError naming it."""
    word = "" if value is None else str(value).strip().casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise FieldError(f"{name} must be yes or no, it is {shown(value)}")


def date_of(value: object, name: str) -> datetime | None:
    """A date in ISO 8601 or in seconds since 1970; nothing is none.

    Raises DateError when it is neither, or further ahead than any clock is wrong.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        date = _moment(value)
    except (ValueError, OverflowError, OSError):
        raise DateError(
            f"{name} {shown(value)} is no date like 2024-05-31, and was left out"
        ) from None
    if is_far(date):
        raise DateError(f"{name} {shown(value)} is far in the future, and was left out")
    return date


def _moment(value: object) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Milliseconds, as JavaScript counts, are beyond any year that seconds could mean.
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    if not isinstance(value, str):
        raise ValueError
    text = value.strip()
    if re.fullmatch(r"[0-9]{9,13}", text):
        return _moment(int(text))
    return moment(text.replace("/", "-"))
