"""Text of people made ready for Discord: it fits, pings nobody and stays inside its card.

*Markdown* here is Discord's. Lengths and limits are in UTF-16 units (see limits).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import limits, markdown, tables
from bot.ui.markdown import FENCE, WINDOW, Span, grapheme, prefix, spans
from bot.ui.markdown import width as width
from bot.ui.url_safety import misleading_host
from bot.ui.url_safety import safe_url as safe_url

ELLIPSIS = "…"
NO_TITLE = N_("(no title)")
_ZERO_WIDTH_SPACE = "\u200b"  # seen by Discord's parser, not by people

_LINKED = re.compile(r"\(<?https?://[^\s`\[]+?\)")
_LINK = re.compile(r"<?https?://[^\s<>`\[\]]++>?")
_ADDRESS = re.compile(r"\(<?(https?://[^\s<>\[\]()]{1,4000})", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`++[^`\n]{0,1000}+`++|`++|\\.", re.DOTALL)
_MENTION = re.compile(r"@(?=everyone|here|[!&]?\d)|<(?=[@#]|/[^<>\n]{1,200}:\d|id:)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_~|\[\]()<>#]|^[-+](?=\s)|^\d+(?=\.)|:(?=//)", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+(?=\s)|[\u3002\uff01\uff1f]+")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Remove what no reader can see or no wire can carry.

    Lone surrogates become U+FFFD; control characters and those that turn the
    direction of writing vanish; joiners that emoji and scripts need stay.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def one_line(text: str) -> str:
    """Return the text cleaned, with all runs of space as one space."""
    return " ".join(clean(text).replace(_ZERO_WIDTH_SPACE, "").split())


def heading(text: str, limit: int) -> str:
    """Return the beginning of a text as one plain line of at most ``limit``.

    It is cut behind a sentence that is not too short, else behind a word.
    """
    line = _first_line(text, limit)
    if width(line) <= limit:
        return line
    head = prefix(line, limit - 1)
    ends = [found.end() for found in _SENTENCE_END.finditer(line, 0, len(head) + 1)]
    if ends and ends[-1] >= limit // 5:
        return head[: ends[-1]].rstrip()
    return (head.rpartition(" ")[0] or head).rstrip() + ELLIPSIS


def is_blank(text: str) -> bool:
    """Return whether a reader would see nothing at all."""
    return all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc", "Cs", "Mn") for c in text)


def label(text: str, limit: int) -> str:
    """Return one plain line of at most ``limit`` for a place that renders no Markdown."""
    line = _first_line(text, limit)
    if width(line) <= limit:
        return line or _(NO_TITLE)
    return prefix(line, limit - 1).rstrip() + ELLIPSIS


def title(text: str, limit: int) -> str:
    """Return one line of at most ``limit`` in which nothing counts as Markdown or a mention."""
    line = _first_line(text, limit)
    if not line:
        return _(NO_TITLE)
    if width(escape(line)) <= limit:
        return escape(line)
    # Escaping lengthens by a varying amount: find the longest prefix that fits.
    longest = bisect_right(range(len(line)), limit - 1, key=lambda n: width(escape(line[:n]))) - 1
    return escape(line[: grapheme(line, longest)].rstrip()) + ELLIPSIS


def lines(texts: Sequence[str], limit: int = limits.EMBED_FIELD, more: int = 0) -> str:
    """Join as many lines as fit, and say how many are left out, ``more`` of them not given."""
    room, kept = limit - 40, 0  # 40 for the line that says so
    for line in texts:
        room -= width(line) + 1
        if room < 0:
            break
        kept += 1
    return "\n".join([*texts[:kept], *and_more(len(texts) - kept + more)])


def and_more(left: int) -> list[str]:
    """Return the line that says how many are left out, if any are."""
    if left <= 0:
        return []
    return [ngettext("… and {count} more", "… and {count} more", left).format(count=number(left))]


def escape(text: str) -> str:
    """Return what looks the same, with nothing in it that Markdown or a mention uses."""
    return _SPECIAL.sub(
        lambda m: f"{m[0]}\\" if m[0].isdigit() else f"\\{m[0]}", neutralise_mentions(text)
    )


def neutralise_mentions(text: str) -> str:
    """Make every mention and command link harmless; Markdown stays."""
    return _MENTION.sub(lambda m: m[0] + _ZERO_WIDTH_SPACE, text)


def body(text: str) -> str:
    """Return an answer's Markdown ready to be shown or cut: clean, without pings, fences closed.

    A link whose label looks like an address of another host shows its own host as well. Tables
    become code blocks or lists.
    """
    text = neutralise_mentions(_with_hosts(tables.aligned(clean(text)))).strip()
    if text.count(FENCE) % 2:  # an unclosed fence would swallow what follows it
        head, _fence, tail = text.rpartition(FENCE)
        text = head + r"\`\`\`" + tail
    return text


def cut(text: str, limit: int) -> str:
    """Return the beginning of a ``body`` that fits, closed with an ellipsis if it is cut.

    ``limit`` is at least 100, here and in ``pages``: less has no room for a fence.
    """
    if width(text) <= limit:
        return text
    # What lies far behind the cut can't change where it is.
    head = next(_pages(text[: limit * WINDOW], limit - 6))  # 6 for a fence, lines and the ellipsis
    if head.count(FENCE) % 2:
        head += "\n" + FENCE
    return head + ("\n" if head.endswith(FENCE) else "") + ELLIPSIS


def pages(text: str, limit: int) -> list[str]:
    """Return the whole ``body`` in pages that fit; a fence cut in two is closed and reopened."""
    return list(_pages(text, limit)) or [""]


def linked(name: str, url: str | None, limit: int) -> str:
    """Return a name, linked if the URL is safe, as one line of at most ``limit`` without the URL.

    A name that looks like an address of another host is shown with the host that it leads to.
    Brackets would end the link too early.
    """
    safe = safe_url(url)
    if safe is None:
        return title(name, limit)
    host = misleading_host(label(name, limit), safe)
    more = f" ({label(host, limit // 2)})" if host else ""
    shown = title(name.replace("[", "(").replace("]", ")"), limit - len(more)) + more
    return f"[{shown}]({safe.replace('(', '%28').replace(')', '%29')})"


def _pages(text: str, limit: int) -> Iterator[str]:
    return markdown.pages(_without_endless_links(text, limit - 50), limit)


def _first_line(text: str, limit: int) -> str:
    """Return ``one_line`` of the text, of no more than cutting it to ``limit`` needs."""
    size = 4 * limit + 64
    while True:
        line = one_line(text[:size])
        if size >= len(text) or len(line) > limit + 64:
            return line
        size *= 4  # mostly of space, or of what can't be seen


def _without_endless_links(text: str, limit: int) -> str:
    """Replace links that would not fit on any page by their labels."""

    def shortened(span: Span) -> str:
        if width(text[span.start : span.end]) <= limit:
            return text[span.start : span.end]
        named = span.label(text)
        return label(named, limit // 2) if named else _("(a link too long to show)")

    return _replaced(text, spans(text, _LINKED, _LINK), shortened)


def _with_hosts(text: str) -> str:
    """Add its host to each link whose label looks like an address of another host."""
    if "](" not in text:
        return text

    def with_host(span: Span) -> str:
        link = text[span.start : span.end]
        address = _ADDRESS.match(text, span.label_end) if span.label_end else None
        host = misleading_host(span.label(text), address[1]) if address else ""
        if not host:
            return link
        at = span.label_end - span.start - 1
        return f"{link[:at]} ({escape(host)}){link[at:]}"

    return _replaced(text, spans(text, _ADDRESS, _CODE), with_host)


def _replaced(text: str, ranges: Iterable[Span], new: Callable[[Span], str]) -> str:
    """Replace ranges of a text, which don't overlap, by what ``new`` makes of them."""
    made, at = [], 0
    for span in ranges:
        made += [text[at : span.start], new(span)]
        at = span.end
    return "".join([*made, text[at:]])
