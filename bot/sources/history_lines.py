"""Lines of JSON with what was changed of threads: written behind an export's, read from there.

A thread that has a history has a line that names it, ``{"history": {"thread": 1, "id": …}}``, and
each of its states one, ``{"history": {"thread": 1, "action": …, "state": {…}}}``. Numbers of
threads, answers and changes hold within the file; who made a change is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.curation import Action, KeptHistory, Revision, ThreadState
from bot.sources.files import MAX_LINE_BYTES, SCORES, Broken, reason, unpacked
from bot.sources.json_thread import (
    FieldError,
    iso_time,
    parse_date,
    storable,
    thread_from,
    thread_to,
)
from bot.sources.report import Findings, SourceReport, quoted

HISTORY = "history"
"""The only key of such a line."""

Line = KeptHistory | Revision


def is_history(value: Mapping[str, Any]) -> bool:
    """Return whether a line is one of these."""
    return value.keys() == {HISTORY}


def write_history(line: Line) -> str:
    """Return a line with its newline."""
    row = _of_thread(line) if isinstance(line, KeptHistory) else _of_state(line)
    return json.dumps({HISTORY: row}, ensure_ascii=False, allow_nan=False) + "\n"


def read_histories(path: Path, report: SourceReport) -> Iterator[Line]:
    """Yield the histories of a file, in the order of its lines; names what is refused."""
    number = 0
    try:
        with unpacked(path) as (stream, _):
            while text := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if b'"history"' not in text[:20]:
                    continue
                try:
                    yield _parsed(json.loads(text)[HISTORY], report)
                except FieldError as error:
                    report.reject(str(error), path, number)
                except (ValueError, LookupError, TypeError, RecursionError):
                    report.reject("this line of a history can't be read", path, number)
    except Broken as error:
        report.reject(reason(error), path, number + 1)


def _of_thread(one: KeptHistory) -> dict[str, Any]:
    return {
        "thread": one.thread_id,
        "id": one.key,
        "title": one.title,
        "answers": list(one.answer_ids),
        "merged_into": one.merged_into,
        "overrides": one.overrides,
    }


def _of_state(one: Revision) -> dict[str, Any]:
    return {
        "thread": one.thread_id,
        "action": one.action.value,
        "at": iso_time(one.made_at),
        "change": one.change,
        "proposed": one.is_proposed,
        "retired": one.state.retired,
        "merged": list(one.state.merged),
        "answers": list(one.state.answer_ids),
        "state": thread_to(one.state.thread),
    }


def _parsed(row: object, report: Findings) -> Line:
    if not isinstance(row, dict):
        raise FieldError(f"history must be an object, it is {quoted(row)}")
    fields = _Row(row)
    return _state(fields, report) if "state" in row else _thread(fields)


def _thread(row: _Row) -> KeptHistory:
    return KeptHistory(
        thread_id=row.number("thread"),
        key=row.text("id"),
        title=row.text("title"),
        answer_ids=row.numbers("answers", row.number_in),
        merged_into=row.or_none("merged_into", row.number_in),
        overrides=row.or_none("overrides", row.text_in),
    )


def _state(row: _Row, report: Findings) -> Revision:
    unknown = report.unknown_keys
    thread = thread_from(row.values["state"], lambda key: unknown.update([f"state.{key}"]))
    answer_ids = row.numbers("answers", row.number_or_none)
    if len(answer_ids) != len(thread.answers):
        raise FieldError("history.answers must have a number, or null, for each answer")
    return Revision(
        id=0,
        thread_id=row.number("thread"),
        action=row.action(),
        user_id=0,
        made_at=row.time("at"),
        change=row.number("change"),
        state=ThreadState(
            thread=thread,
            answer_ids=answer_ids,
            retired=row.flag("retired"),
            merged=row.numbers("merged", row.number_in),
        ),
        is_proposed=row.flag("proposed"),
    )


class _Row:
    """The values of a line, by key. All raise FieldError with the key."""

    def __init__(self, values: Mapping[str, Any]):
        self.values = values

    def number(self, key: str) -> int:
        return self.number_in(key, self.values.get(key))

    def text(self, key: str) -> str:
        return self.text_in(key, self.values.get(key))

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def action(self) -> Action:
        value = self.values.get("action")
        if not isinstance(value, str) or value not in [*Action]:
            raise self._wrong("action", f"one of {', '.join(Action)}", value)
        return Action(value)

    def time(self, key: str) -> datetime:
        try:
            return parse_date(self.text(key))
        except ValueError:
            raise self._wrong(key, "a time", self.values.get(key)) from None

    def numbers(self, key: str, each: Callable[[str, Any], Any]) -> tuple[Any, ...]:
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list of numbers", value)
        found = tuple(each(key, one) for one in value)
        known = [one for one in found if one is not None]
        if len(known) != len(set(known)):
            raise self._wrong(key, "a list of different numbers", value)
        return found

    def or_none(self, key: str, read: Callable[[str, Any], Any]) -> Any:
        value = self.values.get(key)
        return None if value is None else read(key, value)

    def number_or_none(self, key: str, value: Any) -> int | None:
        return None if value is None else self.number_in(key, value)

    def number_in(self, key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value not in SCORES:
            raise self._wrong(key, "a number", value)
        return value

    def text_in(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "text", value)
        return storable(value, f"history.{key}")

    def _wrong(self, key: str, must: str, value: Any) -> FieldError:
        return FieldError(f"history.{key} must be {must}, it is {quoted(value)}")
