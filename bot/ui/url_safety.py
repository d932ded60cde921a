"""URLs that may be linked, and labels that pretend to lead to another host."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from bot.ui import limits
from bot.ui.markdown import width

_NEVER = re.compile(  # also what turns the direction of writing, and so hides the host
    r"[\s<>\"`|\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_DOTS = re.compile("[\u3002\uff0e\uff61\u2024]")
_AROUND = "\"'“”‘’«»()[]{}<>.,;:!?*_~`|…"
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_PATH = re.compile(r"[/?#:\\]")

_LONGEST_HOST = 253
"""Characters of a host's name, at most (RFC 1035, without the final dot)."""

_GENERIC = frozenset(
    "app biz blog chat cloud club com dev edu email finance fun games gg gift gov info ink link "
    "live mil mobi name net news online org page pro shop site social store support tech tv "
    "wiki win world xyz zone".split()
)
"""Top-level domains, but for those of countries, which have two letters."""

_NO_COUNTRIES = frozenset("cs db go hs jl js kt rb ts vb".split())
"""Endings of files and products, such as "node.js", that are no top-level domains."""


def safe_url(url: str | None) -> str | None:
    """Return the URL if it may be linked: http(s), on one line, with a host, not endless.

    URLs that would show a reader another host than they lead to are refused: those with user
    information before the host, or with marks that turn the direction of writing.
    """
    if not url or len(url) > limits.LINK or width(url) > limits.LINK or _NEVER.search(url):
        return None
    return url if _plain_host(url) else None


def misleading_host(label: str, url: str) -> str:
    """Return the host that a URL leads to, if its label looks like a URL of another one.

    Empty if the label names no host, or this one, or one above or below it.
    """
    if label.isascii() and "." not in label:
        return ""
    host = _comparable(_plain_host(url) or _real_host(url))
    if not host or len(host) > _LONGEST_HOST or f"({host})" in label:
        return ""
    return host if any(not is_same_site(host, _comparable(h)) for h in _hosts_in(label)) else ""


def is_same_site(one: str, other: str) -> bool:
    """Return whether two hosts are equal, or one is a subdomain of the other."""
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def _plain_host(url: str) -> str:
    """Return the host of an http(s) URL; empty for other ones, and with user information."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "%" in host:
        return ""
    hidden = any(unicodedata.category(c) == "Cf" for c in host)
    return "" if hidden else host


def _hosts_in(label: str) -> Iterator[str]:
    """Yield what a reader takes for hosts in a label."""
    visible = "".join(c for c in label if unicodedata.category(c) != "Cf" and c != "\\")
    words = _DOTS.sub(".", unicodedata.normalize("NFKC", visible)).casefold().split()
    for word in words:
        _, scheme_end, rest = word.strip(_AROUND).rpartition("://")
        host = _PATH.split(rest, maxsplit=1)[0].rpartition("@")[2]
        explicit = bool(scheme_end) or host.startswith("www.")
        if _is_host(host, explicit=explicit, alone=len(words) == 1):
            yield host


def _is_host(host: str, *, explicit: bool, alone: bool) -> bool:
    """Return whether a word looks like a host: surely in a URL, else by its top-level domain.

    One of two letters, a country's, counts only where the label is nothing else.
    """
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)):
        return False
    end = labels[-1]
    if explicit or end in _GENERIC or end.startswith("xn--"):
        return True
    return alone and len(end) == 2 and end.isalpha() and end not in _NO_COUNTRIES


def _real_host(url: str) -> str:
    """Return the host behind user information."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _comparable(host: str) -> str:
    """Return a host in the form that is looked up, without ``www``."""
    with suppress(UnicodeError):  # what can't be looked up is compared as it stands
        host = host.encode("idna").decode()
    return host.lower().removeprefix("www.")
