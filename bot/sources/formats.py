"""The formats that can be read. A new one is a reader in its own file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError, InputError
from bot.sources import faq, jsonl, qa_json, qa_labels, stackexchange, table, text_page, web_page
from bot.sources.decoding import FileHead
from bot.sources.draft import Found
from bot.sources.options import Options
from bot.sources.report import SourceReport, shown_path


@dataclass(frozen=True)
class Format:
    """One format: how it is recognised, and what reads it.

    ``own_keys``: no two files can have threads with the same key: the reader sees to it, for
    there may be millions. ``packed``: also read from gzip,
    ``utf16``: also from UTF-16. ``modest``: a suffix of another format outweighs its looks.
    """

    name: str
    suffixes: tuple[str, ...]
    looks_like: Callable[[FileHead], bool]
    read: Callable[[Path, SourceReport, Options], Iterator[Found | None]]
    own_keys: bool = False
    packed: bool = False
    utf16: bool = False
    modest: bool = False


# Where two look alike and the suffix doesn't tell, the first is taken: a line of JSON is
# never a marker, but a page's title may begin with a brace.
FORMATS = (
    Format(
        name="text",
        suffixes=(".txt",),
        looks_like=lambda head: text_page.has_marker(head.text, qa_labels.behind_label),
        read=text_page.read_pages,
    ),
    Format(
        name="jsonl",
        suffixes=(".jsonl", ".jsonl.gz"),
        looks_like=jsonl.looks_like_lines,
        read=jsonl.read_lines,
        packed=True,
    ),
    Format(
        name="stackexchange",
        suffixes=stackexchange.SUFFIXES,
        looks_like=stackexchange.looks_like,
        read=stackexchange.read_dump,
        own_keys=True,
    ),
    Format(
        name="json",
        suffixes=(".json",),
        looks_like=qa_json.looks_like_json,
        read=qa_json.read_json,
        packed=True,
    ),
    Format(
        name="csv",
        suffixes=(".csv", ".tsv"),
        looks_like=table.looks_like_table,
        read=table.read_table,
        packed=True,
        utf16=True,
    ),
    Format(
        name="markdown",
        suffixes=(".md", ".markdown"),
        looks_like=faq.looks_like_faq,
        read=faq.read_faq,
        packed=True,
        utf16=True,
        modest=True,
    ),
    Format(
        name="labelled",
        suffixes=(),
        looks_like=qa_labels.looks_labelled,
        read=qa_labels.read_labelled,
        packed=True,
        utf16=True,
    ),
    Format(
        name="html",
        suffixes=(".html", ".htm", ".xhtml"),
        looks_like=web_page.looks_like_page,
        read=web_page.read_page,
        packed=True,
        utf16=True,
        modest=True,
    ),
)


def has_known_suffix(name: str) -> bool:
    """Whether a file of this name is read when it lies in a folder."""
    return any(_has_suffix(name, form) for form in FORMATS)


def recognise(path: Path, head: FileHead, named: str | None = None) -> Format:
    """The format of a file, by its content; the suffix decides where that leaves a doubt.

    One that is ``named`` is taken at its word. Raises InputError when no format fits.
    """
    if named is not None:
        return named_format(named)
    possible = [form for form in FORMATS if form.packed or not head.gzipped]
    possible = [form for form in possible if form.utf16 or not head.utf16]
    foreign = has_known_suffix(path.name)
    alike = [
        form
        for form in possible
        if form.looks_like(head)
        and not (form.modest and foreign and not _has_suffix(path.name, form))
    ]
    # A line of JSON Lines that holds a stray NUL is refused by its reader, with its line.
    if head.utf16 and not alike:
        raise InputError("it is UTF-16 text; save it as UTF-8", shown_path(path))
    if head.binary and not alike:
        raise InputError("it is not text (it holds NUL bytes)", shown_path(path))
    if len(alike) == 1:
        return alike[0]
    suffixed = [form for form in alike or possible if _has_suffix(path.name, form)]
    if suffixed or alike:
        return (suffixed or alike)[0]
    forms = ", ".join(
        f"{form.name} ({', '.join(form.suffixes) or 'Q: and A:'})" for form in FORMATS
    )
    raise InputError(f"its content is in no form that is read here: {forms}", shown_path(path))


def named_format(name: str) -> Format:
    """The format of this name. Raises ConfigError when there is none."""
    for form in FORMATS:
        if form.name == name:
            return form
    known = ", ".join(form.name for form in FORMATS)
    raise ConfigError(f"there is no format {name!r}; there are {known}")


def _has_suffix(name: str, form: Format) -> bool:
    return name.lower().endswith(form.suffixes)
