"""Literal text and links in Discord's Markdown: escaped where Discord would act, only there."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urljoin

from bot.sources.markup.code import rendered

# Marks in an address don't act, and a backslash would become part of it.
_URL = re.compile(r"(https?://[^\s<>`|\\\"]+)")
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
    for sign, mark, escaped in _MARKS:
        if sign in text:
            text = mark.sub(escaped, text)
    return text


def _underscores(run: re.Match[str]) -> str:
    """Escape underscores, but for a single one inside a word, which does nothing there."""
    before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    return "_" if run[0] == "_" and before.isalnum() and after.isalnum() else _each(run)


def _each(run: re.Match[str]) -> str:
    return "".join(f"\\{character}" for character in run[0])


_MARKS: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("\\", re.compile(r"\\(?=[^\w\s]|$)"), r"\\\\"),
    ("`", re.compile("`"), r"\\`"),
    ("*", re.compile(r"\*(?!\s)|(?<!\s)\*"), r"\\*"),
    ("_", re.compile("_+"), _underscores),
    ("~", re.compile("~~+"), _each),
    ("|", re.compile(r"\|\|+"), _each),
    ("]", re.compile(r"\]\("), r"\\]("),
    ("<", re.compile(r"<(?=a?:\w+:\d|t:-?\d)"), r"\\<"),  # a time, or a server's emoji
    (
        ":",
        re.compile(
            r":(?=(?:100|[0-9_+\-]*[A-Za-z][A-Za-z0-9_+\-]{1,40}|[+-]1):(?![\w:]))(?<![\w:]:)"
        ),
        r"\\:",
    ),
)
"""A sign that must be there, the marks of Discord's Markdown that it may make, and their text."""

_UNSAFE = re.compile(r"[\s<>\"`|\\^{}\[\]()\x00-\x20]")
_BARE_UNSAFE = re.compile(r"[\s<>\"`|\\^{}\x00-\x20]")
_EMBEDDED_VIDEO = re.compile(
    r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/(?:embed|v)/([\w\-]{6,20})"
)
_HOST = re.compile(r"https?://(?:[^\s/?#@]*@)?[^\s/?#@:]", re.IGNORECASE)

_CONTACT = re.compile(
    r"(?:mailto:(?P<mail>[^?]+)|tel:(?P<number>[^;?]+))(?:[;?].*)?", re.IGNORECASE | re.DOTALL
)
_MAIL = re.compile(r"[^\s<>()\[\]`@]+@[^\s<>()\[\]`@]+")
_NUMBER = re.compile(r"[+0-9][0-9 ().\-/]*")
_LONGEST = 254


def address(href: str | None, base_url: str | None) -> str | None:
    """Return the absolute http(s) address of an attribute; ``None`` for any other."""
    if not href:
        return None
    href = href.strip()
    if not href.startswith(("https://", "http://")):
        try:
            if base_url is not None and not href.startswith("#"):
                href = urljoin(base_url, href)
            elif href.startswith("//"):
                href = f"https:{href}"
        except ValueError:
            return None
    return href if _HOST.match(href) else None


def contact(href: str | None) -> str:
    """Return the mail address or telephone number of an attribute; empty for any other."""
    match = _CONTACT.fullmatch((href or "").strip())
    if not match:
        return ""
    there = " ".join(unquote(match["mail"] or match["number"]).split())
    kind = _MAIL if match["mail"] else _NUMBER
    return there if len(there) <= _LONGEST and kind.fullmatch(there) else ""


def tells(text: str, contact: str) -> bool:
    """Return whether a text has an address or number in it, in whatever way this is written."""
    if "@" in contact:
        return contact.casefold() in text.casefold()
    digits = re.sub("[^0-9]", "", text).lstrip("0")
    return len(digits) > 3 and re.sub("[^0-9]", "", contact).endswith(digits)


def video(src: str) -> str:
    """Return the page of an embedded video, other addresses as they are."""
    match = _EMBEDDED_VIDEO.match(src)
    return f"https://www.youtube.com/watch?v={match[1]}" if match else src


def looks_like_address(text: str) -> bool:
    """Return whether a link's text is an address, which Discord wants to be the link's own."""
    return text.startswith(("http://", "https://")) and len(text.split()) == 1


def linked(label: str, url: str) -> str:
    """Return ``[label](url)``."""
    return f"[{label}]({_UNSAFE.sub(_quoted, url)})"


def bare(url: str, following: str) -> str:
    """Return the address alone; in angle brackets where it would swallow what follows."""
    url = _BARE_UNSAFE.sub(_quoted, url)
    if url[-1] not in ".,:;!?'*_~" and (not following or following[0] in " \n\t.,;:!?\0"):
        return url
    return f"<{url}>"


def _quoted(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
