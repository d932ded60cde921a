"""Headings of Markdown: which are questions, which open an answer, which name a FAQ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sources import roundtrip_comments
from bot.sources.json_thread import FieldError
from bot.sources.markdown_sections import Section

# Headings are people's text: where spaces may stand twice in a row, or before what is looked
# for, "*+" and "(?<!\s)" keep each run of them from being looked through more than once.
_ASKED = r"(?:q|question|frage)\s*+\d*+\s*+[:.]\s*+"
_QUESTION = re.compile(rf"""[?？؟][\s"'»”’)\]*_~`.!]*$|^{_ASKED}\S""", re.I)
_NUMBER = re.compile(rf"^(?:{_ASKED}|\d{{1,3}}(?:\.\d{{1,3}})*[.)]\s+)(?=\S)", re.I)
_ANCHOR = re.compile(r"(?<!\s)\s*\{#(?P<name>[^\s{}]+)\}\s*$")
_ANSWER = re.compile(
    r"(?P<accepted>accepted\s+)?answer(?:\s++\d++)?\s*+(?:\((?P<said>.*)\)\s*+)?:?", re.I
)
_SCORE = re.compile(r"score\s*+:?\s*+([+\-\u2212]?\d{1,19})", re.I)

_TRAILING = re.compile(r"(?<=[?？؟])[:;,…]\s*$")
_REMARK = re.compile(r"""[?？؟][:;,…]?[\s"'»”’)\]*_~`.!]*(?:[(\[][^()\[\]]*[)\]][\s*_.!:]*)?$""")
_VERB = r"""(?:is|are|am|was|were|do|does|did|can|could|should|would|will|shall|may|might|must|
    has|have|had)(?:n['’]t|not)?\b"""
_SOMEONE = r"(?:i|you|we|they|anyone|somebody|people)\b"
_SOMETHING = (
    rf"(?:{_SOMEONE}|(?:he|she|it|one|there|this|that|these|those|the|my|your|our|their|an?)\b)"
)
# What only begins as a question does must not be taken for one: "How it works", "What we
# do", "What's new", "Do it yourself", "Will and testament", "May 2024", "IS NULL".
_ASKS = re.compile(
    rf"""(?:
    how\s+(?:{_VERB}|(?:much|many|long|often|far|soon|fast|big|large|old|safe|secure)\b) |
    (?:what|who|where|when|why|how)['’](?:s|re|ll|d)(?!\s+(?:new|next)\b) |
    what\s+(?:(?:{_VERB})(?!\s+(?:new|next)\b)|(?:happens|if)\b) |
    (?:who|whom|whose|which|where|when|why)\s+{_VERB} |
    (?:what|which|whose)\s+(?!to\b|{_SOMETHING})(?:[\w\-]+\s+){{1,4}}?{_VERB} |
    (?:is|are|does|did|should|could|would)(?:n['’]t)?\s+\S+ |
    (?:can|will|has|was|were)(?:n['’]t|not)?\s+{_SOMETHING} |
    (?:do|have|may|must|am)(?:n['’]t)?\s+{_SOMEONE}
    )\s+\S""",
    re.I | re.X,
)
_CONTENTS = re.compile(
    r"(?:table\s+of\s+)?contents|toc|index|overview|navigation|menu|on\s+this\s+page", re.I
)
_LINK = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+\[[^\]]*\]\([^()\s]*\)\s*")


@dataclass(slots=True)
class AnswerSection:
    """An answer while it is read: the line of its heading, and what this says.

    ``marked`` is what a comment of ours says of it.
    """

    start: int
    score: int
    accepted: bool
    lines: list[str] = field(default_factory=list)
    marked: dict[str, Any] | None = None


@dataclass(slots=True)
class QuestionSection:
    """A question while it is read; ``row`` is what the page gives to its thread.

    ``marked`` is what a comment of ours says of it.
    """

    level: int
    title: str
    start: int
    row: dict[str, Any]
    lines: list[str]
    marked: dict[str, Any] | None
    answers: list[AnswerSection] = field(default_factory=list)


