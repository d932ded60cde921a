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

SMALL_LIBRARY = 20_000
"""Threads up to which stop words are looked for; they do tell short titles apart."""

MAX_WORDS = 48
"""Different words of a question that are searched for: the rarest ones."""

REPAIR_CREDIT = 0.8
"""What finding a repaired word is worth against the word as it was typed."""

PREFIX_CREDIT = 0.6
"""What finding a word is worth of which only the beginning was typed."""

RARE = 2
"""A word in no more threads than this may itself be a slip; neighbours are tried too."""

MAX_CACHED = 200_000
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

    ``spoken`` is the question as it was put, ``corrections`` what stands in it for which words
    of the library.
    """

    words: tuple[Word, ...]
    content: str
    bigrams: frozenset[tuple[str, str]]
    idf: Idf = field(repr=False)
    spoken: str = ""
    corrections: Mapping[str, str] = field(default_factory=dict)

    def corrected(self, known: Callable[[str], bool]) -> str:
        """Return the question with its slips put right, but for words that are ``known``
        elsewhere.
        """
        corrections = {
            w: right for w, right in self.corrections.items() if w != right and not known(w)
        }
        if not corrections:
            return self.spoken
        return _WORD.sub(lambda m: corrections.get(" ".join(words(m[0])), m[0]), self.spoken)

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
        all_too = self.only_stop_words or self.idf.documents <= SMALL_LIBRARY
        about = [word for word in self.words if all_too or not word.stop]
        return {stem: credit for word in about for stem, credit in word.credits.items()}

    @cached_property
    def content_weight(self) -> float:
        """The sum of the weights of the words that are no stop words."""
        return sum(word.weight for word in self.words if not word.stop)

    @cached_property
    def ceiling(self) -> float:
        """Return what the idf of everything looked for sums to, that of stop words in full.

        BM25, which knows nothing of stop words, grows no higher than with it.
        """
        return sum(
            self.idf[stem] * credit / (STOP_SHARE if stem in STOP_STEMS else 1.0)
            for stem, credit in self.wanted.items()
        )

    @cached_property
    def only_stop_words(self) -> bool:
        """Return whether the question says how it is asked, but not about what."""
        return all(word.stop for word in self.words)

    def found_in(self, name_stems: Set[str]) -> float:
        """Return the weight of the words that a set of stems satisfies."""
        best: dict[int, float] = {}
        for stem in name_stems & self._credits_by_stem.keys():
            for place, worth in self._credits_by_stem[stem]:
                best[place] = max(worth, best.get(place, 0.0))
        return sum(best.values())

    @cached_property
    def _credits_by_stem(self) -> dict[str, list[tuple[int, float]]]:
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

    def __init__(self, documents: int, doc_freq: Callable[[str], int]):
        super().__init__()
        self.documents = documents
        self.doc_freq = doc_freq

    def __missing__(self, stem: str) -> float:
        if len(self) >= MAX_CACHED:
            self.clear()
        n = self.doc_freq(stem)
        share = STOP_SHARE if stem in STOP_STEMS else 1.0
        known = self[stem] = log(1 + max(0.0, self.documents - n + 0.5) / (n + 0.5)) * share
        return known


def parse(
    question: str, vocabulary: Vocabulary, idf: Idf, own_stems: Collection[str] = frozenset()
) -> Query:
    """Read a question: clean it, cut it into words, repair and weigh them.

    ``own_stems`` are stems that the asker's guild uses, whether or not the library does.
    """
    cleaned = clean(question)
    plain, corrections = _split_joined(words(cleaned), vocabulary)
    spoken = [(word, stems(word)[0]) for word in plain]
    parsed = {stem: _word(word, stem, vocabulary, idf, own_stems) for word, stem in spoken}
    _join_pairs(spoken, parsed, vocabulary, idf)
    ordered = [parsed[stem] for _, stem in spoken]
    content = [w.text for w in ordered if not w.stop] or [w.text for w in ordered]
    best = [max(w.credits, key=w.credits.__getitem__) for w in ordered]
    heaviest = sorted(parsed.values(), key=lambda w: -w.weight)[:MAX_WORDS]
    return Query(
        words=tuple(heaviest),
        content=" ".join(sorted(content)),
        bigrams=frozenset(pairwise(best)),
        idf=idf,
        spoken=cleaned,
        corrections=corrections | {word: parsed[stem].text for word, stem in spoken},
    )


def _split_joined(said: Sequence[str], vocabulary: Vocabulary) -> tuple[list[str], dict[str, str]]:
    """Return the words with those taken apart that were run together, and what stands for those."""
    parts = {word: vocabulary.parts(word) for word in said}
    corrections = {word: " ".join(cut) for word, cut in parts.items() if cut}
    return [part for word in said for part in parts[word] or (word,)], corrections


def _join_pairs(
    spoken: Sequence[tuple[str, str]], known: dict[str, Word], vocabulary: Vocabulary, idf: Idf
) -> None:
    """Let two neighbours that the library writes as one word be satisfied by that word too."""
    for (left, left_stem), (right, right_stem) in pairwise(spoken):
        if left + right in vocabulary and not (known[left_stem].stop and known[right_stem].stop):
            joined = stems(left + right)[0]
            for stem in (left_stem, right_stem):
                if not known[stem].stop and idf.doc_freq(joined):
                    both = {joined: REPAIR_CREDIT} | known[stem].credits
                    known[stem] = replace(known[stem], credits=both)


def _word(
    word: str, stem: str, vocabulary: Vocabulary, idf: Idf, own_stems: Collection[str]
) -> Word:
    if word in STOP_WORDS or stem in STOP_STEMS:
        return Word(word, idf[stem], {stem: 1.0}, stop=True)
    used = idf.doc_freq(stem)
    if used > RARE:
        return Word(word, idf[stem], {stem: 1.0}, stop=False)
    repaired = {r.word: stems(r.word)[0] for r in vocabulary.repairs(word)}
    if used:  # a real word, if a rare one: it stays, and much commoner neighbours join it
        near = {
            s: REPAIR_CREDIT for s in repaired.values() if idf.doc_freq(s) >= FAR_COMMONER * used
        }
        return Word(word, idf[stem], near | {stem: 1.0}, stop=False)
    credits = {s: REPAIR_CREDIT for s in repaired.values() if idf.doc_freq(s)}
    if not credits:
        others = vocabulary.completions_of(word) or vocabulary.inflections_of(word)
        longer_stems = [stems(longer)[0] for longer in others]
        credits = {s: PREFIX_CREDIT for s in longer_stems if idf.doc_freq(s)}
        weight = max((idf[s] for s in credits), default=idf[stem])
        return Word(word, weight, {stem: 1.0} | credits, stop=False)
    text = next(w for w, s in repaired.items() if s in credits)
    if stem in own_stems:  # the library would repair it, but this guild has said it just so
        credits[stem] = 1.0
    return Word(text, idf[repaired[text]], credits, stop=repaired[text] in STOP_STEMS)
