"""Threads as JSON objects: checked key by key when read, and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

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
ANSWER_KEYS = frozenset(field.json for field in ANSWER_FIELDS) | {"votes", "accepted_in"}

_ALWAYS = frozenset(("asked_at", "phrasings", "tags"))
"""Keys that exports of every version write."""

# The common forms of ISO 8601: a date, and a time that may have a zone.
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)


T = TypeVar("T")


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
    fields = JsonObject(row, "", warn)
    fields.count_unknown(THREAD_KEYS, count_unknown)
    answers = fields.typed("answers", FieldKind.TEXTS)
    values = fields.values(THREAD_FIELDS)
    return Thread(**values, answers=tuple(_answers(answers, count_unknown, warn)))


def thread_to(thread: Thread) -> dict[str, Any]:
    """Return a thread as a JSON object, with its keys in the documented order."""
    answers = [_json(answer, ANSWER_FIELDS) | _carried(answer) for answer in thread.answers]
    return _json(thread, THREAD_FIELDS) | {"answers": answers}


def _json(model: Thread | Answer, stored: Sequence[StoredField]) -> dict[str, Any]:
    found = {}
    for field in stored:
        value = getattr(model, field.name)
        if field.kind is FieldKind.DATE:
            value = iso_time(value)
        found[field.json] = list(value) if field.kind is FieldKind.TEXTS else value
    return found


def _carried(answer: Answer) -> dict[str, Any]:
    """Return what guilds said of an answer."""
    votes = {str(guild_id): votes for guild_id, votes in answer.tallies}
    accepted = {str(guild_id): iso_time(when) for guild_id, when in answer.accepted_in}
    return ({"votes": votes} if votes else {}) | ({"accepted_in": accepted} if accepted else {})


def _answers(
    rows: list[Any], count_unknown: Callable[[str], None], warn: Callable[[str], None] | None
) -> Iterator[Answer]:
    accepted: str | None = None
    keys: dict[str, str] = {}
    for index, row in enumerate(rows):
        name = f"answers[{index}]"
        if not isinstance(row, dict):
            raise FieldError(f"{name} must be an object, it is {quoted(row)}")
        fields = JsonObject(row, f"{name}.", warn)
        fields.count_unknown(ANSWER_KEYS, lambda key: count_unknown(f"answers[].{key}"))
        answer = Answer(
            **fields.values(ANSWER_FIELDS),
            tallies=fields.by_guild("votes", _sum, '{"GUILD_ID": 3} with whole numbers'),
            accepted_in=fields.by_guild(
                "accepted_in", _time, '{"GUILD_ID": "2024-05-31T12:30:00Z"} with dates'
            ),
        )
        if answer.accepted and accepted:
            raise FieldError(f"{name} is a second accepted answer, {accepted} is accepted already")
        if answer.key is not None and (first := keys.setdefault(answer.key, name)) != name:
            raise FieldError(f"{name}.id {quoted(answer.key)} is the id of {first} too")
        if answer.accepted:
            accepted = name
        yield answer


_TYPES: dict[FieldKind, tuple[str, type, Any]] = {
    FieldKind.TEXT: ("text", str, ""),
    FieldKind.OPTIONAL_TEXT: ("text or null", str, None),
    FieldKind.INTEGER: ("a whole number", int, 0),
    FieldKind.OPTIONAL_INTEGER: ("a whole number or null", int, None),
    FieldKind.FLAG: ("true or false", bool, False),
    FieldKind.TEXTS: ("a list", list, ()),
    FieldKind.DATE: ("text or null", str, None),
}
"""What values of a kind are called, their type in JSON, and what there is without one."""


class JsonObject:
    """One JSON object's values by key; errors name the key with where it stands.

    With ``warn``, a date that can't be read, or is in the far future, is ``None``, and ``warn``
    gets the remark.
    """

    def __init__(
        self, row: Mapping[str, Any], where: str, warn: Callable[[str], None] | None = None
    ):
        self._row, self._where, self._warn = row, where, warn

    def count_unknown(self, known: frozenset[str], count: Callable[[str], None]) -> None:
        """Call ``count`` with each key that is not known."""
        for key in self._row.keys() - known:
            count(printable(key))

    def values(self, stored: Sequence[StoredField]) -> dict[str, Any]:
        """Return the values of a model's fields. Raises FieldError."""
        return {
            field.name: self._key(field)
            if field.json == "id"
            else self.value(field.json, field.kind, is_required=field.is_required)
            for field in stored
        }

    def value(self, key: str, kind: FieldKind, *, is_required: bool = False) -> Any:
        """Return the value of a key as a field of this kind has it. Raises FieldError."""
        if kind is FieldKind.TEXTS:
            return self.items(key, FieldKind.TEXT)
        value = self.typed(key, kind, is_required=is_required)
        if is_required and isinstance(value, str) and not value.strip():
            raise FieldError(f"{self._where}{key} must not be empty")
        if isinstance(value, int) and value not in SCORES:
            raise self.wrong(key, "fit into 64 bits")
        return self._date(key, value) if kind is FieldKind.DATE and value is not None else value

    def items(self, key: str, kind: FieldKind, *, is_required: bool = False) -> tuple[Any, ...]:
        """Return the values of a list, which are all of one kind. Raises FieldError."""
        values = self.typed(key, FieldKind.TEXTS, is_required=is_required)
        named = {f"{key}[{i}]": value for i, value in enumerate(values)}
        items = JsonObject(named, self._where)
        return tuple(items.value(name, kind) for name in named)

    def typed(self, key: str, kind: FieldKind, *, is_required: bool = False) -> Any:
        """Return what stands under a key, of the type that this kind has in JSON."""
        called, type_, nothing = _TYPES[kind]
        value = self._row.get(key)
        if not is_required and (key not in self._row or (value is None and nothing is None)):
            return nothing
        if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
            must = called.removesuffix(" or null") if is_required else called
            raise self.wrong(key, f"be {must}")
        return storable(value, f"{self._where}{key}") if isinstance(value, str) else value

    def by_guild(self, key: str, parse: Callable[[Any], T], like: str) -> tuple[tuple[int, T], ...]:
        """Return values by guild, as an export has them; ``parse`` raises ValueError."""
        value = self._row.get(key, {})
        must = f"{self._where}{key} must be an object like {like}"
        if not isinstance(value, dict):
            raise FieldError(must)
        found = dict[int, T]()
        for guild, given in value.items():
            if not (re.fullmatch("0|[1-9][0-9]{0,18}", guild) and int(guild) in SCORES):
                raise FieldError(must)
            try:
                found[int(guild)] = parse(given)
            except ValueError:
                raise FieldError(must) from None
        return tuple(sorted(found.items()))

    def _key(self, field: StoredField) -> str | None:
        value = self._row.get("id")
        if value is None and not field.is_required:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self.wrong("id", "be text or a whole number")
        if not plain_key(storable(value, f"{self._where}id")):
            raise FieldError(f"{self._where}id must not be empty")
        return plain_key(value) if field.is_required else value

    def _date(self, key: str, text: str) -> datetime | None:
        try:
            date = parse_date(text)
        except ValueError:
            if self._warn is None:
                what = "be a date like 2024-05-31 or 2024-05-31T12:30:00Z"
                raise self.wrong(key, what) from None
            why = f"{quoted(text)} is no date like 2024-05-31"
        else:
            if self._warn is None or not is_far(date):
                return date
            why = f"{date:%Y-%m-%d} is far in the future"
        self._warn(f"{self._where}{key} {why}, and was left out")
        return None

    def wrong(self, key: str, must: str) -> FieldError:
        """Return the error for a value that is not what it must."""
        what = f"is {quoted(self._row[key])}" if key in self._row else "is missing"
        return FieldError(f"{self._where}{key} must {must}, it {what}")


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


def _sum(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in VOTES:
        raise ValueError
    return value


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError
    return parse_date(value)


def is_far(date: datetime) -> bool:
    """Return whether a date is further ahead of this computer's clock than any clock is wrong."""
    return date > datetime.now(UTC) + timedelta(days=366)


def iso_time(date: datetime | None) -> str | None:
    """Return a time in ISO 8601, in UTC."""
    return None if date is None else date.astimezone(UTC).isoformat().replace("+00:00", "Z")
