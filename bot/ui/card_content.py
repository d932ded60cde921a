"""The content of cards: its texts, prepared off the event loop and cached, and credits.

``excerpt`` and ``pages`` return what is cached, and prepare it if it isn't there.
``prepare_excerpt`` and ``prepare_pages`` prepare it beforehand in a thread, so that building
the card doesn't hold the event loop.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from bot.i18n import current
from bot.i18n import gettext as _
from bot.models import StoredAnswer, StoredThread
from bot.ui import items, limits, text
from bot.ui.url_safety import is_same_site

MAX_CACHED = 40
"""Long texts whose prepared form is cached: some 16 MB if all are of the longest."""

SHORT = 2_000
"""Characters of a text up to which it is prepared at once: that takes less than a thread."""

_MEMBER = re.compile(r"<@!?\d+>")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.I)
_CREATIVE_COMMONS = re.compile(r"CC[ -](BY(?:[ -](?:NC|ND|SA))*)[ -](\d\.\d)", re.I)
_CC0 = re.compile(r"CC0(?:[ -]1\.0)?", re.I)


# What is cached may hold a word of ours, and so is known by its language too.


def _excerpt(raw: str, embeds: bool, language: str) -> tuple[str, bool]:
    whole = text.body(raw[: limits.READABLE])
    short = text.cut(whole, limits.CARD_TEXT if embeds else limits.PLAIN_TEXT)
    return short, short != whole or len(raw) > limits.READABLE


def _pages(raw: str, embeds: bool, language: str) -> tuple[str, ...]:
    limit = limits.PAGE_TEXT if embeds else limits.PLAIN_TEXT
    return tuple(text.pages(text.body(raw[: limits.READABLE]), limit))


_long_excerpt, _long_pages = lru_cache(MAX_CACHED)(_excerpt), lru_cache(MAX_CACHED)(_pages)


def excerpt(answer: StoredAnswer, *, embeds: bool) -> tuple[str, bool]:
    """Return the beginning of an answer that a card shows, and whether there is more of it."""
    prepared = _long_excerpt if _is_long(answer.body) else _excerpt
    return prepared(answer.body, embeds, current())


def pages(
    thread: StoredThread, answer: StoredAnswer | None, *, embeds: bool = True
) -> tuple[str, ...]:
    """Return the pages that an answer takes in a pager; those of the question for ``None``."""
    raw = (answer or thread).body
    return (_long_pages if _is_long(raw) else _pages)(raw, embeds, current())


async def prepare_excerpt(answer: StoredAnswer, *, embeds: bool) -> None:
    """Prepare what the card of an answer shows."""
    if _is_long(answer.body):
        await asyncio.to_thread(_long_excerpt, answer.body, embeds, current())


async def prepare_pages(thread: StoredThread, place: items.Place, *, embeds: bool) -> None:
    """Prepare the pages of the text at a place, and of the one before: "Back" names its last."""
    answer, ids = answer_at(thread, place), text_ids(thread, place)
    here = answer.id if answer else items.QUESTION
    index = ids.index(here) if here in ids else 0
    shown = [answer, *(thread.answer(i) for i in ids[max(0, index - 1) : index])]
    long = [raw for answer in shown if _is_long(raw := (answer or thread).body)]
    if long:
        language = current()
        await asyncio.to_thread(lambda: [_long_pages(raw, embeds, language) for raw in long])


def _is_long(raw: str) -> bool:
    return len(raw) > SHORT


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
        name = _("a member") if _MEMBER.fullmatch(author.strip()) else author
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
    if not names:
        return ""
    said = _("from: {names}").format(names=text.title(names, limits.PLAIN_CREDITS))
    return f"-# {said}"


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
