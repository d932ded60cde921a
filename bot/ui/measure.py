"""How long Discord takes a text to be, and where it may be cut between two characters."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    """How long Discord may take this text to be, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def prefix(text: str, limit: int) -> str:
    """The longest beginning within ``limit`` that ends between two graphemes."""
    if width(text[:limit]) <= limit:
        return text[: grapheme(text, min(limit, len(text)))]
    room, at = limit, 0
    while room >= (step := 2 if text[at] > "\uffff" else 1):
        room -= step
        at += 1
    return text[: grapheme(text, at)]


def grapheme(text: str, at: int) -> int:
    """The nearest place at or before ``at`` that divides no visible character."""
    start = at
    while 0 < at < len(text) and start - at < 32 and _joined(text[at - 1], text[at]):
        at -= 1
    return at if at > 0 and start - at < 32 else start


def _joined(before: str, after: str) -> bool:
    return (
        before == "\u200d"
        or after in "\u200d\ufe0e\ufe0f\u20e3"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or unicodedata.category(after) in ("Mn", "Mc", "Me")
    )
