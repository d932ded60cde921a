"""Likelihood of a text as people write it, to tell apart the encodings of a file.

The same bytes are letters in several encodings, of which one gives words. Each language has
a model: how often it uses its letters (``letter_frequencies.toml``), and whether those beyond
ASCII stand in words with ASCII letters (German) or in words of their own (Russian).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from string import ascii_lowercase
from typing import Any

_UNSEEN = 1e-6
"""How likely a letter is that a language doesn't have."""

_SIGN, _ODD_SIGN, _STRANGE = 2e-3, 1e-5, 1e-7
_SIGNS = frozenset("“”„‘’‚–—…«»‹›•·€£§°©®™×\xa0№†→")
_WIDE_SIGNS = frozenset("、。，．？！：；（）「」『』《》【】・ー～％／＂＋０１２３４５６７８９")
_TOKEN = re.compile(r"[^\W\d_]+|[^\x00-\x7f]")

_HIRAGANA = "".join(map(chr, range(0x3041, 0x3094)))
_KATAKANA = "".join(map(chr, range(0x30A1, 0x30F7)))


@dataclass(frozen=True, slots=True)
class _Model:
    """The likelihood of each letter in a language.

    ``levels`` are the chances of letters that aren't named: ranges of their first byte in
    ``encoding``, each with one. ``latin`` says whether the language is written in ASCII
    letters, so that others stand among them.
    """

    letters: Mapping[str, float]
    latin: bool = False
    encoding: str = ""
    levels: Sequence[tuple[int, int, float]] = ()

    def letter(self, letter: str) -> float:
        """Return how likely a letter is."""
        known = self.letters.get(letter)
        if known is None and letter != letter.lower():
            known = self.letters.get(letter.lower(), 8 * _UNSEEN) / 8
        if known is not None or letter.isascii():
            return known or _UNSEEN
        if not self.encoding:
            return _UNSEEN
        first = letter.encode(self.encoding)[0]
        return next(
            (chance for low, high, chance in self.levels if low <= first <= high), _UNSEEN / 5
        )


@cache
def _frequencies() -> dict[str, Any]:
    file = Path(__file__).with_name("letter_frequencies.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def languages() -> dict[str, list[str]]:
    """Return the languages in which each encoding is used, the likely encodings first."""
    return {name: text.split() for name, text in _frequencies()["languages"].items()}


def likelihood(text: str, encoding: str) -> float:
    """Return how likely a text is in the likeliest language of an encoding, as a logarithm."""
    tokens = [(match[0], _is_inside(text, match)) for match in _TOKEN.finditer(text)]
    return max(_sum(tokens, _model(name, encoding)) for name in languages()[encoding])


def _is_inside(text: str, sign: re.Match[str]) -> bool:
    """Return whether a sign stands between letters, or an opening one behind one."""
    before, after = (
        text[max(0, sign.start() - 1) : sign.start()],
        text[sign.end() : sign.end() + 1],
    )
    return before.isalpha() and (after.isalpha() or sign[0] in "¿¡„«‚“")


def _sum(tokens: list[tuple[str, bool]], model: _Model) -> float:
    total, foreign = 0.0, False
    for token, inside in tokens:
        if not model.latin and token[0].isalpha():
            total += log(0.9 if foreign == token.isascii() else 0.1)
            foreign = token.isascii()
        if len(token) == 1 and not token.isalpha():
            total += log(_of_sign(token, inside, model))
        elif token.isascii():
            total += sum(log(model.letter(letter.lower())) for letter in token)
        else:
            total += _of_word(token, model)
    return total


def _of_sign(sign: str, inside: bool, model: _Model) -> float:
    if sign in model.letters:  # a vowel above its letter
        return model.letters[sign]
    if sign in _WIDE_SIGNS:
        return _STRANGE if model.latin else 5 * _SIGN
    if sign in "¿¡":
        return _ODD_SIGN if inside or not model.latin else _SIGN
    if sign in _SIGNS:
        return _SIGN if not inside or sign in "’‘–—·" else _ODD_SIGN
    return _ODD_SIGN if sign in "¹²³¼½¾ªº±µ¬¦¨´¸¶" else _STRANGE


def _of_word(word: str, model: _Model) -> float:
    """Return a word with letters beyond ASCII."""
    total, before = 0.0, ""
    for letter in word:
        total += log(model.letter(letter) if letter.isalpha() else _ODD_SIGN)
        if before.islower() and letter.isupper() and not letter.isascii():
            total += log(0.01)
        if not model.latin and before and before.isascii() != letter.isascii():
            total += log(0.1 if model.encoding else 1e-4)
        before = letter
    return total


@cache
def _model(language: str, encoding: str) -> _Model:
    tables = _frequencies()
    if language in tables["latin"]:
        return _Model(_latin(language), latin=True)
    letters = _latin("en")
    if language in tables["other"]:
        return _Model(letters | _counted(tables["other"][language]))
    common = tables["common"][language].replace(" ", "")
    if language == "ja":
        letters |= _shared(_HIRAGANA, 0.55) | _shared(_KATAKANA, 0.12) | _shared(common, 0.12)
    else:
        letters |= _shared(common, 0.7)
    return _Model(letters, encoding=encoding, levels=tables["levels"][encoding])


@cache
def _latin(language: str) -> dict[str, float]:
    ascii_counts, others = _frequencies()["latin"][language]
    counts = zip(ascii_lowercase, map(float, ascii_counts.split()), strict=True)
    return {letter: count / 1000 for letter, count in counts} | _counted(others)


def _counted(text: str) -> dict[str, float]:
    return {part[0]: float(part[1:]) / 1000 for part in text.split()}


def _shared(letters: str, share: float) -> dict[str, float]:
    return dict.fromkeys(letters, share / len(set(letters)))
