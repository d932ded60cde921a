"""Reader of Markdown: each heading that is a question is a thread, what follows its answer.

A heading is a question when it ends in a question mark, or begins with ``Q:``; outside of
answers also when only a remark follows the mark, or it begins as questions do. What
follows goes up to the next question, or the next heading of the same or a higher level;
other headings below it belong to the answer. Several answers stand under headings of
their own, which may give score and acceptance; the text before the first of them is then the
question's body:

    ## How do I vote?

    On a phone.

    ### Answer (score 3, accepted)

    Tap the arrow.

Where no question is open, ``<details>`` whose ``<summary>`` is a question are threads too.

A question's key is the file's name, ``#`` and the words of the question, as in a link to
it on GitHub (``faq#how-do-i-vote``); ``{#name}`` at the heading's end gives other words.
The comment that our own exports write below a heading gives the key itself and all that
Markdown has no words for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from bot.errors import InputError
from bot.models import Thread
from bot.sources import front_matter, question_headings, roundtrip_comments
from bot.sources.decoding import FileHead, read_text
from bot.sources.fences import fence_warning, find_fences, suspicious_fences
from bot.sources.file_format import Format
from bot.sources.files import Options
from bot.sources.front_matter import PageMetadata
from bot.sources.group_by_question import KeyMaker, key_prefix, slug
from bot.sources.json_thread import FieldError, thread_from
from bot.sources.markdown_sections import (
    DetailsBlock,
    Section,
    find_details,
    heading_words,
    sections,
)
from bot.sources.question_headings import AnswerSection, QuestionSection
from bot.sources.report import NoThreads, SourceReport

_DETAILS = 9
"""The level of a question in ``<details>``: below any heading."""

_LOOKS = re.compile(
    r"^ {0,3}(?:<details\b|"
    r"#{1,6}[ \t](?:.*[?？؟]|[ \t]*(?:accepted )?answer\b|.*\n\n?<!-- threadwise \{))",
    re.M | re.I,
)
_START = attrgetter("start")
_MAY_ASK = re.compile(r" {0,3}(?:#{1,6}[ \t].*[?？؟]|<details\b)", re.I)


def looks_like_faq(head: FileHead) -> bool:
    """Return whether there is a heading that may be a question, or has a comment of ours."""
    return _LOOKS.search(head.text) is not None


def read_faq(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Yield the threads of a Markdown file. Raises InputError when there is none at all."""
    yield from faq_threads(read_text(path, options), path, report)


def faq_threads(
    text: str, path: Path, report: SourceReport, *, generated: bool = False
) -> Iterator[Thread]:
    """Yield the threads of Markdown; of one that was ``generated``, no lines are named."""
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    try:
        about, offset = ({}, 0) if generated else front_matter.split(lines)
        page = PageMetadata(about, path, report)
    except FieldError as error:
        raise InputError(str(error), path, 1) from None
    faq = _FaqReader(path, report, page, generated=generated)
    yield from faq.threads(lines[offset:], offset)
    if not faq.has_questions:
        raise NoThreads(
            "no heading in it is a question; one ends in a question mark, as '## How do I vote?'",
            path,
        )