def only_asks(lines: Sequence[str]) -> bool:
    """Return whether lines are a single question, in which there can be no answer."""
    said = [line.strip() for line in lines if line.strip()]
    return len(said) == 1 and is_question(said[0])


def is_question(heading: str) -> bool:
    """Return whether a heading's words are a question."""
    return _QUESTION.search(_ANCHOR.sub("", heading)) is not None


def may_be_question(heading: str) -> bool:
    """Return whether it looks like one, though it has no question mark, or none at its end."""
    words = _ANCHOR.sub("", heading)
    return _REMARK.search(words) is not None or _ASKS.match(_NUMBER.sub("", words)) is not None


def is_certain(section: Section) -> bool:
    """Return whether it is a question wherever it stands: by its words, or by a comment of ours."""
    return is_question(section.title) or _has_comment(section)


def likely_questions(sections: Sequence[Section]) -> set[int]:
    """Return the lines of headings that may be questions, and stand where questions do.

    None of them is within an answer or has questions below it, nor is it a page's title.
    """
    alone = Counter(section.level for section in sections)
    starts: set[int] = set()
    open_: list[int] = []
    for at, section in enumerate(sections):
        if open_ and _is_answer_to(open_[-1], section):
            continue
        while open_ and open_[-1] >= section.level:
            open_.pop()
        if not is_certain(section):
            if open_ or not section.level or not may_be_question(section.title):
                continue
            below = [inner for inner in _below(sections, at) if not is_answer(inner.title)]
            is_title = at == 1 == alone[section.level]  # at 0 is what stands before any heading
            if any(map(is_certain, below)) or (below and is_title):
                continue
            starts.add(section.start)
        open_.append(section.level)
    return starts


def faq_topics(sections: Sequence[Section], title: str) -> set[int]:
    """Return the lines of headings that are questions because the page is called a FAQ.

    There are some where no heading is a question for certain: then all of the highest level
    that have a text, but for the title. ``title`` is that of the front matter.
    """
    headed = [section for section in sections if section.level]
    if any(is_certain(section) or is_answer(section.title) for section in headed):
        return set()
    if headed and is_faq_title(headed[0].title):
        title, headed = headed[0].title, headed[1:]
    if not headed or not is_faq_title(title):
        return set()
    level = min(section.level for section in headed)
    return {section.start for section in headed if section.level == level and _says(section)}


def skipped_sections(sections: Sequence[Section], likely: set[int]) -> set[int]:
    """Return the lines of headings beside the questions that are none, and have a text.

    A page's title, its contents and the headings of groups of questions are not among them.
    """
    asks = {section.start for section in sections if section.level and is_certain(section)} | likely
    levels = {section.level for section in sections if section.start in asks}
    starts: set[int] = set()
    inside = 0  # the level of what the sections below belong to
    for at, section in enumerate(sections):
        if inside and (section.level > inside or _is_answer_to(inside, section)):
            continue
        inside = section.level if section.start in asks else 0
        is_title = at == 1 == section.level
        if inside or is_title or section.level not in levels:
            continue
        whole = [section, *_below(sections, at)]
        if asks.isdisjoint(inner.start for inner in whole) and any(map(_says, whole)):
            starts.add(section.start)
            inside = section.level
    return starts


def _below(sections: Sequence[Section], at: int) -> Iterator[Section]:
    """Yield the sections below the one ``at`` that place."""
    for number in range(at + 1, len(sections)):
        if sections[number].level <= sections[at].level:
            return
        yield sections[number]


def _has_comment(section: Section) -> bool:
    return roundtrip_comments.has_comment(
        next((line for line in section.lines if line.strip()), "")
    )


def _is_answer_to(level: int, section: Section) -> bool:
    """Return whether it is headed as an answer, and below or beside a question of this level."""
    if section.level < level or not is_answer(section.title):
        return False
    return section.level > level or not _has_comment(section)


def _says(section: Section) -> bool:
    """Return whether there is a text in it, other than a list of links to other places."""
    lines = [line for line in section.lines if line.strip()]
    is_list = all(map(_LINK.fullmatch, lines)) or _CONTENTS.fullmatch(section.title.strip(" :"))
    return not is_list


