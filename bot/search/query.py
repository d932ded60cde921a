"""A question as the search reads it: weighted words, repaired where they are unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from math import log

from bot.search.text import STOP_STEMS, STOP_WORDS, clean, stems, words
from bot.search.vocabulary import Vocabulary

_WORD = re.compile(r"\w+")

STOP_SHARE = 0.15
"""What a stop word weighs, as a share of what its rarity alone would give it."""

SMALL = 20_000
"""Threads up to which stop words are looked for; they do tell short titles apart."""

MOST_WORDS = 48
"""Different words of a question that are searched for: the rarest ones."""

REPAIR_CREDIT = 0.8
"""What finding a repaired word is worth against the word as it was typed."""

BEGUN_CREDIT = 0.6
"""What finding a word is worth of which only the beginning was typed."""

RARE = 2
"""A word in no more threads than this may itself be a slip; neighbours are tried too."""

MOST_REMEMBERED = 200_000
"""Stems whose weights are kept, for when they come again."""

FAR_COMMONER = 20
"""How many times as many threads must use such a neighbour before it is tried."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a question: the stems that satisfy it, with the credit each earns.

    ``weight`` is its inverse document frequency, lowered for stop words; ``text``
    is the word, or the likeliest repair of it.
    """

    text: str
    weight: float
    credits: dict[str, float]
    stop: bool


@dataclass(frozen=True)
class Query:
    """A question ready to be matched. ``idf`` gives any stem's weight in this library.

    ``spoken`` is the question as it was put, ``mends`` what stands in it for which words
    of the library.
    """

    words: tuple[Word, ...]
    content: str
    bigrams: frozenset[tuple[str, str]]
    idf: Idf = field(repr=False)
    spoken: str = ""
    mends: Mapping[str, str] = field(default_factory=dict)

    def mended(self, known: Callable[[str], bool]) -> str:
        """The question with its slips put right, but for words that are ``known`` elsewhere."""
        mends = {w: right for w, right in self.mends.items() if w != right and not known(w)}
        if not mends:
            return self.spoken
        return _WORD.sub(lambda m: mends.get(" ".join(words(m[0])), m[0]), self.spoken)

    @cached_property
    def weight(self) -> float:
        """The sum of the words' weights."""
        return sum(word.weight for word in self.words)

    @cached_property
    def wanted(self) -> dict[str, float]:
        """The stems to look for, with their credits.

        In a large library stop words are left out where there are others: they stand in
        nearly every thread, and would cost most of the time.
        """
        all_too = self.only_stop_words or self.idf.documents <= SMALL
        about = [word for word in self.words if all_too or not word.stop]
        return {stem: credit for word in about for stem, credit in word.credits.items()}

    @cached_property
    def ceiling(self) -> float:
        """What the idf of everything looked for sums to: BM25 grows no higher than with it."""
        return sum(self.idf[stem] * credit for stem, credit in self.wanted.items())

    @cached_property
    def only_stop_words(self) -> bool:
        """Whether the question says how it is asked, but not about what."""
        return all(word.stop for word in self.words)

    def found_in(self, there: Set[str]) -> float:
        """The weight of the words that a set of stems satisfies."""
        best: dict[int, float] = {}
        for stem in there & self._worth.keys():
            for place, worth in self._worth[stem]:
                best[place] = max(worth, best.get(place, 0.0))
        return sum(best.values())

    @cached_property
    def _worth(self) -> dict[str, list[tuple[int, float]]]:
        """For each stem the words that it satisfies: their place and what that is worth."""
        table: dict[str, list[tuple[int, float]]] = {}
        for place, word in enumerate(self.words):
            for stem, credit in word.credits.items():
                table.setdefault(stem, []).append((place, word.weight * credit))
        return table


