"""Literal text to Markdown that shows it: escaped where Discord would act, only there."""

from __future__ import annotations

import re

from bot.sources.markup.code import rendered

# Marks in an address don't act, and a backslash would become part of it.
_URL = re.compile(r"(https?://[^\s<>`|\\\"]+)")
_BACKSLASH = re.compile(r"\\(?=[^\w\s]|$)")
_STAR = re.compile(r"\*(?!\s)|(?<!\s)\*")
_UNDERSCORES = re.compile(r"_+")
_STRUCK = re.compile(r"~~+")
_HIDDEN = re.compile(r"\|\|+")
_TIME_OR_EMOJI = re.compile(r"<(?=a?:\w+:\d|t:-?\d)")
_EMOJI = re.compile(
    r":(?=(?:100|[0-9_+\-]*[A-Za-z][A-Za-z0-9_+\-]{1,40}|[+-]1):(?![\w:]))(?<![\w:]:)"
)
_MARKS_OF_A_LINE = re.compile(
    r"^(?=[-+*]\s|\#{1,3}\s|-\#\s|>|={3,}$|-{3,}$|\[[^\]\n]+\]:)|^(\d{1,9})(?=[.)]\s)",
    re.MULTILINE,
)
_MAY_MARK_A_LINE = frozenset("-+*#>=[0123456789")
_STARRED_LINE = re.compile(r"^(?:[^\S\n]|>)*+\\\*\s", re.MULTILINE)


def escape(text: str) -> str:
    """Return a piece of running text as Markdown, its formulas as code."""
    if "$" in text or "\\" in text:
        return rendered(text, escape_words)
    return escape_words(text)


def escape_words(text: str) -> str:
    """Return a piece of running text without formulas as Markdown; addresses stay as they are."""
    if ":" not in text or "://" not in text:
        return _escaped(text)
    parts = _URL.split(text)
    parts[::2] = map(_escaped, parts[::2])
    return "".join(parts)


def escape_lines(text: str) -> str:
    """Return a paragraph in which no line begins like a list, a quote or a heading."""
    first = [line[:1] for line in text.split("\n")] if "\n" in text else text[0]
    if _MAY_MARK_A_LINE.isdisjoint(first):
        return text
    return _MARKS_OF_A_LINE.sub(lambda m: f"{m[1] or ''}\\", text)


def unescape_lone(markdown: str) -> str:
    """Remove backslashes before marks that have no partner in the whole text, so don't act."""
    for mark in "*_`":
        if markdown.count(mark) == 1 and not (mark == "*" and _STARRED_LINE.search(markdown)):
            markdown = markdown.replace(f"\\{mark}", mark)
    for twice, escaped in (("~~", r"\~\~"), ("||", r"\|\|")):
        if markdown.count(escaped) == 1 and twice not in markdown:
            markdown = markdown.replace(escaped, twice)
    return markdown


def _escaped(text: str) -> str:
    # Looking for one character takes a tenth of what looking for two takes, a hundredth of
    # what a regular expression takes, and most text has none of these.
    if "\\" in text:
        text = _BACKSLASH.sub(r"\\\\", text)
    if "`" in text:
        text = text.replace("`", "\\`")
    if "*" in text:
        text = _STAR.sub(r"\\*", text)
    if "_" in text:
        text = _UNDERSCORES.sub(_underscores, text)
    if "~" in text:
        text = _STRUCK.sub(_each, text)
    if "|" in text:
        text = _HIDDEN.sub(_each, text)
    if "]" in text:
        text = text.replace("](", "\\](")
    if "<" in text:
        text = _TIME_OR_EMOJI.sub(r"\\<", text)
    if ":" in text and text.count(":") > 1:
        text = _EMOJI.sub(r"\\:", text)
    return text


def _underscores(run: re.Match[str]) -> str:
    """Escape underscores, but for a single one inside a word, which does nothing there."""
    before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    return "_" if run[0] == "_" and before.isalnum() and after.isalnum() else _each(run)


def _each(run: re.Match[str]) -> str:
    return "".join(f"\\{character}" for character in run[0])