def question_of(heading: str) -> tuple[str, str]:
    """Return the question without its number and ``{#name}``, and that name, if there is one."""
    match = _ANCHOR.search(heading)
    words = _TRAILING.sub("", _ANCHOR.sub("", heading))
    return _NUMBER.sub("", words), match["name"] if match else ""


def github_anchor(heading: str) -> str:
    """Return the anchor that a heading has on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def answer_heading(heading: str) -> tuple[int, bool] | None:
    """Return the score of the answer that a heading opens, and whether it is accepted.

    ``None`` for any other heading. Raises FieldError when it says something else as well.
    """
    match = _ANSWER.fullmatch(heading)
    if not match:
        return None
    score, accepted = 0, match["accepted"] is not None
    for part in re.split("[,;]", match["said"] or ""):
        number = _SCORE.fullmatch(part.strip())
        if number:
            score = int(number[1].replace("\u2212", "-"))
        elif part.strip().lower() == "accepted":
            accepted = True
        elif part.strip():
            raise FieldError(
                f"'{heading[:40]}' is not how an answer is headed: write 'Answer', "
                "'Answer (score 3)' or 'Answer (score 3, accepted)'"
            )
    return score, accepted


def is_answer(heading: str) -> bool:
    """Return whether a heading opens an answer, or tries to."""
    return _ANSWER.fullmatch(heading) is not None


def accept_one(
    answers: Sequence[AnswerSection], rows: Sequence[dict[str, Any]]
) -> Iterator[tuple[int, int]]:
    """Take all accepted answers but the first for ordinary ones; gives the lines of both."""
    first = 0
    for answer, row in zip(answers, rows, strict=True):
        if row["accepted"] is True and first:
            row["accepted"] = False
            yield answer.start, first
        elif row["accepted"] is True:
            first = answer.start


_LEADING = r"(?:(?:the|our|general|common)\s+)?"
_NAMES = (
    r"(?:f\.a\.q\.?s?|faqs?|q\s?(?:&|and|\+)\s?as?|"
    r"(?:frequently|commonly)\s+asked\s+questions|common\s+questions|questions\s+(?:and|&)\s+"
    r"answers|häufig(?:e|\s+gestellte)\s+fragen|fragen\s+und\s+antworten|foire\s+aux\s+questions|"
    r"questions\s+fréquentes|preguntas\s+(?:más\s+)?frecuentes|perguntas\s+(?:mais\s+)?frequentes|"
    r"domande\s+frequenti|veelgestelde\s+vragen|często\s+zadawane\s+pytania|sık\s+sorulan\s+sorular|"
    r"часто\s+задаваемые\s+вопросы|よくある(?:ご)?質問|常见问题|常見問題|자주\s*묻는\s*질문)"
)
_WHOLE = re.compile(rf"{_LEADING}{_NAMES}(?:\s*\(.*\))?", re.IGNORECASE)
# "Workshop FAQ", "FAQ - Billing", "Frequently asked questions about keys". "Adding an entry to
# the FAQ" is a title of its own.
_OTHERS = r"[ ,:|/–—-]{1,3}[\w&'’.]{1,40}"
_MORE = re.compile(
    rf"(?P<before>(?:[\w&'’.]{{1,40}}[ ,:|/–—-]{{1,3}}){{1,3}}){_NAMES}"
    rf"|{_NAMES}(?:{_OTHERS}){{1,5}}",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b(?:an?|the|to|your|this|how|in|our|what|about)\b", re.IGNORECASE)
_LONGEST = 100
"""Characters of a title that is looked at for more than such a name."""


def is_faq_title(title: str) -> bool:
    """Return whether a page's title says that questions stand on it, and asks none itself."""
    words = " ".join(title.split()).strip(" :!.#*_")
    if _WHOLE.fullmatch(words):
        return True
    match = _MORE.fullmatch(words) if len(words) <= _LONGEST else None
    return match is not None and not _ARTICLE.search(match["before"] or "")
