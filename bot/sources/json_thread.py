"""Threads as JSON objects: checked key by key when read, and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.models import (
    ANSWER_FIELDS,
    THREAD_FIELDS,
    Answer,
    FieldKind,
    StoredField,
    Thread,
    plain_key,
)
from bot.sources.files import SCORES, VOTES
from bot.sources.report import printable, quoted

THREAD_KEYS = frozenset(field.json for field in THREAD_FIELDS) | {"answers"}
ANSWER_KEYS = frozenset(field.json for field in ANSWER_FIELDS) | {"votes"}

_ALWAYS = frozenset(("asked_at", "phrasings", "tags"))
"""Keys that exports of every version write."""

# The common forms of ISO 8601: a date, and a time that may have a zone.
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)


class FieldError(ValueError):
    """A value that a thread can't have; the text names its key."""


def thread_from(
    row: object, count_unknown: Callable[[str], None], warn: Callable[[str], None] | None = None
) -> Thread:
    """Return the thread that one parsed JSON value holds; ``count_unknown`` gets unknown keys.

    Raises FieldError naming the first key that is wrong. With ``warn``, a date that can't
    be read or is in the far future is left out, and ``warn`` gets the remark.
    """
    if not isinstance(row, dict):
        raise FieldError(f"a thread must be a JSON object, this is {quoted(row)}")
    fields = _Object(row, "", warn)
    fields.count_unknown(THREAD_KEYS, count_unknown)
    answers = fields.items("answers")
    values = fields.read(THREAD_FIELDS)
    return Thread(**values, answers=tuple(_answers(answers, count_unknown, warn)))


def thread_to(thread: Thread) -> dict[str, Any]:
    """Return a thread as a JSON object, with its keys in the documented order."""
    answers = [_json(answer, ANSWER_FIELDS) | _votes(answer) for answer in thread.answers]
    return _json(thread, THREAD_FIELDS) | {"answers": answers}


def _json(model: Thread | Answer, stored: Sequence[StoredField]) -> dict[str, Any]:
    found = {}
    for field in stored:
        value = getattr(model, field.name)
        if field.kind is FieldKind.DATE:
            value = _iso(value)
        found[field.json] = list(value) if field.kind is FieldKind.TEXTS else value
    return found


def _votes(answer: Answer) -> dict[str, Any]:
    votes = {str(guild_id): votes for guild_id, votes in answer.tallies}
    return {"votes": votes} if votes else {}


def _answers(
    rows: list[Any], count_unknown: Callable[[str], None], warn: Callable[[str], None] | None
) -> Iterator[Answer]:
    accepted: str | None = None
    keys: dict[str, str] = {}
    for index, row in enumerate(rows):
        name = f"answers[{index}]"
        if not isinstance(row, dict):
            raise FieldError(f"{name} must be an object, it is {quoted(row)}")
        fields = _Object(row, f"{name}.", warn)
        fields.count_unknown(ANSWER_KEYS, lambda key: count_unknown(f"answers[].{key}"))
        answer = Answer(**fields.read(ANSWER_FIELDS), tallies=fields.tallies("votes"))
        if answer.accepted and accepted:
            raise FieldError(f"{name} is a second accepted answer, {accepted} is accepted already")
        if answer.key is not None and answer.key in keys:
            raise FieldError(f"{name}.id {quoted(answer.key)} is the id of {keys[answer.key]} too")
        if answer.accepted:
            accepted = name
        if answer.key is not None:
            keys[answer.key] = name
        yield answer


