"""Grouping of pairs of question and answer: one thread for each question.

Its key is the file's name, ``#``, and the id that the file gives (``faq#12``: the next
spreadsheet counts from 1 as well) or the words of the question (``faq#how-do-i-vote``), so
that an edited answer stays with its votes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bot.models import Answer, Thread, plain_key
from bot.sources.foreign_fields import (
    DateError,
    date_of,
    flag_of,
    line_of,
    number_of,
    text_of,
    texts_of,
)
from bot.sources.json_thread import FieldError
from bot.sources.report import SourceReport, printable, shown_path

T = TypeVar("T")

Place = int | str
"""A line's number, or the place in a file that has no lines to speak of."""

FieldValues = Mapping[str, Any]
"""Values by field, as ``foreign_fields.FIELDS`` calls them; ``answer`` may be a list.

``anchor`` is where in its file the question stands, for its key. ``dropped`` names what else
there was, which nothing is made of.
"""

OF_ANSWERS = frozenset("answer answer_id score accepted author license answer_url date".split())
"""What a row that is an answer may say; of a question's row, ``license`` is the question's."""

_SLUG = 80


def slug(text: str) -> str:
    """Return the words of a text as in a link to a heading: ``how-do-i-vote``; never empty."""
    words = re.sub(r"[^\w\- ]", "", text.casefold()).strip()
    name = re.sub(r"[ \-]+", "-", words).strip("-")
    if 0 < len(name) <= _SLUG:
        return name
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{name[: _SLUG - 9].rstrip('-')}-{mark}".lstrip("-")


def key_prefix(path: Path) -> str:
    """Return the name of a file in the keys of its threads."""
    return plain_key(str(shown_path(Path(path.name))).split(".", 1)[0]) or "file"


class KeyMaker:
    """Makes keys of questions' words that differ within a file: ``faq#how``, ``faq#how-1``."""

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._repeats: Counter[str] = Counter()

    def key_of(self, words: str, is_taken: Callable[[str], bool]) -> str:
        """Return a key that is not taken yet."""
        key = base = f"{self._prefix}#{words}"
        while is_taken(key):
            self._repeats[base] += 1
            key = f"{base}-{self._repeats[base]}"
        return key


@dataclass(slots=True)
class _Question:
    """One question so far; a row is looked up in sets, as there may be thousands of them."""

    where: Place
    thread: Thread
    words: str
    answers: list[Answer] = field(default_factory=list)
    phrasings: dict[str, None] = field(default_factory=dict)
    accepted: int = 0
    _known: set[Answer] = field(default_factory=set)
    _keys: set[str] = field(default_factory=set)

    def new_of(self, answers: Iterable[Answer]) -> list[Answer]:
        """Return the answers that the question doesn't have yet."""
        return [answer for answer in answers if answer not in self._known]

    def repeats_key(self, new: Sequence[Answer]) -> bool:
        """Return whether one of the new answers has the id of another of the question's answers."""
        keys = [answer.key for answer in new if answer.key is not None]
        return len(set(keys)) < len(keys) or not self._keys.isdisjoint(keys)

    def take(self, new: Sequence[Answer], phrasings: Iterable[str]) -> None:
        """Take in answers that are new, and phrasings that may be."""
        self.answers += new
        self._known.update(new)
        self._keys.update(answer.key for answer in new if answer.key is not None)
        self.accepted += sum(answer.accepted for answer in new)
        self.phrasings |= dict.fromkeys(phrasings)


