"""What a Markdown page says of itself in its front matter, for all its threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.sources.coercion import DateError, date_of, line_of, texts_of
from bot.sources.faq_titles import is_faq_title
from bot.sources.field_aliases import field_of
from bot.sources.json_thread import printable
from bot.sources.report import SourceReport

_FIELDS = frozenset("question id url tags phrasings author license source date".split())
"""What front matter may say of a page's threads."""

_IGNORED = frozenset("layout draft weight slug lang language order parent nav_order".split())
"""What site generators keep there, which says nothing about threads."""


class PageHead:
    """Front matter, read: ``question`` is its title, ``id`` stands before the threads' keys.

    A title that only says that the page has questions is its ``faq_title``, and no question.

    Raises FieldError for a value that a thread can't have; a date that can't be is left
    out with a note.
    """

    def __init__(self, about: Mapping[str, Any], path: Path, report: SourceReport):
        values: dict[str, Any] = {}
        for key, value in about.items():
            field = "source" if key == "source" else field_of(key)
            if field in _FIELDS and field not in values:
                values[field] = value
            elif key not in _IGNORED:
                report.count_unknown(printable(key))
        title = line_of(values.get("question"), "title")
        self.faq_title = title if is_faq_title(title) else ""
        self.question = "" if self.faq_title else title
        self.id = line_of(values.get("id"), "id")
        self._url = line_of(values.get("url"), "url")
        self._row: dict[str, Any] = {
            "tags": list(texts_of(values.get("tags"), "tags")),
            "phrasings": list(texts_of(values.get("phrasings"), "phrasings")),
        }
        for name in ("author", "license", "source"):
            self._row[name] = line_of(values.get(name), name) or None
        try:
            date = date_of(values.get("date"), "date")
        except DateError as error:
            report.warn(str(error), path, 1)
            date = None
        self._row["asked_at"] = date.isoformat() if date else None
        self.of_answers = {"author": self._row["author"]}
        """What holds for an answer that has no heading of its own."""

    def row(self, anchor: str) -> dict[str, Any]:
        """What holds for each thread; ``anchor`` is where it stands on the page."""
        url = f"{self._url}#{anchor}" if self._url and anchor else self._url
        phrasings = [] if anchor else self._row["phrasings"]
        return {**self._row, "phrasings": phrasings, "url": url or None}
