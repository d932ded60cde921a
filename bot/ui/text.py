"""Text that fits, pings nobody and stays inside its card.

*Markdown* here is Discord's. Widths and limits are in UTF-16 units (see limits).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.ui import limits

FENCE = "```"
ELLIPSIS = "…"
NO_TITLE = "(no title)"
_QUIET = "\u200b"  # a zero-width space: seen by Discord's parser, not by people

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_OPENING = re.compile(r"```(?:[\w+\-.#]{0,20}\n)?")
_CLOSING = re.compile(r"\s*```")
_WHOLE = re.compile(  # what must not be cut in two
    r"\\[^\w\s]"  # an escaped character
    r"|\[(?:[^\[\]\\\n]|\\.){1,2000}\]\(<?[^\s\[]{1,4000}?\)"  # [label](address)
    r"|https?://[^\s<>`\[\]]+"
    r"|<[^<>\s][^<>\n]{0,4000}>"  # <address>, mention, custom emoji, timestamp
    r"|`+[^`\n]{0,1000}`+"
    r"|`+"
)
_LINK = re.compile(
    r"\[((?:[^\[\]\\\n]|\\.){1,2000})\]\(<?https?://[^\s`\[]+?\)|<?https?://[^\s<>`\[\]]+>?"
)
_MARKED = re.compile(  # bold, spoiler and such; what is passed over before it holds no marks
    r"\\.|`[^`\n]+`|https?://[^\s<>]+"
    r"|(\*\*|\|\||~~|__|\*)(?=\S)(?:[^\n\\`]|\\.|`[^`\n]+`)+?\1"
)
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？]|\n")
_MENTION = re.compile(r"@(?=everyone|here|[!&]?\d)|<(?=[@#]|/[^>\n]{1,200}:\d|id:)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_~|\[\]()<>#]|^[-+](?=\s)|^\d+(?=\.)|:(?=//)", re.MULTILINE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LONE = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\A\s*\n")


def width(text: str) -> int:
    """How long Discord may take this text to be."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Without what no reader can see or no wire can carry.

    Lone surrogates become U+FFFD; control characters and those that turn the
    direction of writing vanish; joiners that emoji and scripts need stay.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE.sub("\ufffd", _UNSEEN.sub("", text))


def one_line(text: str) -> str:
    """The text as a label: clean, and all runs of space one space."""
    return " ".join(clean(text).replace(_QUIET, "").split())


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing at all."""
    return all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc", "Cs", "Mn") for c in text)


def label(text: str, limit: int) -> str:
    """One plain line of at most ``limit`` for a place that renders no Markdown."""
    line = one_line(text)
    if width(line) <= limit:
        return line or NO_TITLE
    return _prefix(line, limit - 1).rstrip() + ELLIPSIS


def title(text: str, limit: int) -> str:
    """One line of at most ``limit`` in which nothing counts as Markdown or a mention."""
    line = one_line(text)
    if not line:
        return NO_TITLE
    if width(escape(line)) <= limit:
        return escape(line)
    # Escaping lengthens by a varying amount: find the longest prefix that fits.
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if width(escape(line[:middle])) <= limit - 1:
            low = middle
        else:
            high = middle - 1
    return escape(line[: _grapheme(line, low)].rstrip()) + ELLIPSIS


def escape(text: str) -> str:
    """The same text to the eye, with nothing in it that Markdown or a mention uses."""
    return _SPECIAL.sub(lambda m: f"{m[0]}\\" if m[0].isdigit() else f"\\{m[0]}", inert(text))


def inert(text: str) -> str:
    """The text with every mention and command link made harmless; Markdown stays."""
    return _MENTION.sub(lambda m: m[0] + _QUIET, text)


def safe_url(url: str | None) -> str | None:
    """The address if it may be linked: http(s), one line, with a host, not endless."""
    if not url or width(url) > limits.LINK or re.search(r"[\s<>\"`|\\\x00-\x1f]", url):
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return url if known else None


def body(text: str) -> str:
    """An answer's Markdown, ready to be shown or cut: clean, inert, fences closed."""
    text = inert(clean(text)).strip()
    if text.count(FENCE) % 2:  # an unclosed fence would swallow what follows it
        head, _, tail = text.rpartition(FENCE)
        text = head + r"\`\`\`" + tail
    return text


