"""Reader of other programs' JSON: pairs of question and answer under common names.

Read are lists of objects, wherever they stand in the file (``[{"question": …, "answer": …}]``,
``{"faqs": [...]}``, lists within categories, other bots' exports), and maps from a question to
its answer, or a list of them (``{"How do I vote?": "With an arrow."}``). An object of our own
JSON Lines is one too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from bot.errors import InputError, InputPlace
from bot.models import Thread
from bot.sources.decoding import FileHead, read_text
from bot.sources.file_format import Format
from bot.sources.files import Options
from bot.sources.foreign_fields import FieldNames, field_of, listed
from bot.sources.group_by_question import OF_ANSWERS, FieldValues, QuestionGrouper
from bot.sources.help_desk import as_pair, is_article, is_draft, marked
from bot.sources.json_thread import FieldError, is_export, is_line, thread_from
from bot.sources.report import SourceReport, printable, quoted

SHAPES = (
    'read are a list of objects like {"question": "…", "answer": "…"}, alone or under a key such '
    'as "faqs"; a map {"How do I …?": "answer"}; and threads as Threadwise exports them'
)
_DEEP = 12
"""How far down lists of pairs are looked for."""

_NOTHING: tuple[object, ...] = (None, "", [], {})

_TEXT_KEYS = ("body", "text", "content", "value", "message")
"""Where an object that is an answer may have its text, beside the names of answers."""


def looks_like_json(head: FileHead) -> bool:
    """Return whether the file is one JSON value; JSON Lines with a single line is that as well."""
    text = head.text.lstrip()
    if text.startswith("["):
        return re.match(r"\[\s*[\[{\"\]]", text) is not None
    if not text.startswith("{"):
        return False
    return "\n" not in text.strip() or is_spread(text)


def is_spread(text: str) -> bool:
    """Return whether an object goes on after its first line: JSON, but not JSON Lines."""
    return text.partition("\n")[0].rstrip().endswith(("{", "[", ","))


def read_json(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Yield the threads of a JSON file; names each entry that is refused in the report.

    Raises InputError when it is not JSON, or of another shape, OSError when it can't be read.
    """
    try:
        value = load_json(read_text(path, options))
    except json.JSONDecodeError as error:
        raise InputError(f"it is not JSON: {error.msg}", path, error.lineno) from None
    except FieldError as error:
        raise InputError(str(error), path) from None
    except ValueError as error:
        raise InputError(f"it is not JSON: {error}", path) from None
    entries = QaObjects(path, report, options)
    if not entries.take(value, ""):
        raise InputError(f"its JSON has another shape{keys_of(value)}; {SHAPES}", path)
    yield from entries.threads()


def is_ours(row: Mapping[str, Any]) -> bool:
    """Return whether a line is meant as a thread of our JSON Lines, rather than somebody's pair."""
    said = {"question", "answer"}
    return row.keys() >= {"id", "title"} and not any(
        field_of(key) in said for key in row if key not in ("title", "answers")
    )


