"""Autocomplete: its own fast path, for titles that someone is still typing."""

from __future__ import annotations

from rapidfuzz import fuzz

from bot.models import Match
from bot.search.documents import Hit
from bot.search.text import STOP_WORDS, clean, stems, words
from bot.search.view import View
from bot.search.vocabulary import Vocabulary

ENDINGS = 24
"""Words of the library that a half-typed word is taken to be the beginning of."""

COMPARED = 100
"""Titles that are compared with the text letter by letter."""

MAX_TYPED = 12  # words; the last ones typed


def complete(view: View, text: str, limit: int) -> list[Match]:
    """Return the likeliest titles for a text, best first; for an empty text, some titles."""
    typed = words(clean(text))[-MAX_TYPED:]
    if not typed:
        return [_match(hit, 0.0) for hit in view.first(limit)]
    vocabulary = view.words
    groups = [_word_stems(vocabulary, word) for word in typed[:-1] if word not in STOP_WORDS]
    groups.append(_prefix_stems(vocabulary, typed[-1]))
    hits = view.search_titles(groups, COMPARED)
    line = " ".join(typed)
    scored = [(_similarity(line, hit), hit) for hit in hits]
    scored.sort(key=lambda pair: (-pair[0], -pair[1].bm25, pair[1].thread_id))
    return [_match(hit, score) for score, hit in scored[:limit]]


def _word_stems(vocabulary: Vocabulary, word: str) -> list[str]:
    """Return the stems that a finished word may mean: itself, or if unknown its repairs."""
    if word in vocabulary:
        return stems(word)
    return [stem for repair in vocabulary.repairs(word) for stem in stems(repair.word)]


def _prefix_stems(vocabulary: Vocabulary, word: str) -> list[str]:
    """Return the stems of the words that a word being typed may become."""
    longer = vocabulary.starting_with(word, ENDINGS) or _repaired_prefixes(vocabulary, word)
    return list(dict.fromkeys(stem for full in longer for stem in stems(full)))


def _repaired_prefixes(vocabulary: Vocabulary, word: str) -> list[str]:
    """For a slip in what is typed so far: repairs of it, else what an earlier part begins."""
    repaired = [repair.word for repair in vocabulary.repairs(word, ENDINGS)]
    if repaired or len(word) < 4:
        return repaired
    longer = vocabulary.starting_with(word[: max(3, len(word) - 2)], 4 * ENDINGS)
    close = sorted(longer, key=lambda full: -fuzz.ratio(word, full[: len(word)]))
    return close[:ENDINGS]


def _similarity(line: str, hit: Hit) -> float:
    """Return how much of what is typed stands in the title, in [0, 1].

    Its beginning counts double.
    """
    title = " ".join(words(hit.title))
    anywhere = fuzz.partial_ratio(line, title) / 100
    start = fuzz.ratio(line, title[: len(line)]) / 100
    return (2 * max(anywhere, start) + start) / 3


def _match(hit: Hit, score: float) -> Match:
    return Match(hit.thread_id, hit.key, hit.title, score)
