"""The language in which a library is written, by the words of its titles.

By vectors alone it can't be told: where a model tells the texts of a language apart, unrelated
ones of any language are as near.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.search.text import words
from bot.search.unrelated import UNRELATED

ENOUGH = 0.5
"""Words shared with the questions about other fields in a language, for each title, from which
titles are taken as written in it. A word counts less the more of the languages have it. Measured
on the languages of ``UNRELATED``: .5 (Turkish, Chinese) to 3.6 (Japanese), English 1.2 to 4.7; on
others, of their likest: Swedish .25, Czech .25, Romanian .41, Thai and Greek 0."""

_WORDS = {language: {*words(" ".join(texts))} for language, texts in UNRELATED.items()}
_LANGUAGES_OF = Counter(word for known in _WORDS.values() for word in known)


def library_language(titles: Iterable[str]) -> str | None:
    """Return the code of the language of ``UNRELATED`` in which most of the titles are written.

    None where they share too few words with any of them.
    """
    said = [set(words(title)) for title in titles]
    shared = {
        language: sum(1 / _LANGUAGES_OF[word] for one in said for word in one & known)
        for language, known in _WORDS.items()
    }
    best = max(shared, key=shared.__getitem__)
    return best if shared[best] > 0 and shared[best] >= ENOUGH * len(said) else None
