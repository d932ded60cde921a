"""Texts of threads as Discord shows them: made once, off the event loop, and kept for a while.

``excerpt`` and ``pages`` give what was kept, and make it if it was not. ``for_card`` and
``for_page`` see to it beforehand, in a thread, that whoever builds the card needs not.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from bot.models import StoredAnswer, StoredThread
from bot.ui import items, limits, text

MOST_KEPT = 8_000_000
"""Characters of texts that are kept with what was made of them."""

SHORT = 2_000
"""Characters of a text up to which it is prepared at once: that takes less than a thread."""

Key = tuple[int, int, bool]
T = TypeVar("T")


class Kept(Generic[T]):
    """What was made of texts, those used last, as long as they are what they were."""

    def __init__(self, make: Callable[[str, bool], T]):
        self._make = make
        self._made: OrderedDict[Key, tuple[str, T]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def has(self, key: Key, raw: str) -> bool:
        """Whether it needs not be made (again)."""
        with self._lock:
            kept = self._made.get(key)
        return kept is not None and kept[0] == raw

    def get(self, key: Key, raw: str) -> T:
        """What is made of a text; ``key`` says of which text, and whether for an embed."""
        with self._lock:
            kept = self._made.get(key)
            if kept is not None and kept[0] == raw:
                self._made.move_to_end(key)
                return kept[1]
        made = self._make(raw, key[2])
        with self._lock:
            former = self._made.pop(key, None)
            self._made[key] = raw, made
            self._size += _size(raw) - (_size(former[0]) if former else 0)
            while self._size > MOST_KEPT:
                _, (oldest, _) = self._made.popitem(last=False)
                self._size -= _size(oldest)
        return made


def _size(raw: str) -> int:
    return 2 * len(raw) + 200


def _excerpt(raw: str, embeds: bool) -> tuple[str, bool]:
    whole = text.body(raw[: limits.READABLE])
    short = text.cut(whole, limits.CARD_TEXT if embeds else limits.PLAIN_TEXT)
    return short, short != whole or len(raw) > limits.READABLE


def _pages(raw: str, embeds: bool) -> tuple[str, ...]:
    limit = limits.PAGE_TEXT if embeds else limits.PLAIN_TEXT
    return tuple(text.pages(text.body(raw[: limits.READABLE]), limit))


_EXCERPTS = Kept(_excerpt)
_PAGES = Kept(_pages)


def excerpt(answer: StoredAnswer, *, embeds: bool) -> tuple[str, bool]:
    """The beginning of an answer as a card shows it, and whether there is more of it."""
    return _EXCERPTS.get(_card_key(answer, embeds), answer.body)


def pages(thread: StoredThread, answer: StoredAnswer | None, *, embeds: bool) -> tuple[str, ...]:
    """The pages that an answer takes in a pager; the question for ``None``."""
    return _PAGES.get(*_page_key(thread, answer, embeds))


async def for_card(answer: StoredAnswer, *, embeds: bool) -> None:
    """Have at hand what the card of an answer shows."""
    key = _card_key(answer, embeds)
    if len(answer.body) > SHORT and not _EXCERPTS.has(key, answer.body):
        await asyncio.to_thread(_EXCERPTS.get, key, answer.body)


async def for_page(thread: StoredThread, place: items.Place, *, embeds: bool) -> None:
    """Have at hand what a page shows, and the pages of the text before it: it leads to the last."""
    answer, texts = answer_at(thread, place), texts_of(thread, place)
    here = answer.id if answer else items.QUESTION
    index = texts.index(here) if here in texts else 0
    shown = [answer, *(thread.answer(i) for i in texts[max(0, index - 1) : index])]
    wanted = [_page_key(thread, text, embeds) for text in shown]
    missing = [(k, raw) for k, raw in wanted if len(raw) > SHORT and not _PAGES.has(k, raw)]
    if missing:
        await asyncio.to_thread(lambda: [_PAGES.get(key, raw) for key, raw in missing])


def answer_at(thread: StoredThread, place: items.Place) -> StoredAnswer | None:
    """The answer that a page shows, the first one if that is gone; ``None``: the question."""
    answer = thread.answer(place.answer_id)
    if place.answer_id != items.QUESTION and answer is None and thread.answers:
        return thread.answers[0]
    return answer


def texts_of(thread: StoredThread, place: items.Place) -> list[int]:
    """The texts that a pager goes through: the question, where it does, and the answers."""
    question = [items.QUESTION] if place.with_question else []
    return question + [answer.id for answer in thread.answers]


def _card_key(answer: StoredAnswer, embeds: bool) -> Key:
    return (0, answer.id, embeds)


def _page_key(thread: StoredThread, answer: StoredAnswer | None, embeds: bool) -> tuple[Key, str]:
    if answer is None:
        return (thread.id, 0, embeds), thread.body
    return (thread.id, answer.id, embeds), answer.body
