"""Which addresses may be linked, and labels that pretend to lead elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from bot.ui import limits
from bot.ui.measure import width

_NEVER = re.compile(  # also what turns the direction of writing, and so hides the host
    r"[\s<>\"`|\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_DOTS = re.compile("[\u3002\uff0e\uff61\u2024]")
_AROUND = "\"'“”‘’«»()[]{}<>.,;:!?*_~`|…"
_PART = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_PATH = re.compile(r"[/?#:\\]")

_LONGEST_HOST = 253

_GENERIC = frozenset(
    "app biz blog chat cloud club com dev edu email finance fun games gg gift gov info ink link "
    "live mil mobi name net news online org page pro shop site social store support tech tv "
    "wiki win world xyz zone".split()
)
"""Endings of hosts, but for those of countries, which have two letters."""

_NO_COUNTRIES = frozenset("cs db go hs jl js kt rb ts vb".split())
"""Endings of files and products, such as "node.js", that no host has."""


def safe_url(url: str | None) -> str | None:
    """The address if it may be linked: http(s), one line, with a host, not endless.

    What would show a reader another host than it leads to is refused: user information
    before the host, marks that turn the direction of writing.
    """
    if not url or len(url) > limits.LINK or width(url) > limits.LINK or _NEVER.search(url):
        return None
    return url if host_of(url) else None


def host_of(url: str) -> str:
    """The host of an http(s) address; empty for other ones, and with user information."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "%" in host:
        return ""
    hidden = any(unicodedata.category(c) == "Cf" for c in host)
    return "" if hidden else host


def misleading(label: str, url: str) -> str:
    """The host that an address leads to, if its label looks like an address of another one.

    Empty if the label names no host, or this one, or one above or below it.
    """
    if label.isascii() and "." not in label:
        return ""
    host = _comparable(host_of(url) or _real_host(url))
    if not host or len(host) > _LONGEST_HOST or f"({host})" in label:
        return ""
    return host if any(not _same(host, _comparable(h)) for h in _hosts_in(label)) else ""


def _hosts_in(label: str) -> Iterator[str]:
    """What a reader takes for hosts in a label."""
    seen = "".join(c for c in label if unicodedata.category(c) != "Cf" and c != "\\")
    words = _DOTS.sub(".", unicodedata.normalize("NFKC", seen)).casefold().split()
    for word in words:
        _, found, rest = word.strip(_AROUND).rpartition("://")
        host = _PATH.split(rest, maxsplit=1)[0].rpartition("@")[2]
        explicit = bool(found) or host.startswith("www.")
        if _is_host(host, explicit=explicit, alone=len(words) == 1):
            yield host


def _is_host(host: str, *, explicit: bool, alone: bool) -> bool:
    """Whether something looks like a host: surely in an address, else by its ending.

    An ending of two letters, a country's, counts only where the label is nothing else.
    """
    parts = host.split(".")
    if len(host) > _LONGEST_HOST or len(parts) < 2 or not all(map(_PART.fullmatch, parts)):
        return False
    end = parts[-1]
    if explicit or end in _GENERIC or end.startswith("xn--"):
        return True
    return alone and len(end) == 2 and end.isalpha() and end not in _NO_COUNTRIES


def _real_host(url: str) -> str:
    """The host behind user information."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _same(one: str, other: str) -> bool:
    """Whether two hosts are one, or one lies below the other."""
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def _comparable(host: str) -> str:
    """A host as it goes over the wire, without ``www``."""
    with suppress(UnicodeError):  # what can't be looked up is compared as it stands
        host = host.encode("idna").decode()
    return host.lower().removeprefix("www.")
