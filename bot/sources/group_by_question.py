"""Grouping of pairs of question and answer: one thread for each question.

Its key is the file's name, ``#``, and the id that the file gives (``faq#12``: the next
spreadsheet counts from 1 as well) or the words of the question (``faq#how-do-i-vote``), so
that an edited answer stays with its votes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.errors import InputPlace, shown_path
from bot.models import ANSWER_FIELDS, THREAD_FIELDS, Answer, StoredField, Thread, plain_key
from bot.sources.foreign_fields import CONVERTERS, DateError, line_of, listed, text_of, texts_of
from bot.sources.json_thread import FieldError
from bot.sources.report import SourceReport, printable

FieldValues = Mapping[str, Any]
"""Values by field, as ``foreign_fields.FIELDS`` calls them; ``answer`` may be a list.

``anchor`` is where in its file the question stands, for its key. ``dropped`` names what else
there was, which nothing is made of.
"""

OF_ANSWERS = frozenset("answer answer_id score accepted author license answer_url date".split())
"""What a row that is an answer may say; of a question's row, ``license`` is the question's."""

_FIELDS_OF_THREADS = [
    field for field in THREAD_FIELDS if field.name not in ("key", "title", "phrasings")
]
_FIELDS_OF_ANSWERS = [field for field in ANSWER_FIELDS if field.name != "body"]
_NAMES_OF_THREADS = {"score": "question_score", "author": "question_author"}
_NAMES_OF_ANSWERS = {"key": "answer_id", "url": "answer_url", "answered_at": "date"}
"""What rows call fields of threads and answers that have another name in the model."""

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
class _QuestionRows:
    """One question so far; ``answers`` are looked up, as there may be thousands of them."""

    where: InputPlace
    thread: Thread
    words: str
    answers: dict[Answer, None] = field(default_factory=dict)
    phrasings: dict[str, None] = field(default_factory=dict)
    accepted: int = 0
    keys: set[str] = field(default_factory=set)


class QuestionGrouper:
    """Groups one file's rows into threads; ``called`` returns a field's name in messages."""

    def __init__(
        self, path: Path, report: SourceReport, called: Callable[[str], str] = lambda field: field
    ):
        self._path, self._report, self._called = path, report, called
        self._name = key_prefix(path)
        self._keys = KeyMaker(self._name)
        self._questions: dict[str, _QuestionRows] = {}
        self._by_question: dict[str, str] = {}

    def add(self, row: FieldValues, where: InputPlace) -> None:
        """Take in one row; what can't be is named in the report with where it stands."""
        try:
            self._add(row, where)
        except FieldError as error:
            self.reject(str(error), where)

    def reject(self, why: str, where: InputPlace) -> None:
        """Name a row that is not accepted."""
        self._report.reject(why, self._path, where)

    def warn(self, what: str, where: InputPlace) -> None:
        """Name a row that is taken in otherwise than it stands there."""
        self._report.warn(what, self._path, where)

    def threads(self) -> Iterator[Thread]:
        """Yield the threads, in the order of the questions' first rows."""
        for question in self._questions.values():
            yield replace(
                question.thread,
                answers=tuple(question.answers),
                phrasings=tuple(question.phrasings),
            )

    def _add(self, row: FieldValues, where: InputPlace) -> None:
        called = self._called
        titles = [line_of(item, called("question")) for item in listed(row.get("question"))]
        titles = list(filter(None, titles))
        if not titles:
            raise FieldError(f"{called('question')} must not be empty")
        given_id = plain_key(line_of(row.get("id"), called("id")))
        given = given_id and f"{self._name}#{given_id}"
        for name in row.get("dropped", ()):
            self._report.count_unknown(name)
        every = list(self._answers(row, where))
        answers = list(dict.fromkeys(every))
        if not answers:
            raise FieldError(f"{called('answer')} must not be empty")
        words = _words(titles[0])
        question = self._questions.get(given or self._by_question.get(words, ""))
        if question is None:
            values = self._values(row, _FIELDS_OF_THREADS, _NAMES_OF_THREADS, where)
            words_of_key = line_of(row.get("anchor"), "anchor") or slug(titles[0])
            key = given or self._keys.key_of(words_of_key, self._questions.__contains__)
            thread = Thread(key=key, title=titles[0], former_key=given_id or None, **values)
            question = _QuestionRows(where, thread, words)
        new = [answer for answer in answers if answer not in question.answers]
        self._add_answers(question, words, new, given)
        is_repeated = where != question.where and words == question.words
        repeated = len(every) - (len(new) if is_repeated else len(answers))
        if repeated:
            self._report.pass_over("repeated answers", repeated)
        self._questions.setdefault(question.thread.key, question)
        self._by_question.setdefault(words, question.thread.key)
        phrasings = [*titles[1:], *texts_of(row.get("phrasings"), called("phrasings"))]
        if words != question.words:
            phrasings.insert(0, titles[0])
        question.phrasings |= dict.fromkeys(phrasings)

    def _add_answers(
        self, question: _QuestionRows, words: str, new: list[Answer], given: str
    ) -> None:
        """Give the question answers that it doesn't have. Raises FieldError if that can't be."""
        before = f"line {question.where}" if isinstance(question.where, int) else question.where
        # The same answer to other words is another way to ask; another answer is a mistake.
        if given and words != question.words and new:
            raise FieldError(f"its id is the same as that of {before}, which asks something else")
        accepted = question.accepted + sum(answer.accepted for answer in new)
        if accepted > 1:
            before = f"; the first is at {before}" if question.answers else ""
            raise FieldError(f"a second accepted answer{before}")
        keys = [answer.key for answer in new if answer.key is not None]
        if len(set(keys)) < len(keys) or not question.keys.isdisjoint(keys):
            raise FieldError("two of the question's answers have the same id")
        question.answers |= dict.fromkeys(new)
        question.keys.update(keys)
        question.accepted = accepted

    def _answers(self, row: FieldValues, where: InputPlace) -> Iterator[Answer]:
        items = listed(row.get("answer"))
        empty, some = 0, False
        for item in items:
            # What is said of the row holds for its answer; of several, each says its own.
            own = item if isinstance(item, dict) else {**row, "license": None}
            if len(items) > 1 and own is not item:
                own = {"author": row.get("author")}
            said = item.get("answer") if own is item else item
            body = text_of(said, self._called("answer"))
            for name in own.get("dropped", ()) if own is item else ():
                self._report.count_unknown(f"answers[].{printable(name)}")
            empty += not body
            some = some or bool(body)
            if body:
                values = self._values(own, _FIELDS_OF_ANSWERS, _NAMES_OF_ANSWERS, where)
                yield Answer(body=body, **values)
        # Where none has a text, the question as a whole is refused.
        if some and empty:
            self._report.pass_over("answers without a text", empty)
        self._count_unassigned(row, items)

    def _count_unassigned(self, row: FieldValues, items: list[Any]) -> None:
        """Count what is said beside answers that say all themselves, or of one of several."""
        own = [isinstance(item, dict) for item in items]
        if len(items) == 1 and not own[0]:
            return
        for name in OF_ANSWERS - {"answer", "license"}:
            if row.get(name) not in (None, "", []) and (name != "author" or all(own)):
                self._report.pass_over(f"values of {self._called(name)!r} that belong to no answer")

    def _values(
        self,
        row: FieldValues,
        stored: Sequence[StoredField],
        names: Mapping[str, str],
        where: InputPlace,
    ) -> dict[str, Any]:
        """Return the values of a model's fields; a date that can't be is left out, with a remark.

        Raises FieldError for any other value that can't be.
        """
        values: dict[str, Any] = {}
        for one in stored:
            name = names.get(one.name, one.name)
            try:
                values[one.name] = CONVERTERS[one.kind](row.get(name), self._called(name))
            except DateError as error:
                self.warn(str(error), where)
                values[one.name] = None
        return values


def _words(title: str) -> str:
    """Normalise letter case and spaces of a question."""
    return " ".join(title.casefold().split())
