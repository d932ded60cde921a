"""Front matter: what a page says about itself and its threads, as YAML between ``---`` lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from bot.sources.foreign_fields import DateError, date_of, field_of, line_of, texts_of
from bot.sources.json_thread import FieldError
from bot.sources.question_headings import is_faq_title
from bot.sources.report import SourceReport, printable

_MAX_LINES = 200
_MAX_TEXT = 16 * 1024
_MAX_BRACKETS = 300
"""The time that YAML takes grows with the square of how deeply they are nested."""


class _Loader(yaml.SafeLoader):
    """Knows the kinds of values that JSON has, and dates.

    What is none of the kind that it is written or named as, such as a date that no calendar has,
    stays as it stands there, for its reader to tell.
    """

    def value(self, node: yaml.ScalarNode) -> object:
        kind = node.tag.rpartition(":")[2]
        try:
            value: object = getattr(self, f"construct_yaml_{kind}")(node)
            str(value)  # a number may have more digits than are written
        except (ValueError, OverflowError, LookupError, AttributeError):
            return self.construct_scalar(node)
        return value

    def unknown(self, node: yaml.Node) -> None:
        self.construct_undefined(node)


for _kind in ("bool", "int", "float", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.value)
for _kind in ("binary", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.unknown)


def split(lines: Sequence[str]) -> tuple[dict[str, Any], int]:
    """Parse front matter and count its lines; an empty mapping and 0 if there is none.

    Raises FieldError when it is not YAML.
    """
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    ends = (i for i, line in enumerate(lines[1:_MAX_LINES], 1) if line.rstrip() in ("---", "..."))
    end = next(ends, None)
    if end is None:
        return {}, 0
    text = "\n".join(lines[1:end])
    if len(text) > _MAX_TEXT or text.count("[") + text.count("{") > _MAX_BRACKETS:
        raise FieldError("its front matter is too long, or nested too deeply")
    try:
        # With aliases, few bytes may stand for millions of values.
        events = yaml.parse(text, yaml.SafeLoader)
        has_aliases = any(isinstance(event, yaml.AliasEvent) for event in events)
        values = {} if has_aliases else yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 2})" if mark else ""
        raise FieldError(f"its front matter is not YAML{where}") from None
    if has_aliases:
        raise FieldError("its front matter has YAML aliases (*name), which are not read")
    if not isinstance(values, dict):
        return {}, 0  # a line between two rules
    return {str(key): _plain(value) for key, value in values.items()}, end + 1


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list) else value


_BY_FIELD: Mapping[str, Callable[[object, str], Any]] = {
    **dict.fromkeys("question id url author license source".split(), line_of),
    "tags": texts_of,
    "phrasings": texts_of,
    "date": date_of,
}
"""What front matter may say of a page's threads, and how a value of it is read."""

_IGNORED = frozenset("layout draft weight slug lang language order parent nav_order".split())
"""What site generators keep there, which says nothing about threads."""


class PageMetadata:
    """Front matter, read: ``question`` is its title, ``id`` stands before the threads' keys.

    A title that only says that the page has questions is its ``faq_title``, and no question.

    Raises FieldError for a value that a thread can't have; a date that can't be is left
    out with a note.
    """

    def __init__(self, about: Mapping[str, Any], path: Path, report: SourceReport):
        values: dict[str, Any] = {}
        # A site generator's slug is the id only where the page gives no other.
        for key, value in sorted(about.items(), key=lambda pair: pair[0] in _IGNORED):
            field = "source" if key == "source" else field_of(key) or ""
            if field in _BY_FIELD and not values.get(field):
                try:
                    values[field] = _BY_FIELD[field](value, printable(key))
                except DateError as error:
                    report.warn(str(error), path, 1)
            elif key not in _IGNORED:
                report.count_unknown(printable(key))
        title, asked = values.get("question", ""), values.get("date")
        self.faq_title = title if is_faq_title(title) else ""
        self.question = "" if self.faq_title else title
        self.id, self._url = values.get("id", ""), values.get("url", "")
        self._row: dict[str, Any] = {
            **{name: list(values.get(name, ())) for name in ("tags", "phrasings")},
            **{name: values.get(name) or None for name in ("author", "license", "source")},
            "asked_at": asked and asked.isoformat(),
        }
        self.of_answers = {"author": self._row["author"]}
        """What holds for an answer that has no heading of its own."""

    def row(self, anchor: str) -> dict[str, Any]:
        """Return the values of a thread; ``anchor`` is its place on the page."""
        url = f"{self._url}#{anchor}" if self._url and anchor else self._url
        phrasings = [] if anchor else self._row["phrasings"]
        return {**self._row, "phrasings": phrasings, "url": url or None}
