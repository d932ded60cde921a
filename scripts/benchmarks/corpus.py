"""The library that everything is measured on: made once for a size, then read as a stream.

Titles are real ones as far as a file of them reaches, then made ones. Bodies and
answers are always made: words drawn as often as the real titles use them (without such
a file, as often as Zipf's law says), with lengths as people's texts have them. The same
seed gives the same library, and a smaller one is the beginning of a larger one.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from bot.evaluation.test_sets import misspell

BODY_WORDS, ANSWER_WORDS = 50, 60
"""The median lengths."""

SPREAD = 0.6
"""How much the lengths differ: the deviation of their logarithm."""

MADE_WORDS = 60_000
"""The vocabulary where there are no real titles."""


@dataclass(frozen=True, slots=True)
class Doc:
    """A thread: its number, its title, its body and its one answer."""

    number: int
    title: str
    body: str
    answer: str


class Words:
    """A vocabulary in which each word is drawn as often as it is used."""

    def __init__(self, uses: Counter[str], seed: int):
        self._words = list(uses)
        self._cumulative = list(accumulate(uses.values()))
        self._rng = random.Random(seed)

    def draw(self, count: int) -> str:
        """So many words of text."""
        return " ".join(self._rng.choices(self._words, cum_weights=self._cumulative, k=count))

    def text(self, median: int) -> str:
        """A text whose length is drawn, too."""
        return self.draw(max(3, round(self._rng.lognormvariate(math.log(median), SPREAD))))

    def title(self) -> str:
        """A made title, of 4 to 14 words."""
        return self.draw(self._rng.randint(4, 14))


def prepare(place: Path, size: int, titles: Path, questions: int) -> dict[str, Any]:
    """Write the library and what is asked of it into ``place``; says what is real in it."""
    real = real_titles(titles)
    kept = _Kept(size, questions)
    with (place / "library.jsonl").open("w", encoding="utf-8") as out:
        for number, doc in enumerate(made(real, size)):
            out.write(json.dumps([doc.number, doc.title, doc.body, doc.answer]) + "\n")
            kept.look(number, doc.title)
    _write(place / "questions.json", kept.questions())
    _write(place / "beginnings.json", kept.beginnings())
    return {"real_titles": min(size, len(real)), "made_titles": max(0, size - len(real))}


def library(place: Path) -> Iterator[Doc]:
    """The library, one thread at a time."""
    with (place / "library.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield Doc(*json.loads(line))


def questions(place: Path) -> tuple[list[str], list[int]]:
    """What people ask, and the number of the thread that each means.

    They are titles of 4 to 12 words with one left out and some misspelt.
    """
    pairs = json.loads((place / "questions.json").read_text(encoding="utf-8"))
    return [text for text, _ in pairs], [number for _, number in pairs]


def beginnings(place: Path) -> list[str]:
    """What people have typed so far: the first 1 to 30 characters of titles."""
    found: list[str] = json.loads((place / "beginnings.json").read_text(encoding="utf-8"))
    return found


def made(real: list[str], size: int) -> Iterator[Doc]:
    """The threads themselves; bodies and titles have their own chance, so that sizes agree."""
    uses = _uses(real) if real else zipf()
    titles, texts = Words(uses, 3), Words(uses, 4)
    for number in range(size):
        title = real[number] if number < len(real) else titles.title()
        yield Doc(number, title, texts.text(BODY_WORDS), texts.text(ANSWER_WORDS))


def real_titles(file: Path) -> list[str]:
    """The titles of a file, shuffled once and for all; none where there is no file."""
    if not file.exists():
        return []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        titles = [json.loads(line)["title"] for line in lines]
    random.Random(0).shuffle(titles)
    return titles


class _Kept:
    """The titles that questions are made of, picked while the library goes by."""

    def __init__(self, size: int, questions: int):
        self._wanted = questions
        # Titles that are too short or too long to ask are passed over: pick more than enough.
        self._asked = random.Random(1).sample(range(size), min(size, 4 * questions))
        self._typed = random.Random(2).choices(range(size), k=questions)
        self._needed = {*self._asked, *self._typed}
        self._titles: dict[int, str] = {}

    def look(self, number: int, title: str) -> None:
        if number in self._needed:
            self._titles[number] = title

    def questions(self) -> list[tuple[str, int]]:
        rng = random.Random(1)
        asked: list[tuple[str, int]] = []
        for number in self._asked:
            words = self._titles[number].split()
            if 4 <= len(words) <= 12 and len(asked) < self._wanted:
                words.pop(rng.randrange(len(words)))
                asked.append((misspell(" ".join(words), 0.3, rng), number))
        return asked

    def beginnings(self) -> list[str]:
        rng = random.Random(2)
        return [self._titles[number][: rng.randint(1, 30)] for number in self._typed]


def _uses(titles: list[str]) -> Counter[str]:
    return Counter(word for title in titles for word in re.findall(r"\w+", title.lower()))


def zipf() -> Counter[str]:
    """Words of syllables, the n-th used 1/n as often as the first."""
    rng = random.Random(5)
    syllables = [c + v for c in "bcdfghjklmnprstvwz" for v in ("a", "e", "i", "o", "u", "an", "er")]
    words = ("".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(MADE_WORDS))
    uses: Counter[str] = Counter()
    for rank, word in enumerate(words, 1):
        uses[word] += 10 * MADE_WORDS // rank
    return uses


def _write(file: Path, texts: list[Any]) -> None:
    file.write_text(json.dumps(texts), encoding="utf-8")
