"""Small libraries for tests of the search, without a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.models import SHARED, StoredAnswer, StoredThread
from bot.search.documents import indexed
from bot.search.engine import Engine

GARDEN = (
    "How do I prune an apple tree in winter?",
    "When should tomatoes be planted outside?",
    "Why are the leaves of my cucumber yellow?",
    "How often must a compost heap be turned?",
    "Which fertiliser suits blueberries?",
    "How can I keep slugs away from lettuce?",
)
"""Six titles that share stop words and little else."""

KOREAN = (
    "도서관 카드는 어떻게 만드나요?",
    "책은 며칠 동안 빌릴 수 있나요?",
    "연체료는 얼마인가요?",
    "휴관일은 언제인가요?",
    "전자책도 빌릴 수 있나요?",
)
"""Five titles in a language that the usual model can't read."""

_ABOUT = "router printer kettle bicycle piano window garden passport invoice database".split()
_DOING = "install repair replace clean register insure paint".split()

SEVENTY = tuple(f"How do I {verb} the {noun} of a friend?" for noun in _ABOUT for verb in _DOING)
"""Seventy titles of one form, as a community has them."""


def thread(
    number: int,
    title: str,
    *answers: str,
    body: str = "",
    scope: int = SHARED,
    phrasings: tuple[str, ...] = (),
) -> StoredThread:
    """A thread as the store would hand it to the index; its key is ``t`` and its number."""
    return StoredThread(
        id=number,
        key=f"t{number}",
        scope=scope,
        title=title,
        body=body,
        phrasings=phrasings,
        answers=tuple(StoredAnswer(id=1000 * number + i, body=b) for i, b in enumerate(answers)),
    )


def numbered(titles: Iterable[str], scope: int = SHARED, start: int = 1) -> Iterator[StoredThread]:
    """A thread for each title."""
    return (thread(n, title, scope=scope) for n, title in enumerate(titles, start))


def engine_with(folder: Path, threads: Iterable[StoredThread]) -> Engine:
    """An engine over an index of these threads."""
    engine = Engine(folder, "library")
    with engine.writing() as writing:
        writing.put(map(indexed, threads))
        writing.commit(1)
    engine.refresh()
    return engine