class QuestionGrouper:
    """Groups one file's rows into threads; ``called`` returns a field's name in messages."""

    def __init__(
        self, path: Path, report: SourceReport, called: Callable[[str], str] = lambda field: field
    ):
        self._path, self._report, self._called = path, report, called
        self._name = key_prefix(path)
        self._keys = KeyMaker(self._name)
        self._questions: dict[str, _Question] = {}
        self._by_question: dict[str, str] = {}

    def add(self, row: FieldValues, where: Place) -> None:
        """Take in one row; what can't be is named in the report with where it stands."""
        try:
            self._add(row, where)
        except FieldError as error:
            self.reject(str(error), where)

    def reject(self, why: str, where: Place) -> None:
        """Name a row that is not accepted."""
        self._say(self._report.reject, why, where)

    def warn(self, what: str, where: Place) -> None:
        """Name a row that is taken in otherwise than it stands there."""
        self._say(self._report.warn, what, where)

    def threads(self) -> Iterator[Thread]:
        """Yield the threads, in the order of the questions' first rows."""
        for question in self._questions.values():
            yield replace(
                question.thread,
                answers=tuple(question.answers),
                phrasings=tuple(question.phrasings),
            )

    def _add(self, row: FieldValues, where: Place) -> None:
        said = row.get("question")
        titles = [
            title
            for item in (said if isinstance(said, list) else [said])
            if (title := line_of(item, self._called("question")))
        ]
        if not titles:
            raise FieldError(f"{self._called('question')} must not be empty")
        given_id = plain_key(self._value(row, "id", line_of))
        given = given_id and f"{self._name}#{given_id}"
        for name in row.get("dropped", ()):
            self._report.count_unknown(name)
        every = list(self._answers(row, where))
        answers = list(dict.fromkeys(every))
        if not answers:
            raise FieldError(f"{self._called('answer')} must not be empty")
        words = _words(titles[0])
        key = given or self._by_question.get(words)
        question = None if key is None else self._questions.get(key)
        if question is None:
            words_of_key = line_of(row.get("anchor"), "anchor") or slug(titles[0])
            thread = self._thread(row, titles[0], where)
            key = given or self._keys.key_of(words_of_key, self._questions.__contains__)
            thread = replace(thread, key=key, former_key=given_id or None)
            question = _Question(where, thread, words)
        if len(answers) < len(every):
            self._report.pass_over("repeated answers", len(every) - len(answers))
        new = question.new_of(answers)
        self._check(question, words, new, given, where)
        repeated = len(answers) - len(new)
        if where != question.where and repeated and words == question.words:
            self._report.pass_over("repeated answers", repeated)
        self._questions.setdefault(question.thread.key, question)
        self._by_question.setdefault(words, question.thread.key)
        phrasings = [*titles[1:], *self._value(row, "phrasings", texts_of)]
        if words != question.words:
            phrasings.insert(0, titles[0])
        question.take(new, phrasings)

    def _check(
        self, question: _Question, words: str, new: list[Answer], given: str, where: Place
    ) -> None:
        """Raise FieldError if these answers can't be given to the question."""
        before = f"line {question.where}" if isinstance(question.where, int) else question.where
        # The same answer to other words is another way to ask; another answer is a mistake.
        if given and words != question.words and new:
            raise FieldError(f"its id is the same as that of {before}, which asks something else")
        if question.accepted + sum(answer.accepted for answer in new) > 1:
            before = f"; the first is at {before}" if question.answers else ""
            raise FieldError(f"a second accepted answer{before}")
        if question.repeats_key(new):
            raise FieldError("two of the question's answers have the same id")

    def _thread(self, row: FieldValues, title: str, where: Place) -> Thread:
        return Thread(
            key="",
            title=title,
            body=self._value(row, "body", text_of),
            score=self._value(row, "question_score", number_of),
            tags=self._value(row, "tags", texts_of),
            url=self._value(row, "url", line_of) or None,
            author=self._value(row, "question_author", line_of) or None,
            license=self._value(row, "license", line_of) or None,
            asked_at=self._date(row, "asked_at", where),
        )

    def _answers(self, row: FieldValues, where: Place) -> Iterator[Answer]:
        said = row.get("answer")
        items = said if isinstance(said, list) else [said]
        empty, some = 0, False
        for item in items:
            # What is said of the row holds for its answer; of several, each says its own.
            own = item if isinstance(item, dict) else {**row, "answer": item}
            if len(items) > 1 and not isinstance(item, dict):
                own = {"answer": item, "author": row.get("author")}
            body = self._value(own, "answer", text_of)
            for name in item.get("dropped", ()) if isinstance(item, dict) else ():
                self._report.count_unknown(f"answers[].{printable(name)}")
            empty += not body
            some = some or bool(body)
            if body:
                given = {"license": item.get("license")} if isinstance(item, dict) else {}
                yield Answer(
                    body=body,
                    score=self._value(own, "score", number_of),
                    accepted=self._value(own, "accepted", flag_of),
                    key=self._value(own, "answer_id", line_of) or None,
                    author=self._value(own, "author", line_of) or None,
                    url=self._value(own, "answer_url", line_of) or None,
                    # That of the question holds for an answer that gives none.
                    license=self._value(given, "license", line_of) or None,
                    answered_at=self._date(own, "date", where),
                )
        # Where none has a text, the question as a whole is refused.
        if some and empty:
            self._report.pass_over("answers without a text", empty)
        self._count_unassigned(row, items)

    def _count_unassigned(self, row: FieldValues, items: list[Any]) -> None:
        """Count what is said beside answers that say all themselves, or of one of several."""
        own = [isinstance(item, dict) for item in items]
        if len(items) == 1 and not own[0]:
            return
        for name in ("answer_id", "score", "accepted", "author", "answer_url", "date"):
            if row.get(name) not in (None, "", []) and (name != "author" or all(own)):
                self._report.pass_over(f"values of {self._called(name)!r} that belong to no answer")

    def _value(self, row: FieldValues, field: str, read: Callable[[object, str], T]) -> T:
        return read(row.get(field), self._called(field))

    def _date(self, row: FieldValues, field: str, where: Place) -> datetime | None:
        try:
            return self._value(row, field, date_of)
        except DateError as error:
            self.warn(str(error), where)
            return None

    def _say(self, tell: Callable[..., None], what: str, where: Place) -> None:
        if isinstance(where, int):
            tell(what, self._path, where)
        else:
            tell(f"{where}: {what}", self._path)


def _words(title: str) -> str:
    """Normalise letter case and spaces of a question."""
    return " ".join(title.casefold().split())
