"""Lines of JSON with what was changed of threads: written behind an export's, read from there.

A thread that has a history has a line that names it, ``{"history": {"thread": 1, "id": …}}``, and
each of its states one, ``{"history": {"thread": 1, "action": …, "state": {…}}}``. Numbers of
threads, answers and changes hold within the file; who made a change is not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.curation import Action, KeptHistory, Revision, ThreadState
from bot.models import FieldKind, plain_key
from bot.sources.files import MAX_LINE_BYTES, Broken, reason, unpacked
from bot.sources.json_thread import FieldError, JsonObject, iso_time, thread_from, thread_to
from bot.sources.report import Findings, SourceReport, quoted

HISTORY = "history"
"""The only key of such a line."""

_BEGIN = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"history"')

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
                if not _BEGIN.match(text):
                    continue
                try:
                    value = json.loads(text)
                    if is_history(value):
                        yield _parsed(value[HISTORY], report)
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
        raise FieldError(f"{HISTORY} must be an object, it is {quoted(row)}")
    fields = JsonObject(row, f"{HISTORY}.")
    return _state(fields, row["state"], report) if "state" in row else _thread(fields)


def _thread(row: JsonObject) -> KeptHistory:
    key = plain_key(row.value("id", FieldKind.TEXT, is_required=True))
    if not key:
        raise FieldError(f"{HISTORY}.id must not be empty")
    return KeptHistory(
        thread_id=row.value("thread", FieldKind.INTEGER, is_required=True),
        key=key,
        title=row.value("title", FieldKind.TEXT, is_required=True),
        answer_ids=_numbers(row, "answers", FieldKind.INTEGER),
        merged_into=row.value("merged_into", FieldKind.OPTIONAL_INTEGER),
        overrides=row.value("overrides", FieldKind.OPTIONAL_TEXT),
    )


def _state(row: JsonObject, state: object, report: Findings) -> Revision:
    unknown = report.unknown_keys
    thread = thread_from(state, lambda key: unknown.update([f"state.{key}"]))
    answer_ids = _numbers(row, "answers", FieldKind.OPTIONAL_INTEGER)
    if len(answer_ids) != len(thread.answers):
        raise FieldError(f"{HISTORY}.answers must have a number, or null, for each answer")
    action = row.value("action", FieldKind.TEXT, is_required=True)
    if action not in [*Action]:
        raise row.wrong("action", f"be one of {', '.join(Action)}")
    change = row.value("change", FieldKind.INTEGER, is_required=True)
    is_proposed = row.value("proposed", FieldKind.FLAG, is_required=True)
    if change == 0 and (action != Action.IMPORTED or is_proposed):
        raise row.wrong("change", "be another number unless it is what a thread was at first")
    return Revision(
        id=0,
        thread_id=row.value("thread", FieldKind.INTEGER, is_required=True),
        action=Action(action),
        user_id=0,
        made_at=row.value("at", FieldKind.DATE, is_required=True),
        change=change,
        state=ThreadState(
            thread=thread,
            answer_ids=answer_ids,
            retired=row.value("retired", FieldKind.FLAG, is_required=True),
            merged=_numbers(row, "merged", FieldKind.INTEGER),
        ),
        is_proposed=is_proposed,
    )


def _numbers(row: JsonObject, key: str, kind: FieldKind) -> tuple[Any, ...]:
    """Return a list of numbers, of which none is there twice."""
    found = row.items(key, kind, is_required=True)
    known = [one for one in found if one is not None]
    if len(known) != len(set(known)):
        raise row.wrong(key, "be a list of different numbers")
    return found
