"""Threads as Markdown for people, which ``faq`` reads back without loss.

A text that has headings or open fences of its own, so that it would be read as more than
one text, stands in a fence. What Markdown has no words for is in comments.
"""

from __future__ import annotations

from typing import Any

from bot.models import Answer, Thread
from bot.sources import question_headings, roundtrip_comments
from bot.sources.headings import Section, plain, sections


def write_faq(thread: Thread) -> str:
    """The Markdown of one thread, with a blank line at its end."""
    values, of_answers = roundtrip_comments.unsaid(thread)
    if thread.score:
        values["score"] = thread.score
    shown = " ".join(thread.title.split())
    if _read_title(shown) != thread.title:
        values["title"] = thread.title
    body = _said(thread.body, values)
    parts = [f"# {shown}", roundtrip_comments.comment(values), body]
    for answer, about in zip(thread.answers, of_answers, strict=True):
        text = _said(answer.body, about)
        parts += [_heading(answer), roundtrip_comments.comment(about) if about else "", text]
    return "".join(f"{part}\n\n" for part in parts if part)


def _heading(answer: Answer) -> str:
    said = [f"score {answer.score}"] if answer.score else []
    said += ["accepted"] if answer.accepted else []
    return f"## Answer ({', '.join(said)})" if said else "## Answer"


def _said(text: str, about: dict[str, Any]) -> str:
    """The text as it can stand there; one that can't be told by lines goes into ``about``."""
    if not text or _is_plain(text):
        return text
    if "\r" in text:
        about["body"] = text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return roundtrip_comments.verbatim(text)


def _is_plain(text: str) -> bool:
    """Whether the text, below a heading, is read as just itself, and what follows as such."""
    lines = text.split("\n")
    if "\r" in text or not lines[0].strip(" \t") or not lines[-1].strip(" \t"):
        return False
    if roundtrip_comments.has_comment(text) or roundtrip_comments.is_verbatim(text):
        return False
    # An open fence or comment in the text would swallow this heading.
    *own, last = sections([*lines, "", "# end"])
    own = [section for section in own if section.level]
    return last.start == len(lines) + 2 and not any(map(_is_structure, own))


def _is_structure(section: Section) -> bool:
    """Whether a heading within a thread would be read as more than text."""
    title = plain(section.title)
    return (
        section.level <= 1
        or question_headings.is_question(title)
        or question_headings.is_answer(title)
    )


def _read_title(shown: str) -> str:
    return plain(list(sections([f"# {shown}"]))[-1].title)
