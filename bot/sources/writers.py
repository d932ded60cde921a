"""Writers of the export formats; importing what they wrote gives equal threads.

In pages for people a text that its reader would take for more than text (with headings,
markers, runs of blank lines) stands in a fence, and what a page has no words for in comments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from bot.errors import ConfigError, InputError
from bot.models import Answer, Thread
from bot.sources import question_headings, roundtrip_comments
from bot.sources.files import MAX_FILE_BYTES
from bot.sources.group_by_question import slug
from bot.sources.jsonl import write_thread
from bot.sources.markdown_sections import Section, heading_words, sections
from bot.sources.text_page import read_page

_SAMPLE = Path("sample")
_SAFE = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_. \-]{0,98}[A-Za-z0-9_\-])?")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are no files on Windows."""


def page_name(key: str) -> str:
    """Return a file name without suffix for a key's page: the key itself where it may be one."""
    if _SAFE.fullmatch(key) and not _DEVICE.fullmatch(key):
        return key
    mark = hashlib.sha256(key.encode()).hexdigest()[:12]
    words = re.sub(r"[^a-z0-9\-]", "", slug(key)).strip("-")[:60]
    return f"{words or 'thread'}-{mark}"


def _embedded(text: str, about: dict[str, Any], is_plain: Callable[[str], bool]) -> str:
    """Return text as its reader takes it for text; ``about`` gets one that lines can't hold."""
    if not text or is_plain(text):
        return text
    if "\r" in text:
        about["body"] = text
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return roundtrip_comments.fence_verbatim(text)


def write_page(thread: Thread, name: str) -> str:
    """Return the text of the thread's page, whose file is called ``name`` without its suffix."""
    values, of_answers = roundtrip_comments.values_without_words(thread)
    if thread.key == name:
        del values["id"]
    title = _title(thread.title, values)
    body = _embedded(thread.body, values, _is_plain_in_page)
    # Of a page without an answer, a marker must show that it is one.
    scored = thread.score or not thread.answers
    parts = [title, body, f"score:{thread.score}" if scored else ""]
    for answer, about in zip(thread.answers, of_answers, strict=True):
        parts += [_marker(answer), _embedded(answer.body, about, _is_plain_in_page)]
    if any(of_answers):
        values["answers"] = of_answers
    if values:
        parts.append(f"Related post\n{roundtrip_comments.comment_line(values)}")
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


def _is_plain_in_page(text: str) -> bool:
    """Return whether text is read as itself wherever it stands on a page."""
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


def write_faq(thread: Thread) -> str:
    """Return the Markdown of one thread, with a blank line at its end."""
    values, of_answers = roundtrip_comments.values_without_words(thread)
    if thread.score:
        values["score"] = thread.score
    shown = " ".join(thread.title.split())
    if _read_title(shown) != thread.title:
        values["title"] = thread.title
    body = _embedded(thread.body, values, _is_plain_in_faq)
    parts = [f"# {shown}", roundtrip_comments.comment_line(values), body]
    for answer, about in zip(thread.answers, of_answers, strict=True):
        text = _embedded(answer.body, about, _is_plain_in_faq)
        parts += [_heading(answer), roundtrip_comments.comment_line(about) if about else "", text]
    return "".join(f"{part}\n\n" for part in parts if part)


def _heading(answer: Answer) -> str:
    said = [f"score {answer.score}"] if answer.score else []
    said += ["accepted"] if answer.accepted else []
    return f"## Answer ({', '.join(said)})" if said else "## Answer"


def _is_plain_in_faq(text: str) -> bool:
    """Return whether text below a heading is read as itself, and a heading after it as such."""
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
    """Return whether a heading within a thread would be read as more than text."""
    title = heading_words(section.title)
    return (
        section.level <= 1
        or question_headings.is_question(title)
        or question_headings.is_answer(title)
    )


def _read_title(shown: str) -> str:
    return heading_words(list(sections([f"# {shown}"]))[-1].title)


WRITERS: dict[str, Callable[[Thread], str]] = {
    "jsonl": lambda thread: f"{write_thread(thread)}\n",
    "markdown": write_faq,
}
"""Forms that are one file, in which threads stand one after the other."""


class OneFile:
    """A file that is filled with threads in one of the forms of ``WRITERS``."""

    def __init__(self, out: TextIO, form: str = "jsonl"):
        self._out, self._form, self._size = out, form, 0

    def write(self, threads: Iterable[Thread]) -> None:
        """Write threads. Raises ConfigError where they are more than such a file may hold."""
        text = "".join(map(WRITERS[self._form], threads))
        self._size += len(text.encode())
        if self._form != "jsonl" and self._size > MAX_FILE_BYTES:
            raise ConfigError(
                f"the library is larger than a {self._form} file may be "
                f"({MAX_FILE_BYTES // 1024**2} MB); export it as jsonl"
            )
        self._out.write(text)  # which may have to pack it


PAGES = "pages"
"""The form that is a folder with a text page for each thread."""


class Pages:
    """A folder that is filled with text pages; no two names differ by letter case alone."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._names: set[str] = set()

    def write(self, threads: Iterable[Thread]) -> None:
        """Write a page for each thread. Raises OSError when that can't be."""
        for thread in threads:
            name = self._free(page_name(thread.key))
            page = write_page(thread, name)
            (self._folder / f"{name}.txt").write_text(page, encoding="utf-8", newline="\n")

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{wanted}-{number}"
        self._names.add(name.casefold())
        return name
