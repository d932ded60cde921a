"""Threads as text pages, which ``textpage`` reads back without loss.

A text that holds markers or runs of blank lines stands in a fence. What a page has no words
for is in a comment behind its end, where older versions of Threadwise don't look.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from bot.errors import InputError
from bot.models import Answer, Thread
from bot.sources import roundtrip_comments
from bot.sources.group_by_question import slug
from bot.sources.text_page import read_page

_SAMPLE = Path("sample")
_SAFE = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_. \-]{0,98}[A-Za-z0-9_\-])?")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are no files on Windows."""


def page_name(key: str) -> str:
    """A name for the page of this key, without suffix: the key itself where it may be one."""
    if _SAFE.fullmatch(key) and not _DEVICE.fullmatch(key):
        return key
    mark = hashlib.sha256(key.encode()).hexdigest()[:12]
    words = re.sub(r"[^a-z0-9\-]", "", slug(key)).strip("-")[:60]
    return f"{words or 'thread'}-{mark}"


def write_page(thread: Thread, name: str) -> str:
    """The text of the thread's page, whose file is called ``name`` without its suffix."""
    values, of_answers = roundtrip_comments.unsaid(thread)
    if thread.key == name:
        del values["id"]
    title = _title(thread.title, values)
    body = _said(thread.body, values)
    # Of a page without an answer, a marker must show that it is one.
    scored = thread.score or not thread.answers
    parts = [title, body, f"score:{thread.score}" if scored else ""]
    for answer, about in zip(thread.answers, of_answers, strict=True):
        parts += [_marker(answer), _said(answer.body, about)]
    if any(of_answers):
        values["answers"] = of_answers
    if values:
        parts.append(f"Related post\n{roundtrip_comments.comment(values)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _marker(answer: Answer) -> str:
    if answer.accepted:
        return f"score:{answer.score}\nAccepted answer"
    return f"Upvote:{answer.score}"


def _title(title: str, values: dict[str, Any]) -> str:
    sample = _read(f"{title}\n\nUpvote:0\nx")
    if sample is not None and sample.title == title and not sample.body:
        return title
    values["title"] = title
    shown = " ".join(title.split()).replace("\ufeff", "")
    return shown if shown and _read(f"{shown}\nx\nscore:0") else f"Question: {shown}"


def _said(text: str, about: dict[str, Any]) -> str:
    """The text as it can stand on a page; one that can't be told by lines goes into ``about``."""
    if not text or _is_plain(text):
        return text
    if "\r" in text:
        about["body"] = text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return roundtrip_comments.verbatim(text)


def _is_plain(text: str) -> bool:
    """Whether the text is read as just itself, wherever it stands and whatever follows."""
    if "\r" in text or roundtrip_comments.is_verbatim(text):
        return False
    longest = max(map(len, re.findall("`+|~+", text)), default=0)
    closing = f"{'`' * (longest + 3)}\n{'~' * (longest + 3)}"  # of a fence that is open
    # Within a page, as an answer; at a page's end; as the question's body.
    within = _read(f"T\n\nUpvote:0\n\n{text}\n\nUpvote:0\n\n{closing}\n")
    ends = _read(f"T\n\nUpvote:0\n\n{text}\n\nRelated post\n{closing}")
    asks = _read(f"T\n\n{text}\n\nscore:0\n\nRelated post\n{closing}")
    return (
        within is not None
        and [answer.body for answer in within.answers] == [text, closing]
        and ends is not None
        and [answer.body for answer in ends.answers] == [text]
        and asks is not None
        and (asks.body, asks.score, asks.answers) == (text, 0, ())
    )


def _read(page: str) -> Thread | None:
    try:
        return read_page(page, _SAMPLE)
    except InputError:
        return None
