"""Text as the search sees it: cleaned of Discord's markup, cut into words and stems.

The same functions make the index and read the questions, so both sides agree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

MAX_QUESTION = 2_000
"""Characters of a question that are looked at; what people ask is said by then."""

LONGEST_WORD = 80  # bytes; longer runs of letters are data, not words

CONTRACTIONS = frozenset(
    "aint arent cant couldnt didnt doesnt dont hadnt hasnt havent im isnt ive shouldnt thats "
    "theres theyre wasnt werent wont wouldnt youre youve".split()
)
"""English contractions without their apostrophe, as they are typed in a chat. They are no slips of
other words: "wont" is not "want"."""

ENDINGS = frozenset("ll re s t ve".split())
"""What stands behind the apostrophe of contractions that have one, which is a word by itself. Those
of "I'd" and "I'm" are left out: a drive may be called D."""

STOP_WORDS = CONTRACTIONS.union(
    ENDINGS,
    "a about all am an and any are as at be been but by can could did do does for from get had "
    "has have how i if in into is it its just me my no not of on one or our please should so some "
    "than that the their them then there these they this to us was we were what when where which "
    "while who whom whose why will with would you your".split(),
)
"""English words that say how a question is put, not what it is about."""

_MARKUP = re.compile(
    r"<a?:\w+:\d+>"  # custom emoji
    r"|<(?:@[!&]?|#)\d+>|</[^>\n]{1,64}:\d+>|<t:-?\d+(?::\w)?>|<id:\w+>"  # mentions, times
    r"|https?://\S+",
    re.IGNORECASE,
)
# Also the halves of characters that undecodable bytes of a terminal become.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ud800-\udfff]"
)
# Scripts that are written without spaces, and Korean, which joins particles to its nouns: their
# words are found as pairs of characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def _analyzer(*filters: Filter, cut: Tokenizer | None = None) -> TextAnalyzer:
    builder = TextAnalyzerBuilder(cut or Tokenizer.simple())
    # Folded first: the Turkish capital dotted I is two characters when lower-cased.
    for step in (Filter.remove_long(LONGEST_WORD), Filter.ascii_fold(), Filter.lowercase()):
        builder = builder.filter(step)
    for step in filters:
        builder = builder.filter(step)
    return builder.build()


PLAIN = _analyzer()
"""Lower-cased words without diacritics."""

LETTERS = _analyzer(cut=Tokenizer.ngram(1, 1))
"""Each character of a text by itself, folded as in the words."""

STEMMED = _analyzer(Filter.stemmer("english"))
"""The same, cut to their English stems; words of other languages mostly stay."""


def clean(question: str) -> str:
    """Return a question without Discord's markup and invisible characters, of bounded length."""
    text = _MARKUP.sub(" ", question[: 4 * MAX_QUESTION])
    return " ".join(_INVISIBLE.sub("", text).split())[:MAX_QUESTION].rstrip()


def spaced(text: str) -> str:
    """Compatibility forms folded, invisible characters out, unspaced scripts cut into pairs."""
    if text.isascii():
        return text
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _UNSPACED.sub(_pairs, seen)


def words(text: str) -> list[str]:
    """Return the words of a text, in order."""
    return PLAIN.analyze(spaced(text))


def stems(text: str) -> list[str]:
    """Return the stems of a text, in order; as many as it has words."""
    return STEMMED.analyze(spaced(text))


@dataclass(frozen=True, slots=True)
class Name:
    """One way in which a thread is asked: its title or a phrasing, cut up for comparing.

    ``stems`` are in order; ``content`` are the words that say what it is about (all, where
    none do), sorted.
    """

    text: str
    stems: tuple[str, ...]
    content: str

    @classmethod
    def of(cls, text: str) -> Name:
        """Cut a title up."""
        return cls(text, tuple(stems(text)), content(words(text)))


def content(plain: Sequence[str]) -> str:
    """Return the words that say what a text is about, sorted; all of them where none do."""
    return " ".join(sorted([w for w in plain if w not in STOP_WORDS] or plain))


def wording(text: str) -> str:
    """Return what two questions share that are put in the same words, however they are written."""
    return " ".join(words(clean(text)))


def _pairs(run: re.Match[str]) -> str:
    text = run.group()
    pairs = [text[i : i + 2] for i in range(max(1, len(text) - 1))]
    return f" {' '.join(pairs)} "


STOP_STEMS = frozenset(stem for word in STOP_WORDS for stem in stems(word))