class QaObjects:
    """Takes one file's JSON objects in as threads; their keys tell what they are."""

    def __init__(self, path: Path, report: SourceReport, options: Options):
        self._report, self._names = report, FieldNames(options.columns)
        self._grouper = QuestionGrouper(path, report)
        self._ours: dict[str, Thread] = {}
        self._places: dict[str, InputPlace] = {}

    def threads(self) -> Iterator[Thread]:
        """Yield the threads of all objects that were taken in."""
        yield from self._ours.values()
        for thread in self._grouper.threads():
            if thread.key in self._ours:
                self._grouper.reject("another entry has this id", thread.key)
            else:
                yield thread

    def take(self, value: object, where: str, depth: int = 0) -> bool:
        """Take in the entries of a value; whether there were any."""
        if depth > _DEEP:
            return False
        if isinstance(value, list):
            return self._take_list(value, where, depth)
        if not isinstance(value, dict):
            return False
        if (not where and is_line(value)) or self.is_entry(value):
            self.entry(value, where or "the object")
            return True
        if _is_map(value):
            for number, (question, answer) in enumerate(value.items(), 1):
                self._mapped(question, answer, _at(where, f"entry {number}"))
            return True
        inner = [
            self.take(marked(key, item), _at(where, key), depth + 1) for key, item in value.items()
        ]
        return any(inner)

    def entry(self, row: Mapping[str, Any], where: InputPlace) -> None:
        """Take in one object: an article, a thread in our form, or a pair."""
        if is_article(row, self._names):
            if is_draft(row):
                self._report.pass_over("drafts")
            else:
                self._grouper.add(self._row(as_pair(row)), where)
        elif self.is_pair(row) and not is_export(row):
            self._grouper.add(self._row(row), where)
        elif thread := self.thread(row, where):
            self._ours[thread.key] = thread

    def thread(self, row: object, where: InputPlace) -> Thread | None:
        """Return the thread of a value in our form; name in the report why there is none."""
        try:
            thread = thread_from(
                row, self._report.count_unknown, partial(self._grouper.warn, where=where)
            )
        except FieldError as error:
            self._grouper.reject(str(error), where)
            return None
        first = self._places.setdefault(thread.key, where)
        if first == where:
            return thread
        same = "that of another entry; ids must differ"
        if isinstance(first, int):
            same = f"the same as on line {first}; ids must differ within a file"
        self._grouper.reject(f"its id is {same}", where)
        return None

    def _mapped(self, question: str, answer: object, where: str) -> None:
        """Take in one question of a map, with its answer or a list of them."""
        odd = next((item for item in listed(answer) if isinstance(item, dict | list)), None)
        if odd is None:
            self._grouper.add({"question": question, "answer": answer}, where)
        else:
            self._grouper.reject(
                f"the answer to {quoted(question)} must be text or a list of texts, "
                f"it holds {quoted(odd)}",
                where,
            )

    def _take_list(self, items: list[Any], where: str, depth: int) -> bool:
        entries = [isinstance(item, dict) and self.is_entry(item) for item in items]
        if not any(entries):
            inner = [
                self.take(item, f"{where}[{number}]", depth + 1)
                for number, item in enumerate(items)
            ]
            return any(inner)
        for number, (item, good) in enumerate(zip(items, entries, strict=True)):
            if good:
                self.entry(item, f"{where}[{number}]")
            else:
                self._grouper.reject(
                    f"it has no question with an answer{keys_of(item)}", f"{where}[{number}]"
                )
        return True

    def is_entry(self, row: Mapping[str, Any]) -> bool:
        """Return whether an object has a question with an answer, or is a thread of ours."""
        return is_export(row) or is_article(row, self._names) or self.is_pair(row)

    def is_pair(self, row: Mapping[str, Any]) -> bool:
        """Return whether an object has a question with an answer."""
        fields = self._names.by_field(row)
        return {"question", "answer"} <= fields.keys() and not isinstance(
            row[fields["question"]], dict
        )

    def _row(self, row: Mapping[str, Any]) -> FieldValues:
        """Return values by field; of several names for one, the first with a value counts."""
        values: dict[str, Any] = {}
        for key, value in row.items():
            field = self._names.field(key)
            if field is None:
                self._report.count_unknown(printable(key))
            elif field not in values or values[field] in _NOTHING:
                values[field] = value
            elif value not in (values[field], *_NOTHING):
                self._report.pass_over("values under a second name of the same field")
        values["answer"] = [self._answer(item) for item in listed(values.get("answer"))]
        if isinstance(values.get("tags"), dict):
            values["tags"] = list(values["tags"].values())
        return values

    def _answer(self, item: object) -> object:
        if not isinstance(item, dict):
            return item
        names = self._names.by_field(item)
        for field, other in (("answer", "body"), ("answer_id", "id"), ("answer_url", "url")):
            if other in names:
                names.setdefault(field, names[other])
        text = next((key for key in _TEXT_KEYS if key in item), None)
        if "answer" not in names and text is not None:
            names["answer"] = text
        values = {field: item[name] for field, name in names.items() if field in OF_ANSWERS}
        used = {name for field, name in names.items() if field in values}
        for key in item.keys() - used:
            if item[key] not in _NOTHING:
                self._report.count_unknown(f"answers[].{printable(key)}")
        return values


def _is_map(value: Mapping[str, Any]) -> bool:
    """Return whether an object maps questions to answers: sentences to texts.

    An object may be what entries stand in, unless its key is a question for certain.
    """
    return any(map(_is_said, value.values())) and all(
        re.search(r"[?？]" if _holds_more(answer) else r"[?？]|\S\s+\S", question)
        for question, answer in value.items()
    )


def _is_said(answer: object) -> bool:
    """Return whether an answer is a text, or a list of texts."""
    return bool(listed(answer)) and all(isinstance(item, str) for item in listed(answer))


def _holds_more(answer: object) -> bool:
    return any(isinstance(item, dict | list) for item in listed(answer))


def _at(where: str, key: str) -> str:
    return f"{where}.{printable(key)}" if where else printable(key)


def keys_of(value: object) -> str:
    """Return which keys an object has, or the first one of a list, as a message shows them."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    if not isinstance(value, dict) or not value:
        return ""
    return f" (its keys are {', '.join(map(printable, list(value)[:12]))})"


def load_json(text: str) -> Any:
    """Parse JSON.

    Raises json.JSONDecodeError, FieldError for what only Python takes for JSON or is nested too
    deeply, and ValueError for a number of over 4,300 digits.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise FieldError("its JSON is nested too deeply") from None


def _no_constant(name: str) -> NoReturn:
    raise FieldError(f"it is not JSON: {name} is not a number that JSON has")


FORMAT = Format(
    name="json",
    suffixes=(".json",),
    looks_like=looks_like_json,
    read=read_json,
)
