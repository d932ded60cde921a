"""Who wrote what a card shows, where it is from, and under which licence it may be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.models import StoredAnswer, StoredThread
from bot.ui import limits, text

_MEMBER = re.compile(r"<@!?\d+>")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.I)
_CREATIVE_COMMONS = re.compile(r"CC[ -](BY(?:[ -](?:NC|ND|SA))*)[ -](\d\.\d)", re.I)
_CC0 = re.compile(r"CC0(?:[ -]1\.0)?", re.I)


@dataclass(frozen=True, slots=True)
class Credit:
    """One name to be given, with its address if it has one."""

    name: str
    url: str | None = None


def credits_of(thread: StoredThread, answer: StoredAnswer | None) -> list[Credit]:
    """What is to be said of an answer, or of the question for ``None``.

    The author leads to the answer, the site to the thread, the licence to its terms.
    """
    author = thread.author if answer is None else answer.author
    own = text.safe_url(answer.url) if answer is not None else None
    page = text.safe_url(thread.url)
    found = []
    if author:
        name = "a member" if _MEMBER.fullmatch(author.strip()) else author
        found.append(Credit(name, own))
    if site := _site(thread.source, page or own):
        found.append(Credit(site, page or (None if author else own)))
    license = (answer.license if answer is not None else None) or thread.license
    if license:
        found.append(Credit(license, _terms(license)))
    return found


def linked(credits: Sequence[Credit]) -> str:
    """A line with links below a text, for embeds; empty without credits.

    Where the addresses take too much room, those least needed are left out. It is of
    the usual size, because Discord's small text is for messages only.
    """
    for least_needed in range(len(credits) + 1):
        kept = len(credits) - least_needed
        names = [
            text.linked(credit.name, credit.url if place < kept else None, limits.FACT)
            for place, credit in enumerate(credits)
        ]
        line = f"— {' · '.join(names)}" if names else ""
        if text.width(line) <= limits.CREDITS:
            break
    return line


def plain(credits: Sequence[Credit]) -> str:
    """A small line without links, for messages; empty without credits."""
    said = " · ".join(text.label(credit.name, limits.FACT) for credit in credits)
    return f"-# from: {text.title(said, limits.PLAIN_CREDITS)}" if said else ""


def _site(source: str | None, url: str | None) -> str | None:
    """The site that a thread is from.

    A source that names another one than the address leads to is not taken at its word.
    """
    host = (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
    named = (source or "").strip().lower().removeprefix("www.")
    if not _HOST.fullmatch(named):
        return host or None
    if not host or f".{host}".endswith(f".{named}") or f".{named}".endswith(f".{host}"):
        return named
    return host


def _terms(license: str) -> str | None:
    """Where the terms of a well-known licence can be read."""
    name = license.strip()
    if found := _CREATIVE_COMMONS.fullmatch(name):
        kind = found[1].lower().replace(" ", "-")
        return f"https://creativecommons.org/licenses/{kind}/{found[2]}/"
    if _CC0.fullmatch(name):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return None
