"""Libraries of 10 to 5,000 threads, cut from the test sets, with questions to each.

Of the questions some have their answer in the library, some had it in a thread that was left
out, some ask about the field but have no answer in the set, and some are those of other sets.
A third have slips in 30 % of their longer words.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.evaluation.test_sets import TestSet, misspell
from bot.models import Answer, Thread

LANGUAGES = Path(__file__).parents[2] / "tests" / "matching" / "languages"
TYPOS = 0.3
QUESTIONS = 150
"""Questions that have their answer in a library; half as many of each other kind."""

FLAT = ((20, (3, 3)), (20, (2, 40)), (60, (1, 20)), (150, (6, 6)), (150, (20, 20)))
GROUPED = ((20, (10, 10)), (77, (12, 12)), (150, (4, 4)))
"""Of a labelled set: labels, and texts of each, as threads of their own or as phrasings."""

SIZES = (20, 40, 60, 150, 400, 1_500, 5_000)
"""Threads of the libraries cut from other sets."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, the keys of threads that answer it, its own key, and of which kind it is."""

    text: str
    right: frozenset[str]
    own: str
    kind: str


@dataclass(frozen=True, slots=True)
class Library:
    """Threads and questions to them; ``test`` names the set that they are from."""

    name: str
    test: str
    threads: tuple[Thread, ...]
    questions: tuple[Question, ...]


def libraries(tests: Sequence[TestSet], most: int) -> Iterator[Library]:
    """Yield the libraries cut from the sets, of at most ``most`` threads, and the languages."""
    rng = random.Random(5)
    for test in tests:
        others = [q.text for other in tests if other is not test for q in other.queries]
        cut = _labelled if test.labelled else _linked
        for library in cut(test, rng, others):
            if len(library.threads) <= most:
                yield library
    yield from languages()


def languages(folder: Path = LANGUAGES) -> Iterator[Library]:
    """Yield the small libraries in many languages."""
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        threads = [
            Thread(key=t["id"], title=t["title"], answers=(Answer(body=t["answer"]),))
            for t in data["threads"]
        ]
        asked = [Question(text, frozenset([key]), "", "own") for key, text in data["paraphrases"]]
        asked += [Question(text, frozenset(), "", "foreign") for text in data["unrelated"]]
        yield Library(f"languages {data['language']}", "languages", tuple(threads), tuple(asked))


def _labelled(test: TestSet, rng: random.Random, others: Sequence[str]) -> Iterator[Library]:
    members: defaultdict[str, list[Thread]] = defaultdict(list)
    for thread in test.threads:
        members[thread.answers[0].body].append(thread)
    for shapes, as_phrasings in ((FLAT, False), (GROUPED, True)):
        for labels, (least, most) in shapes:
            chosen = rng.sample(sorted(members), min(labels, len(members)))
            threads: list[Thread] = []
            for label in chosen:
                texts = rng.sample(
                    members[label], min(len(members[label]), rng.randint(least, most))
                )
                first = replace(texts[0], phrasings=tuple(t.title for t in texts[1:]))
                threads += [first] if as_phrasings else texts
            kind = "grouped" if as_phrasings else "flat"
            name = f"{test.name} {kind} {labels} x {least}-{most}"
            yield _library(name, test, threads, rng, others)


def _linked(test: TestSet, rng: random.Random, others: Sequence[str]) -> Iterator[Library]:
    by_key = {thread.key: thread for thread in test.threads}
    asking = {query.key for query in test.queries} & by_key.keys()
    for size in [size for size in SIZES if size < len(by_key)] + [len(by_key)]:
        answerable = [query for query in test.queries if query.relevant]
        asked = rng.sample(answerable, min(len(answerable), max(4, min(size // 2, QUESTIONS))))
        chosen = {next(iter(query.relevant)) for query in asked}
        spare = sorted(by_key.keys() - chosen - (asking if size < len(by_key) else set()))
        chosen |= set(rng.sample(spare, max(0, min(len(spare), size - len(chosen)))))
        threads = [by_key[key] for key in sorted(chosen)]
        yield _library(f"{test.name} {size}", test, threads, rng, others)


def _library(
    name: str, test: TestSet, threads: list[Thread], rng: random.Random, others: Sequence[str]
) -> Library:
    keys = {thread.key for thread in threads}
    kinds: defaultdict[str, list[Question]] = defaultdict(list)
    for query in test.queries:
        right = frozenset(query.relevant.keys() & keys) - {query.key}
        kind = "own" if right else "left out" if query.relevant else "none"
        kinds[kind].append(Question(query.text, right, query.key, kind))
    kinds["foreign"] = [Question(text, frozenset(), "", "foreign") for text in others]
    questions = [
        question
        for kind, count in (("own", 2), ("left out", 1), ("none", 1), ("foreign", 1))
        for question in rng.sample(kinds[kind], min(len(kinds[kind]), QUESTIONS * count // 2))
    ]
    slipped = [
        replace(q, text=misspell(q.text, TYPOS, rng)) if i % 3 == 0 else q
        for i, q in enumerate(questions)
    ]
    return Library(name, test.name, tuple(threads), tuple(slipped))
