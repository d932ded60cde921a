"""HTML to a tree: any string in, a body out, however broken or deep it is."""

from __future__ import annotations

import re
import threading
from typing import Any

from lxml import etree

Element = Any
"""An lxml element. (Its type says nothing that helps here.)"""

DEEPEST = 50
"""Levels of nesting that are told apart; what is deeper is text."""

_ENDLESS = 255  # fewer tags can't nest deeper than libxml2 reads

# Beside what text never holds, the characters that turn the direction of writing.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]"
)
_ASCII_CONTROL = bytes((*range(9), *range(11, 32), 127))
_LONE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])[^<>]*>")
_DROPPED = re.compile(r"(?is)<(script|style|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
# These end by themselves, so an unclosed one is no deeper than the one before.
_FLAT = frozenset("p br hr img li td th tr dt dd input wbr source embed col area option".split())


class _Parsers(threading.local):
    """One parser a thread: lxml's have a lock and a log of their own."""

    def __init__(self) -> None:
        self.html = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)


_parsers = _Parsers()


def parse(html: str) -> Element:
    """The HTML as a tree; the text is in and below its root."""
    data = _bytes(html)
    root = _tree(data)
    if root is None:
        root = _tree(_shallow(data.decode()).encode())
    if root is None:
        root = _tree(data.replace(b"<", b" "))
    return root


def without_control(text: str) -> str:
    """The text without control characters and halves of characters."""
    return _CONTROL.sub("", text)


def _bytes(html: str) -> bytes:
    if html.isascii():
        return html.encode().translate(None, _ASCII_CONTROL)
    return _CONTROL.sub("", _LONE.sub("\ufffd", html)).encode()


def _tree(data: bytes) -> Element | None:
    """The tree; nothing if libxml2 gave up on the way, of which it only leaves a note."""
    parser = _parsers.html
    # An outer element of ours: without one, an empty document would be an error.
    root = etree.fromstring(b"<body>" + data, parser)
    if data.count(b"<") >= _ENDLESS and any(
        error.level == etree.ErrorLevels.FATAL for error in parser.error_log
    ):
        return None
    return root[0] if len(root) == 1 else root


def _shallow(html: str) -> str:
    """The HTML without the tags that nest too deep; their text stays."""
    html = _DROPPED.sub(" ", html)
    depth = 0

    def keep(tag: re.Match[str]) -> str:
        nonlocal depth
        if tag[2].lower() in _FLAT:
            return tag[0] if depth <= DEEPEST else " "
        if tag[1]:
            depth = max(0, depth - 1)
            return tag[0] if depth < DEEPEST else " "
        depth += 1
        return tag[0] if depth <= DEEPEST else " "

    return _TAG.sub(keep, html)


def flat(element: Element) -> str:
    """The text of an element and of all that is in it, whatever its form."""
    if not len(element):
        return element.text or ""
    return "".join(element.itertext())
