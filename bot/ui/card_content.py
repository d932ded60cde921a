"""The content of cards: its texts, prepared off the event loop and cached, and credits.

``excerpt`` and ``pages`` return what is cached, and prepare it if it isn't there.
``prepare_excerpt`` and ``prepare_pages`` prepare it beforehand in a thread, so that building
the card doesn't hold the event loop.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from bot.models import StoredAnswer, StoredThread
from bot.ui import items, limits, text
from bot.ui.url_safety import is_same_site

MAX_CACHED = 8_000_000
"""Characters of texts whose prepared form is cached: some 40 of the longest texts."""

SHORT = 2_000
"""Characters of a text up to which it is prepared at once: that takes less than a thread."""

_MEMBER = re.compile(r"<@!?\d+>")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.I)
_CREATIVE_COMMONS = re.compile(r"CC[ -](BY(?:[ -](?:NC|ND|SA))*)[ -](\d\.\d)", re.I)
_CC0 = re.compile(r"CC0(?:[ -]1\.0)?", re.I)

Key = tuple[int, int, bool]
"""Thread (0: none in particular), answer (0: the question), and whether for an embed."""

T = TypeVar("T")


class TextCache(Generic[T]):
    """Prepared forms of the texts used last, each valid while its text is unchanged.

    Safe to use from several threads; ``prepare`` gets a text and whether it is for an embed.
    """

    def __init__(self, prepare: Callable[[str, bool], T]):
        self._prepare = prepare
        self._entries: OrderedDict[Key, tuple[str, T]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def has(self, key: Key, raw: str) -> bool:
        """Return whether the text is cached and unchanged."""
        with self._lock:
            entry = self._entries.get(key)
        return entry is not None and entry[0] == raw

    def get(self, key: Key, raw: str) -> T:
        """Return the prepared form of a text, and cache it."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] == raw:
                self._entries.move_to_end(key)
                return entry[1]
        prepared = self._prepare(raw, key[2])
        with self._lock:
            former = self._entries.pop(key, None)
            self._entries[key] = raw, prepared
            self._size += _size(raw) - (_size(former[0]) if former else 0)
            while self._size > MAX_CACHED:
                _, (oldest, _) = self._entries.popitem(last=False)
                self._size -= _size(oldest)
        return prepared


def _size(raw: str) -> int:
    """Return the characters that an entry takes: the text, its prepared form, the entry itself."""
    return 2 * len(raw) + 200


def _excerpt(raw: str, embeds: bool) -> tuple[str, bool]:
    whole = text.body(raw[: limits.READABLE])
    short = text.cut(whole, limits.CARD_TEXT if embeds else limits.PLAIN_TEXT)
    return short, short != whole or len(raw) > limits.READABLE


def _pages(raw: str, embeds: bool) -> tuple[str, ...]:
    limit = limits.PAGE_TEXT if embeds else limits.PLAIN_TEXT
    return tuple(text.pages(text.body(raw[: limits.READABLE]), limit))


_EXCERPTS = TextCache(_excerpt)
_PAGES = TextCache(_pages)


def excerpt(answer: StoredAnswer, *, embeds: bool) -> tuple[str, bool]:
    """Return the beginning of an answer that a card shows, and whether there is more of it."""
    return _EXCERPTS.get((0, answer.id, embeds), answer.body)


def pages(
    thread: StoredThread, answer: StoredAnswer | None, *, embeds: bool = True
) -> tuple[str, ...]:
    """Return the pages that an answer takes in a pager; those of the question for ``None``."""
    return _PAGES.get(*_page_key(thread, answer, embeds))


async def prepare_excerpt(answer: StoredAnswer, *, embeds: bool) -> None:
    """Prepare what the card of an answer shows."""
    key = (0, answer.id, embeds)
    if len(answer.body) > SHORT and not _EXCERPTS.has(key, answer.body):
        await asyncio.to_thread(_EXCERPTS.get, key, answer.body)


async def prepare_pages(thread: StoredThread, place: items.Place, *, embeds: bool) -> None:
    """Prepare the pages of the text at a place, and of the one before: "Back" names its last."""
    answer, ids = answer_at(thread, place), text_ids(thread, place)
    here = answer.id if answer else items.QUESTION
    index = ids.index(here) if here in ids else 0
    shown = [answer, *(thread.answer(i) for i in ids[max(0, index - 1) : index])]
    wanted = [_page_key(thread, answer, embeds) for answer in shown]
    missing = [(k, raw) for k, raw in wanted if len(raw) > SHORT and not _PAGES.has(k, raw)]
    if missing:
        await asyncio.to_thread(lambda: [_PAGES.get(key, raw) for key, raw in missing])


def answer_at(thread: StoredThread, place: items.Place) -> StoredAnswer | None:
    """Return the answer that a page shows, the first one if it is gone, or None: the question."""
    answer = thread.answer(place.answer_id)
    if place.answer_id != items.QUESTION and answer is None and thread.answers:
        return thread.answers[0]
    return answer


def text_ids(thread: StoredThread, place: items.Place) -> list[int]:
    """Return the answer ids that a pager goes through, after QUESTION where it shows that too."""
    question = [items.QUESTION] if place.with_question else []
    return question + [answer.id for answer in thread.answers]


def _page_key(thread: StoredThread, answer: StoredAnswer | None, embeds: bool) -> tuple[Key, str]:
    if answer is None:
        return (thread.id, 0, embeds), thread.body
    return (thread.id, answer.id, embeds), answer.body


@dataclass(frozen=True, slots=True)
class Credit:
    """A name to be given below a text, with its URL if it has one."""

    name: str
    url: str | None = None


def credits_of(thread: StoredThread, answer: StoredAnswer | None) -> list[Credit]:
    """Return author, site and licence of an answer, or of the question for ``None``.

    The author leads to the answer, the site to the thread, the licence to its terms.
    """
    author = thread.author if answer is None else answer.author
    own = text.safe_url(answer.url) if answer is not None else None
    page = text.safe_url(thread.url)
    credits = []
    if author:
        name = "a member" if _MEMBER.fullmatch(author.strip()) else author
        credits.append(Credit(name, own))
    if site := _site(thread.source, page or own):
        credits.append(Credit(site, page or (None if author else own)))
    license = (answer.license if answer is not None else None) or thread.license
    if license:
        credits.append(Credit(license, _terms(license)))
    return credits


def linked_credits(credits: Sequence[Credit]) -> str:
    """Return a line with links, for the end of an embed's text; empty without credits.

    Where the links take too much room, those least needed are left out. It is of
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


def plain_credits(credits: Sequence[Credit]) -> str:
    """Return a small line without links, for messages; empty without credits."""
    names = " · ".join(text.label(credit.name, limits.FACT) for credit in credits)
    return f"-# from: {text.title(names, limits.PLAIN_CREDITS)}" if names else ""


def _site(source: str | None, url: str | None) -> str | None:
    """Return the host of the site that a thread is from.

    A source that names another one than the URL leads to is not taken at its word.
    """
    host = (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
    named = (source or "").strip().lower().removeprefix("www.")
    if _HOST.fullmatch(named) and (not host or is_same_site(host, named)):
        return named
    return host or None


def _terms(license: str) -> str | None:
    """Return the URL of a Creative Commons licence's terms."""
    name = license.strip()
    if match := _CREATIVE_COMMONS.fullmatch(name):
        kind = match[1].lower().replace(" ", "-")
        return f"https://creativecommons.org/licenses/{kind}/{match[2]}/"
    if _CC0.fullmatch(name):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return None
