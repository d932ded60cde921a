"""HTML to a tree: any string in, a body out, however broken or deep it is."""

from __future__ import annotations

import re
import threading
from html import unescape
from typing import Any

from lxml import etree

Element = Any
"""An lxml element. (Its type says nothing that helps here.)"""

DEEPEST = 50
"""Levels of nesting that are told apart; what is deeper is text."""

_ENDLESS = 255  # fewer tags can't nest deeper than libxml2 reads
_LONG = 1_000_000  # bytes; fewer can't hold a text or an attribute that it finds too long

# Beside what text never holds, the characters that turn the direction of writing.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]"
)
_ASCII_CONTROL = bytes((*range(9), *range(11, 32), 127))
_LONE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(rb"&#(?:0*\d{1,9}|[xX]0*[0-9a-fA-F]{1,8});?")
_UNREAD = ("script", "style", "template")
_APART = frozenset("p br div li ul ol dl dt dd blockquote pre h1 h2 h3 h4 h5 h6 table tr".split())
_NEXT = "\x01"  # a control character, which no text has any more
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])[^<>]*>")
_DROPPED = re.compile(r"(?is)<(script|style|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
# These end by themselves, so an unclosed one is no deeper than the one before.
_FLAT = frozenset("p br hr img li td th tr dt dd input wbr source embed col area option".split())


class _Parsers(threading.local):
    """Parsers for each thread: lxml's have a lock and a log of their own."""

    def __init__(self) -> None:
        options = {"encoding": "utf-8", "remove_comments": True, "remove_pis": True}
        options |= {"collect_ids": False, "default_doctype": False}  # which nobody asks for
        self.usual = etree.HTMLParser(**options)
        self.patient = etree.HTMLParser(huge_tree=True, **options)


_parsers = _Parsers()


def parse(html: str) -> Element:
    """Return the HTML as a tree; the text is in and below its root."""
    data = _clean(html)
    root = _tree(data, _parsers.usual)
    if root is None:
        root = _tree(_shallow(data.decode()).encode(), _parsers.patient)
    if root is None:
        root = _tree(data.replace(b"<", b" "), _parsers.patient)
    return root


def text_of(element: Element) -> str:
    """Return the text of an element and of all that is in it, whatever its form."""
    if not len(element):
        return element.text or ""
    if len(element) == 1 and not len(only := element[0]) and only.tag not in _UNREAD:
        return f"{element.text or ''}{only.text or ''}{only.tail or ''}"  # such as code in pre
    etree.strip_elements(element, *_UNREAD, with_tail=False)
    text: str = etree.tostring(element, encoding=str, method="text", with_tail=False)
    return text


def one_line(element: Element) -> str:
    """Return the same on a single line; what stands on lines of its own in it is kept apart."""
    if not len(element):
        return " ".join((element.text or "").split())
    if next(element.iterdescendants(*_APART), None) is None:
        return " ".join(text_of(element).split())
    items = (" ".join(item.split()) for item in _pieces(element).split(_NEXT))
    return ", ".join(filter(None, items))


def _pieces(element: Element) -> str:
    """Return the text with spaces around lines, and a sign where the next item of a list begins."""
    etree.strip_elements(element, *_UNREAD, with_tail=False)
    pieces = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            is_next = node.tag == "li" and node.getprevious() is not None
            pieces += [_NEXT if is_next else " " if node.tag in _APART else "", node.text or ""]
        else:
            apart = " " if node.tag in _APART else ""
            pieces += [apart, (node.tail or "") if node is not element else ""]
    return "".join(pieces)


def _clean(html: str) -> bytes:
    """Return the HTML without characters, written out or by number, that no text should hold."""
    # The quicker look finds nothing in most of what isn't plain ASCII.
    if not html.isascii() and not html.replace("\n", " ").isprintable():
        html = _CONTROL.sub("", _LONE.sub("\ufffd", html))
    data = html.encode().translate(None, _ASCII_CONTROL)
    if b"#" in data and b"&#" in data:  # the one character is found much sooner
        data = _NUMBER.sub(_character, data)
    return data


def _character(number: re.Match[bytes]) -> bytes:
    """Return the character that a numeric reference stands for; a space for a control character.

    Nothing is removed, and what plain text may hold stays a number: another number could
    come of it.
    """
    character = unescape(number[0].decode())  # knows what browsers make of 128 to 159
    if character and character.isascii() and character.isprintable():
        return number[0]
    return _CONTROL.sub(" ", character or " ").encode()


def _tree(data: bytes, parser: Element) -> Element | None:
    """Return the tree; nothing if libxml2 gave up on the way, of which it only leaves a note."""
    # An outer element of ours: without one, an empty document would be an error.
    root = etree.fromstring(b"<body>" + data, parser)
    may_fail = data.count(b"<") >= _ENDLESS or len(data) > _LONG
    if may_fail and any(e.level == etree.ErrorLevels.FATAL for e in parser.error_log):
        return None
    return root[0] if len(root) == 1 else root


def _shallow(html: str) -> str:
    """Return the HTML without the tags that nest too deep; their text stays."""
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