class _Object:
    """One JSON object's values by key; errors name the key with where it stands."""

    def __init__(
        self, row: dict[str, Any], where: str, warn: Callable[[str], None] | None = None
    ) -> None:
        self._row = row
        self._where = where
        self._warn = warn

    def count_unknown(self, known: frozenset[str], count: Callable[[str], None]) -> None:
        for key in self._row.keys() - known:
            count(printable(key))

    def read(self, stored: Sequence[StoredField]) -> dict[str, Any]:
        """Return the values of a model's fields. Raises FieldError."""
        return {field.name: self._read(field) for field in stored}

    def _read(self, field: StoredField) -> Any:
        key = field.json
        match field.kind:
            case _ if key == "id":
                return self.key() if field.is_required else self.key_or_none()
            case FieldKind.TEXT:
                return self._not_blank(key, "text") if field.is_required else self.text(key)
            case FieldKind.OPTIONAL_TEXT:
                return self.text_or_none(key)
            case FieldKind.INTEGER:
                return self.whole(key)
            case FieldKind.FLAG:
                return self.flag(key)
            case FieldKind.TEXTS:
                return self.texts(key)
            case FieldKind.DATE:
                return self.date(key)

    def key(self) -> str:
        key = self.key_or_none()
        if key is None:
            raise self._wrong("id", "must be text or a whole number", missing="id" not in self._row)
        return plain_key(key)

    def key_or_none(self) -> str | None:
        value = self._row.get("id")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is None:
            return None
        key = self._not_blank("id", "text or a whole number")
        if not plain_key(key):
            raise FieldError(f"{self._where}id must not be empty")
        return key

    def text(self, key: str) -> str:
        return self._text(key) if key in self._row else ""

    def text_or_none(self, key: str) -> str | None:
        return None if self._row.get(key) is None else self._text(key, "text or null")

    def texts(self, key: str) -> tuple[str, ...]:
        items = {f"{key}[{i}]": item for i, item in enumerate(self.items(key))}
        return tuple(map(_Object(items, self._where).text, items))

    def items(self, key: str) -> list[Any]:
        value = self._row.get(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, "must be a list")
        return value

    def flag(self, key: str) -> bool:
        value = self._row.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return value

    def whole(self, key: str) -> int:
        value = self._row.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "must be a whole number")
        if value not in SCORES:
            raise self._wrong(key, "must fit into 64 bits")
        return value

    def tallies(self, key: str) -> tuple[tuple[int, int], ...]:
        """Return votes by guild, as an export has them."""
        value = self._row.get(key, {})
        tallies = sorted(
            (int(guild), votes)
            for guild, votes in (value.items() if isinstance(value, dict) else ())
            if re.fullmatch("0|[1-9][0-9]{0,18}", guild)
            and int(guild) in SCORES
            and isinstance(votes, int)
            and not isinstance(votes, bool)
            and votes in VOTES
        )
        if not isinstance(value, dict) or len(tallies) < len(value):
            raise FieldError(
                f'{self._where}{key} must be an object like {{"GUILD_ID": 3}} with whole numbers'
            )
        return tuple(tallies)

    def date(self, key: str) -> datetime | None:
        text = self.text_or_none(key)
        if text is None:
            return None
        try:
            date = parse_date(text)
        except ValueError:
            what = "must be a date like 2024-05-31 or 2024-05-31T12:30:00Z"
            if self._warn is None:
                raise self._wrong(key, what) from None
            why = f"{quoted(text)} is no date like 2024-05-31"
        else:
            if self._warn is None or not is_far(date):
                return date
            why = f"{date:%Y-%m-%d} is far in the future"
        self._warn(f"{self._where}{key} {why}, and was left out")
        return None

    def _not_blank(self, key: str, what: str) -> str:
        text = self._text(key, what)
        if not text.strip():
            raise FieldError(f"{self._where}{key} must not be empty")
        return text

    def _text(self, key: str, what: str = "text") -> str:
        value = self._row.get(key)
        if not isinstance(value, str):
            raise self._wrong(key, f"must be {what}", missing=key not in self._row)
        return storable(value, f"{self._where}{key}")

    def _wrong(self, key: str, must: str, *, missing: bool = False) -> FieldError:
        what = "it is missing" if missing else f"it is {quoted(self._row.get(key))}"
        return FieldError(f"{self._where}{key} {must}, {what}")


def is_line(row: Mapping[str, Any]) -> bool:
    """Return whether an object may be a line of JSON Lines by its keys: it has none but ours.

    With a text and no word of answers, it is most likely somebody's article.
    """
    is_ours = {"id", "title"} <= row.keys() <= THREAD_KEYS
    return is_ours and ("answers" in row or not row.get("body"))


def is_export(row: Mapping[str, Any]) -> bool:
    """Return whether an object has the shape of a thread as exports write it, not only its names.

    Its answers are objects with a ``body``; where there are none, it has nothing but our keys
    and those that every export writes.
    """
    answers = row.get("answers")
    if not row.keys() >= {"id", "title"} or not isinstance(answers, list):
        return False
    if not answers:
        return _ALWAYS <= row.keys() <= THREAD_KEYS
    return all(isinstance(answer, dict) and "body" in answer for answer in answers)


def storable(text: str, name: str) -> str:
    """Return text that every database can store. Raises FieldError with the ``name``."""
    if "\0" in text:
        raise FieldError(f"{name} holds a NUL character, which text never does")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FieldError(f"{name} holds half of a surrogate pair") from None
    return text


def parse_date(text: str) -> datetime:
    """Parse a date in ISO 8601, in UTC. Raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError
    date = datetime.fromisoformat(text)
    try:
        # Without a zone it is taken for UTC, as most data sets mean it.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def is_far(date: datetime) -> bool:
    """Return whether a date is further ahead of this computer's clock than any clock is wrong."""
    return date > datetime.now(UTC) + timedelta(days=366)


def _iso(date: datetime | None) -> str | None:
    return None if date is None else date.astimezone(UTC).isoformat().replace("+00:00", "Z")
