"""Checks of a dump's rows on their way into the staging database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sources.files import MAX_TEXT, SCORES
from bot.sources.report import SourceReport
from bot.sources.stackexchange.build import date_of
from bot.sources.stackexchange.staging_db import ANSWER, QUESTION, StagingDatabase
from bot.sources.stackexchange.xml_rows import XmlRow, XmlRows

_OTHERS = {
    "3": "orphaned tag wikis",
    "4": "tag wiki excerpts",
    "5": "tag wikis",
    "6": "moderator nominations",
    "7": "wiki placeholders",
    "8": "privilege wikis",
}
_LINKED, _DUPLICATE = "1", "3"
_VALUES = {"2": 1, "3": -1}  # of the kinds of votes that make a score


class RowLoader:
    """Loads one dump's rows into the staging database; reports what is wrong with them."""

    def __init__(self, database: StagingDatabase, report: SourceReport):
        self._database, self._report = database, report
        # A clock may be wrong by a day; whoever wrote after that has not written yet.
        self._latest = datetime.now(UTC) + timedelta(days=1)

    def load(self, part: str, rows: XmlRows, chunks: Iterable[bytes]) -> Iterator[None]:
        """Take in the rows of a part of the dump, pausing now and then."""
        parts: dict[str, tuple[Any, Callable[[Any], object]]] = {
            "posts": (self._post, lambda post: self._add_post(post, rows)),
            "users": (self._user, self._database.add_user),
            "postlinks": (self._link, self._database.add_link),
            "votes": (self._vote, self._database.add_vote),
        }
        read, add = parts[part]
        for row in rows.of(chunks):
            if row is None:
                yield
            elif (value := read(row, rows)) is not None:
                add(value)

    def _add_post(self, post: tuple[Any, ...], rows: XmlRows) -> None:
        if not self._database.add_post(post):
            self._report.reject(f"the id {post[0]} is taken by a row before", rows.path, post[3])

    def _post(self, row: XmlRow, rows: XmlRows) -> tuple[Any, ...] | None:
        get = row.values.get
        kind = get("PostTypeId")
        if kind not in ("1", "2"):
            self._pass_over(kind, row, rows)
            return None
        number = self._id(row, rows, "Id")
        if number is None:
            return None
        title = (get("Title") or "").strip()
        thread = number if kind == "1" else self._id(row, rows, "ParentId")
        if thread is None:
            return None
        if kind == "1" and not title:
            self._refuse(rows, row, f"question {number} has no title")
            return None
        if kind == "2" and not (get("Body") or "").strip():
            self._refuse(rows, row, f"answer {number} has no text")
            return None
        return (
            number,
            thread,
            QUESTION if kind == "1" else ANSWER,
            row.line,
            self._number(row, rows, "AcceptedAnswerId"),
            self._number(row, rows, "Score"),
            self._date(row, rows, "CreationDate"),
            self._date(row, rows, "ClosedDate"),
            title if kind == "1" else None,
            get("Tags"),
            self._number(row, rows, "OwnerUserId"),
            (get("OwnerDisplayName") or "").strip() or None,
            (get("ContentLicense") or "").strip() or None,
            self._body(row, rows),
        )

    def _user(self, row: XmlRow, rows: XmlRows) -> tuple[int, str] | None:
        number, name = self._id(row, rows, "Id"), (row.values.get("DisplayName") or "").strip()
        return (number, name) if number is not None and name else None

    def _link(self, row: XmlRow, rows: XmlRows) -> tuple[int, int, bool] | None:
        kind = row.values.get("LinkTypeId")
        if kind not in (_LINKED, _DUPLICATE):
            self._report.pass_over("links of other kinds")
            return None
        post, target = self._id(row, rows, "PostId"), self._id(row, rows, "RelatedPostId")
        return None if post is None or target is None else (post, target, kind == _DUPLICATE)

    def _vote(self, row: XmlRow, rows: XmlRows) -> tuple[int, int] | None:
        value = _VALUES.get(row.values.get("VoteTypeId", ""))
        post = self._number(row, rows, "PostId")
        return None if value is None or post is None else (post, value)

    def _pass_over(self, kind: str | None, row: XmlRow, rows: XmlRows) -> None:
        if kind is None or _whole(kind) is None:
            self._refuse(rows, row, f"PostTypeId {_shown(kind)}")
        else:
            self._report.pass_over(_OTHERS.get(kind, "posts of other kinds"))

    def _id(self, row: XmlRow, rows: XmlRows, name: str) -> int | None:
        """Return a number that a row can't do without."""
        text = row.values.get(name)
        if text is not None and (number := _whole(text)) is not None:
            return number
        self._refuse(rows, row, f"{name} {_shown(text)}")
        return None

    def _number(self, row: XmlRow, rows: XmlRows, name: str) -> int | None:
        """Return a number that may be missing; a wrong one is as good as missing."""
        text = row.values.get(name)
        number = _whole(text) if text else None
        if text and number is None:
            self._warn(rows, row, f"{name} {_shown(text)}, and is left out")
        return number

    def _date(self, row: XmlRow, rows: XmlRows, name: str) -> str | None:
        """Return a date that may be missing, as text; a wrong one is left out."""
        text: str | None = row.values.get(name)
        if not text:
            return None
        try:
            if date_of(text) <= self._latest:
                return text
            why = f"{text} lies in the future"
        except (ValueError, OverflowError):
            why = _shown(text)
        self._warn(rows, row, f"{name} {why}, and is left out")
        return None

    def _body(self, row: XmlRow, rows: XmlRows) -> str:
        """Return the text, with a warning if it is longer than anybody would write."""
        text: str = row.values.get("Body") or ""
        if len(text) > MAX_TEXT:
            size = f"{len(text):,} characters"
            self._warn(rows, row, f"its text has {size}; all are kept, the first are searched")
        return text

    def _refuse(self, rows: XmlRows, row: XmlRow, why: str) -> None:
        self._report.reject(why, rows.path, row.line)

    def _warn(self, rows: XmlRows, row: XmlRow, what: str) -> None:
        self._report.warn(what, rows.path, row.line)


def _whole(text: str) -> int | None:
    """Return a whole number that fits into 64 bits."""
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        return None
    number = int(text)
    return number if number in SCORES else None


def _shown(text: str | None) -> str:
    return "is missing" if text is None else f"can't be {text[:40]!r}"
