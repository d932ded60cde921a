"""Text that fits, pings nobody and stays inside its card.

*Markdown* here is Discord's. Widths and limits are in UTF-16 units (see limits).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from bot.ui import limits
from bot.ui.addresses import misleading, safe_url
from bot.ui.markdown import Span, spans
from bot.ui.measure import grapheme, prefix, width
from bot.ui.paging import FENCE, WINDOW, pieces

__all__ = [
    "body",
    "clean",
    "cut",
    "escape",
    "inert",
    "is_blank",
    "label",
    "lines",
    "linked",
    "one_line",
    "pages",
    "safe_url",
    "title",
    "width",
]  # fmt: skip

ELLIPSIS = "…"
NO_TITLE = "(no title)"
_QUIET = "\u200b"  # a zero-width space: seen by Discord's parser, not by people

_LINKED = re.compile(r"\(<?https?://[^\s`\[]+?\)")
_LINK = re.compile(r"<?https?://[^\s<>`\[\]]++>?")
_ADDRESS = re.compile(r"\(<?(https?://[^\s<>\[\]()]{1,4000})", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`++[^`\n]{0,1000}+`++|`++|\\.", re.DOTALL)
_MENTION = re.compile(r"@(?=everyone|here|[!&]?\d)|<(?=[@#]|/[^<>\n]{1,200}:\d|id:)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_~|\[\]()<>#]|^[-+](?=\s)|^\d+(?=\.)|:(?=//)", re.MULTILINE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_LONE = re.compile("[\ud800-\udfff]")


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
    line = _line(text, limit)
    if width(line) <= limit:
        return line or NO_TITLE
    return prefix(line, limit - 1).rstrip() + ELLIPSIS


def title(text: str, limit: int) -> str:
    """One line of at most ``limit`` in which nothing counts as Markdown or a mention."""
    line = _line(text, limit)
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
    return escape(line[: grapheme(line, low)].rstrip()) + ELLIPSIS


def lines(found: Sequence[str], limit: int = limits.EMBED_FIELD, more: int = 0) -> str:
    """As many of the lines as fit, saying how many are left out, ``more`` of them unseen."""
    room, kept = limit - 30, 0
    for line in found:
        room -= width(line) + 1
        if room < 0:
            break
        kept += 1
    left = len(found) - kept + more
    return "\n".join(found[:kept]) + (f"\n… and {left} more" if left else "")


def escape(text: str) -> str:
    """The same text to the eye, with nothing in it that Markdown or a mention uses."""
    return _SPECIAL.sub(lambda m: f"{m[0]}\\" if m[0].isdigit() else f"\\{m[0]}", inert(text))


def inert(text: str) -> str:
    """The text with every mention and command link made harmless; Markdown stays."""
    return _MENTION.sub(lambda m: m[0] + _QUIET, text)


def body(text: str) -> str:
    """An answer's Markdown, ready to be shown or cut: clean, inert, fences closed.

    A link whose label looks like an address of another host shows its own host as well.
    """
    text = inert(_with_hosts(clean(text))).strip()
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
    head = next(_pieces(text[: limit * WINDOW], limit - 6))
    if head.count(FENCE) % 2:
        head += "\n" + FENCE
    return head + ("\n" if head.endswith(FENCE) else "") + ELLIPSIS


def pages(text: str, limit: int) -> list[str]:
    """The whole ``body`` in pieces that fit; a fence cut in two is closed and reopened."""
    return list(_pieces(text, limit)) or [""]


def linked(name: str, url: str | None, limit: int) -> str:
    """A name as it stands, or linked if the address is safe, as one line of at most ``limit``.

    ``limit`` is without the address. A name that looks like an address of another host is
    shown with the one that it leads to. Brackets would end the link too early.
    """
    address = safe_url(url)
    if address is None:
        return title(name, limit)
    host = misleading(label(name, limit), address)
    more = f" ({label(host, limit // 2)})" if host else ""
    shown = title(name.replace("[", "(").replace("]", ")"), limit - len(more)) + more
    return f"[{shown}]({address.replace('(', '%28').replace(')', '%29')})"


def _pieces(text: str, limit: int) -> Iterator[str]:
    return pieces(_without_endless_links(text, limit - 50), limit)


def _line(text: str, most: int) -> str:
    """The text as ``one_line`` makes it, but no more of it than cutting to ``most`` needs."""
    size = 4 * most + 64
    while True:
        line = one_line(text[:size])
        if size >= len(text) or len(line) > most + 64:
            return line
        size *= 4  # mostly of space, or of what can't be seen


def _without_endless_links(text: str, limit: int) -> str:
    """Links that would not fit on any piece keep only their words."""

    def shortened(span: Span) -> str:
        if width(text[span.start : span.end]) <= limit:
            return text[span.start : span.end]
        named = span.label(text)
        return label(named, limit // 2) if named else "(a link too long to show)"

    return _replaced(text, spans(text, _LINKED, _LINK), shortened)


def _with_hosts(text: str) -> str:
    """Markdown in which a link shows its host where its label looks like another's address."""
    if "](" not in text:
        return text

    def told(span: Span) -> str:
        link = text[span.start : span.end]
        address = _ADDRESS.match(text, span.label_end) if span.label_end else None
        host = misleading(span.label(text), address[1]) if address else ""
        if not host:
            return link
        at = span.label_end - span.start - 1
        return f"{link[:at]} ({escape(host)}){link[at:]}"

    return _replaced(text, spans(text, _ADDRESS, _CODE), told)


def _replaced(text: str, found: Iterable[Span], new: Callable[[Span], str]) -> str:
    """The text with other words for some of its parts."""
    made, at = [], 0
    for span in found:
        made += [text[at : span.start], new(span)]
        at = span.end
    return "".join([*made, text[at:]])
