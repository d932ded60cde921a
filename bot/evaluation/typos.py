"""Misspelling on purpose: how much is lost when people type in a hurry."""

from __future__ import annotations

import random
import string

LONG = 4
"""Words with more letters than this may be misspelt."""


def misspell(text: str, share: float, rng: random.Random) -> str:
    """The text with one random slip in about ``share`` of its longer words.

    A slip drops, adds or replaces a letter, or swaps two neighbours, each as likely.
    """
    return " ".join(
        _slip(word, rng) if _letters(word) > LONG and rng.random() < share else word
        for word in text.split()
    )


def _letters(word: str) -> int:
    return sum(character.isalpha() for character in word)


def _slip(word: str, rng: random.Random) -> str:
    at = rng.choice([i for i, character in enumerate(word) if character.isalpha()])
    letter = rng.choice(string.ascii_lowercase)
    return rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
        ]
    )
