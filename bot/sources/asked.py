"""Headings: which are questions, which open an answer, and what else they say."""

from __future__ import annotations

import re

from bot.sources.jsonthread import FieldError

_ASKED = r"(?:q|question|frage)\s*\d*\s*[:.]\s*"
_QUESTION = re.compile(rf"""[?？؟][\s"'»”’)\]*_~`.!]*$|^{_ASKED}\S""", re.I)
_NUMBER = re.compile(rf"^(?:{_ASKED}|\d{{1,3}}(?:\.\d{{1,3}})*[.)]\s+)(?=\S)", re.I)
_ANCHOR = re.compile(r"\s*\{#(?P<name>[^\s{}]+)\}\s*$")
_ANSWER = re.compile(
    r"(?P<accepted>accepted\s+)?answer(?:\s+\d+)?\s*(?:\((?P<said>.*)\))?\s*:?", re.I
)
_SCORE = re.compile(r"score\s*:?\s*([+\-\u2212]?\d{1,19})", re.I)


def is_question(heading: str) -> bool:
    """Whether a heading's words are a question."""
    return _QUESTION.search(_ANCHOR.sub("", heading)) is not None


def title(heading: str) -> tuple[str, str]:
    """The question without its number and ``{#name}``, and that name, if there is one."""
    found = _ANCHOR.search(heading)
    return _NUMBER.sub("", _ANCHOR.sub("", heading)), found["name"] if found else ""


def link(heading: str) -> str:
    """The anchor that a heading has on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def answer(heading: str) -> tuple[int, bool] | None:
    """The score of the answer that a heading opens, and whether it is accepted.

    ``None`` for any other heading. Raises FieldError when it says something else as well.
    """
    found = _ANSWER.fullmatch(heading)
    if not found:
        return None
    score, accepted = 0, found["accepted"] is not None
    for part in re.split("[,;]", found["said"] or ""):
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
    """Whether a heading opens an answer, or tries to."""
    return _ANSWER.fullmatch(heading) is not None