class Idf(dict[str, float]):
    """Inverse document frequency as BM25 has it (Robertson & Zaragoza 2009), from counts.

    ``ln(1 + (N - n + 0.5) / (n + 0.5))`` for a stem in ``n`` of ``N`` threads, lowered for
    stop words; reckoned when it is first looked up.
    """

    def __init__(self, documents: int, count: Callable[[str], int]):
        super().__init__()
        self.documents = documents
        self.count = count

    def __missing__(self, stem: str) -> float:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        n = self.count(stem)
        share = STOP_SHARE if stem in STOP_STEMS else 1.0
        known = self[stem] = log(1 + max(0.0, self.documents - n + 0.5) / (n + 0.5)) * share
        return known


def read(
    question: str, vocabulary: Vocabulary, idf: Idf, taught: Collection[str] = frozenset()
) -> Query:
    """Read a question: clean it, cut it into words, repair and weigh them.

    ``taught`` are stems that the asker's guild uses, whether or not the library does.
    """
    cleaned = clean(question)
    plain, mends = _parted(words(cleaned), vocabulary)
    spoken = [(word, stems(word)[0]) for word in plain]
    read_words = {stem: _word(word, stem, vocabulary, idf, taught) for word, stem in spoken}
    _join_pairs(spoken, read_words, vocabulary, idf)
    ordered = [read_words[stem] for _, stem in spoken]
    content = [w.text for w in ordered if not w.stop] or [w.text for w in ordered]
    best = [max(w.credits, key=w.credits.__getitem__) for w in ordered]
    heaviest = sorted(read_words.values(), key=lambda w: -w.weight)[:MOST_WORDS]
    return Query(
        words=tuple(heaviest),
        content=" ".join(sorted(content)),
        bigrams=frozenset(pairwise(best)),
        idf=idf,
        spoken=cleaned,
        mends=mends | {word: read_words[stem].text for word, stem in spoken},
    )


def _parted(said: Sequence[str], vocabulary: Vocabulary) -> tuple[list[str], dict[str, str]]:
    """The words with those taken apart that were run together, and what stands for those."""
    parts = {word: vocabulary.parts(word) for word in said}
    mends = {word: " ".join(cut) for word, cut in parts.items() if cut}
    return [part for word in said for part in parts[word] or (word,)], mends


def _join_pairs(
    spoken: Sequence[tuple[str, str]], known: dict[str, Word], vocabulary: Vocabulary, idf: Idf
) -> None:
    """Let two neighbours that the library writes as one word be satisfied by that word too."""
    for (left, left_stem), (right, right_stem) in pairwise(spoken):
        if left + right in vocabulary and not (known[left_stem].stop and known[right_stem].stop):
            joined = stems(left + right)[0]
            for stem in (left_stem, right_stem):
                if not known[stem].stop and idf.count(joined):
                    both = {joined: REPAIR_CREDIT} | known[stem].credits
                    known[stem] = replace(known[stem], credits=both)


def _word(word: str, stem: str, vocabulary: Vocabulary, idf: Idf, taught: Collection[str]) -> Word:
    if word in STOP_WORDS or stem in STOP_STEMS:
        return Word(word, idf[stem], {stem: 1.0}, stop=True)
    used = idf.count(stem)
    if used > RARE:
        return Word(word, idf[stem], {stem: 1.0}, stop=False)
    repaired = {r.word: stems(r.word)[0] for r in vocabulary.repairs(word)}
    if used:  # a real word, if a rare one: it stays, and much commoner neighbours join it
        near = {s: REPAIR_CREDIT for s in repaired.values() if idf.count(s) >= FAR_COMMONER * used}
        return Word(word, idf[stem], near | {stem: 1.0}, stop=False)
    credits = {s: REPAIR_CREDIT for s in repaired.values() if idf.count(s)}
    if not credits:
        begun = [stems(longer)[0] for longer in vocabulary.completions_of(word)]
        credits = {s: BEGUN_CREDIT for s in begun if idf.count(s)}
        weight = max((idf[s] for s in credits), default=idf[stem])
        return Word(word, weight, {stem: 1.0} | credits, stop=False)
    text = next(w for w, s in repaired.items() if s in credits)
    if stem in taught:  # the library would repair it, but this guild has said it just so
        credits[stem] = 1.0
    return Word(text, idf[repaired[text]], credits, stop=repaired[text] in STOP_STEMS)