def cut(text: str, limit: int) -> str:
    """The beginning of a ``body`` that fits, closed with an ellipsis if it is cut.

    ``limit`` is at least 100, here and in ``pages``: less has no room for a fence.
    """
    if width(text) <= limit:
        return text
    # What lies far behind the cut can't change where it is.
    head = next(_pieces(text[: limit * 4], limit - 6))
    if head.count(FENCE) % 2:
        head += "\n" + FENCE
    return head + ("\n" if head.endswith(FENCE) else "") + ELLIPSIS


def pages(text: str, limit: int) -> list[str]:
    """The whole ``body`` in pieces that fit; a fence cut in two is closed and reopened."""
    return list(_pieces(text, limit)) or [""]


def _pieces(text: str, limit: int) -> Iterator[str]:
    rest = _without_endless_links(text, limit - 50)
    while width(rest) > limit:
        head, rest = _split(rest, limit)
        if head:
            yield head
    if rest:
        yield rest


def _split(text: str, limit: int) -> tuple[str, str]:
    """Two parts, the first of which fits, at the best place there is."""
    end = len(_prefix(text, limit))
    fences = []
    for fence in _FENCED.finditer(text):
        if fence.start() >= end:
            break
        fences.append(fence.span())
    if fences and fences[-1][1] > end:
        start = fences[-1][0]
        if start < end * 2 // 5:
            return _split_fence(text, start, limit)
        return text[:start].rstrip(), text[start:]
    at = _best_place(text, end, fences)
    marks = _marks_around(text, at)
    if marks:
        at = _best_place(text, len(_prefix(text, limit - len(marks))), fences)
        # A tiny first part would be all marks, and what is left as long as before.
        marks = _marks_around(text, at) if at > limit // 4 else ""
    rest = _BLANK_LINES.sub("", text[at:], count=1).removeprefix(" ")
    return text[:at].rstrip() + marks, marks + rest


def _marks_around(text: str, at: int) -> str:
    """The mark of the bold text, spoiler or such that a cut goes through, if it does."""
    line = text.rfind("\n", 0, at) + 1
    for marked in _MARKED.finditer(text, line, at + 2_000):
        if marked.end() > at:
            return (marked[1] or "") if marked.start() < at else ""
    return ""


def _split_fence(text: str, start: int, limit: int) -> tuple[str, str]:
    """Cut inside a code block that is too long for one piece, at the end of a line."""
    found = _OPENING.match(text, start)
    opening = found[0] if found else FENCE
    first = start + len(opening)
    room = limit - len(FENCE) - 1
    end = max(len(_prefix(text, room)), first + 1)
    line = text.rfind("\n", first + 1, end)
    at = line if line > first else _off_backticks(text, _grapheme(text, end), first + 1)
    closing = _CLOSING.match(text, at)
    rest = text[closing.end() :] if closing else opening + text[at:].removeprefix("\n")
    return text[:at] + "\n" + FENCE, rest


def _best_place(text: str, end: int, fences: list[tuple[int, int]]) -> int:
    spans = fences + [m.span() for m in _WHOLE.finditer(text, 0, min(len(text), end * 2))]

    def free(at: int) -> bool:
        return not any(a < at < b for a, b in spans)

    def last(places: list[int], least: int) -> int:
        return next((at for at in reversed(places) if at >= least and free(at)), 0)

    window = text[:end]
    paragraphs = [m.start() for m in re.finditer(r"\n\s*\n", window)]
    sentences = [m.end() if m[0] != "\n" else m.start() for m in _SENTENCE.finditer(window)]
    words = [m.start() for m in re.finditer(r"\s+", window)]
    at = last(paragraphs, end // 2) or last(sentences, end * 2 // 5) or last(words, 1)
    if at:
        return at
    at = _grapheme(text, end)
    while at > 1 and not free(at):
        at = max(a for a, b in spans if a < at < b)
    return at if at >= 1 else end


def _without_endless_links(text: str, limit: int) -> str:
    """Links that would not fit on any piece keep only their words."""

    def shorten(match: re.Match[str]) -> str:
        if width(match[0]) <= limit:
            return match[0]
        return label(match[1], limit // 2) if match[1] else "(a link too long to show)"

    return _LINK.sub(shorten, text)


def _prefix(text: str, limit: int) -> str:
    """The longest beginning within ``limit`` that ends between two graphemes."""
    if width(text[:limit]) <= limit:
        return text[: _grapheme(text, min(limit, len(text)))]
    room, at = limit, 0
    while room >= (step := 2 if text[at] > "\uffff" else 1):
        room -= step
        at += 1
    return text[: _grapheme(text, at)]


def _grapheme(text: str, at: int) -> int:
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


def _off_backticks(text: str, at: int, least: int) -> int:
    while at > least and text[at - 1] == "`":
        at -= 1
    return at