class _FaqReader:
    """Reads one file; knows the open questions and the keys so far."""

    def __init__(self, path: Path, report: SourceReport, page: PageMetadata, *, generated: bool):
        self.has_questions = False
        self._path, self._report, self._page, self._generated = path, report, page, generated
        self._name = page.id or key_prefix(path)
        self._keys = KeyMaker(self._name)
        self._starts: dict[str, int] = {}
        self._folds: list[DetailsBlock] = []
        self._likely: set[int] = set()
        self._skipped: set[int] = set()
        self._offset = 0

    def threads(self, lines: Sequence[str], offset: int) -> Iterator[Thread]:
        self._offset = offset
        open_: list[QuestionSection] = []
        all_sections = list(self._sections(lines))
        self._warn_of_fences(lines, {section.start for section in all_sections})
        # A page whose question is its title has headings within the answer.
        if topics := question_headings.faq_topics(all_sections, self._page.faq_title):
            self._likely = topics
        elif not self._page.question or any(map(question_headings.is_certain, all_sections)):
            self._likely = question_headings.likely_questions(all_sections)
        self._skipped = question_headings.skipped_sections(all_sections, self._likely)
        for section in all_sections:
            try:
                yield from self._section(section, open_)
            except FieldError as error:
                self._reject(error, section.start + offset)
        yield from self._close(open_, 0)
        if not self.has_questions and self._page.question:
            row = self._page.row("") | {"id": self._name}
            page = QuestionSection(_DETAILS, self._page.question, 1, row, [*lines], None)
            self.has_questions = True
            yield from self._close([page], 0)

    def _section(self, section: Section, open_: list[QuestionSection]) -> Iterator[Thread]:
        """Yield the threads that end at a section, which opens a question or belongs to one."""
        answer = self._answer(section, open_[-1].level) if open_ else None
        if answer is not None:
            open_[-1].answers.append(answer)
            return
        if (question := self._question(section)) is not None:
            self.has_questions = True
            yield from self._close(open_, question.level)
            open_.append(question)
            return
        if section.level:
            yield from self._close(open_, section.level)
        if open_:
            part = open_[-1].answers[-1] if open_[-1].answers else open_[-1]
            part.lines += [*section.raw, *section.lines]
            return
        folded = list(self._folded(section))
        for question in folded:
            self.has_questions = True
            yield from self._close([question], _DETAILS)
        if not folded and section.level and section.start in self._skipped:
            self._report.pass_over("sections whose heading is no question")

    def _close(self, open_: list[QuestionSection], level: int) -> Iterator[Thread]:
        """Yield the threads of questions that end at a heading of this level, inner ones first."""
        while open_ and open_[-1].level >= level:
            question = open_.pop()
            try:
                thread = self._thread(question)
            except FieldError as error:
                self._reject(error, question.start)
            else:
                if thread is not None:
                    yield thread

    def _question(self, section: Section) -> QuestionSection | None:
        title = section.title
        lines, marked = roundtrip_comments.split_comment(section.lines)
        is_ours = marked is not None and "id" in marked
        asks = question_headings.is_question(title) or section.start in self._likely
        if not section.level or not (is_ours or asks):
            return None
        start = section.start + self._offset
        if is_ours:
            return QuestionSection(section.level, title, start, {}, lines, marked)
        return self._asked(section.level, title, start, lines, marked)

    def _asked(
        self,
        level: int,
        heading: str,
        start: int,
        lines: list[str],
        marked: dict[str, Any] | None = None,
    ) -> QuestionSection:
        """Return a question of the page's own, which gets its key from its words."""
        title, anchor = question_headings.question_of(heading)
        row = self._page.row(anchor or question_headings.github_anchor(heading))
        row["id"] = f"{self._name}#{anchor}" if anchor else self._new_key(title, start)
        return QuestionSection(level, title, start, row, lines, marked)

    def _new_key(self, title: str, start: int) -> str:
        starts = self._starts.setdefault
        return self._keys.key_of(slug(title), lambda key: starts(key, start) != start)

    def _sections(self, lines: Sequence[str]) -> Iterator[Section]:
        """Cut the file at its headings, but for those within questions in ``<details>``."""
        # Exports of ours have none, and other people's texts in them may be half of one.
        if not any(map(roundtrip_comments.has_comment, lines)):
            self._folds = [
                fold for fold in find_details(lines) if question_headings.is_question(fold.summary)
            ]
        masked = list(lines)
        for fold in self._folds:
            masked[fold.start - 1 : fold.end] = ["<details>"] * (fold.end - fold.start + 1)
        for section in sections(masked):
            begin = section.start - 1 + len(section.raw)
            own = lines[begin : begin + len(section.lines)]
            yield replace(section, title=heading_words(section.title), lines=own)

    def _folded(self, section: Section) -> Iterator[QuestionSection]:
        """Yield the folded questions in a text that is no answer."""
        end = section.start + len(section.raw) + len(section.lines)
        for fold in islice(self._folds, bisect_left(self._folds, section.start, key=_START), None):
            if fold.start >= end:
                return
            yield self._asked(_DETAILS, fold.summary, fold.start + self._offset, fold.lines)

    def _answer(self, section: Section, level: int) -> AnswerSection | None:
        lines, marked = roundtrip_comments.split_comment(section.lines)
        # Beside the question, a thread of ours may be called so.
        if section.level < level or (section.level == level and marked):
            return None
        heading_values = question_headings.answer_heading(section.title)
        if heading_values is None:
            return None
        return AnswerSection(section.start + self._offset, *heading_values, lines, marked)

    def _thread(self, question: QuestionSection) -> Thread | None:
        text = roundtrip_comments.joined_text(question.lines)
        said = [
            {
                "body": roundtrip_comments.joined_text(answer.lines),
                "score": answer.score,
                "accepted": answer.accepted,
            }
            | (answer.marked or {})
            for answer in question.answers
        ]
        for line, first in question_headings.accept_one(question.answers, said):
            where = "" if self._generated else f"; the first is on line {first}"
            self._warn(f"a second accepted answer, taken for an ordinary one{where}", line)
        row = {"title": question.title, "body": text, "answers": said, **question.row}
        if question.row:
            if not said and not text:
                self._report.pass_over("questions without an answer")
                return None
            if not said:
                row |= {"body": "", "answers": [{"body": text}]}
            row["answers"] = [self._page.of_answers | answer for answer in row["answers"]]
        for answer, given in zip(question.answers, said, strict=True):
            if not given["body"]:
                raise FieldError(f"the answer on line {answer.start} has no text")

        def warn(what: str) -> None:
            self._warn(what, question.start)

        thread = thread_from(row | (question.marked or {}), self._report.count_unknown, warn)
        first = self._starts.setdefault(thread.key, question.start)
        if first != question.start:
            raise FieldError(f"its id is the same as on line {first}; ids must differ")
        return thread

    def _warn_of_fences(self, lines: Sequence[str], headings: set[int]) -> None:
        """Warn of fences that may hold a question; ``headings`` are lines of those outside."""
        # Exports of ours close what they open; people's texts in them may look otherwise.
        if self._generated or any(map(roundtrip_comments.has_comment, lines)):
            return
        for opened, line in suspicious_fences(lines, find_fences(lines), _MAY_ASK.match):
            if line + 1 not in headings:
                self._warn(fence_warning(line + self._offset + 1), opened + self._offset + 1)

    def _reject(self, error: FieldError, line: int) -> None:
        self._report.reject(str(error), self._path, None if self._generated else line)

    def _warn(self, what: str, line: int) -> None:
        self._report.warn(what, self._path, None if self._generated else line)


FORMAT = Format(
    name="markdown",
    suffixes=(".md", ".markdown"),
    looks_like=looks_like_faq,
    read=read_faq,
    defers=True,
)
