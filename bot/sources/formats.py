"""The formats that can be read. A new one is a reader in its own file and a line here."""

from __future__ import annotations

from pathlib import Path

from bot.errors import ConfigError, InputError
from bot.sources import (
    discord_export,
    faq,
    jsonl,
    qa_json,
    qa_labels,
    stackexchange,
    table,
    text_page,
    web_page,
)
from bot.sources.decoding import FileHead
from bot.sources.file_format import Format

# Where two look alike and the suffix doesn't tell, the first is taken: a line of JSON is
# never a marker, but a page's title may begin with a brace.
FORMATS = (
    text_page.FORMAT,
    jsonl.FORMAT,
    stackexchange.FORMAT,
    discord_export.FORMAT,
    qa_json.FORMAT,
    table.FORMAT,
    faq.FORMAT,
    qa_labels.FORMAT,
    web_page.FORMAT,
)


def has_known_suffix(name: str) -> bool:
    """Return whether a file of this name is read when it lies in a folder."""
    return any(_has_suffix(name, form) for form in FORMATS)


def recognise(path: Path, head: FileHead, named: str | None = None) -> Format:
    """Return the format of a file, by its content; the suffix decides where that leaves a doubt.

    One that is ``named`` is taken at its word. Raises InputError when no format fits.
    """
    if named is not None:
        return named_format(named)
    possible = [
        form
        for form in FORMATS
        if (form.packed or not head.gzipped) and (form.utf16 or not head.utf16)
    ]
    certain = [form for form in possible if form.is_certain]
    suffixed = [f for f in possible if not f.is_certain and _has_suffix(path.name, f)]
    defers = has_known_suffix(path.name)
    others = [form for form in possible if form not in suffixed and not (form.defers and defers)]
    for form in (*certain, *suffixed, *others):
        if form.looks_like(head):
            return form
    # A line of JSON Lines that holds a stray NUL is refused by its reader, with its line.
    if head.utf16:
        raise InputError("it is UTF-16 text; save it as UTF-8", path)
    if head.binary:
        raise InputError("it is not text (it holds NUL bytes)", path)
    if suffixed:
        return suffixed[0]
    names = ", ".join(
        f"{form.name} ({', '.join(form.suffixes) or 'Q: and A:'})" for form in FORMATS
    )
    raise InputError(f"its content is in no form that is read here: {names}", path)


def named_format(name: str) -> Format:
    """Return the format of this name. Raises ConfigError when there is none."""
    for form in FORMATS:
        if form.name == name:
            return form
    known = ", ".join(form.name for form in FORMATS)
    raise ConfigError(f"there is no format {name!r}; there are {known}")


def _has_suffix(name: str, form: Format) -> bool:
    return name.lower().endswith(form.suffixes)
