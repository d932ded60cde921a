"""Counts with their nouns in messages: "1 thread", "2 threads"."""

from __future__ import annotations

import re

_NOUN = re.compile(r"\b([a-z]+)s\b")
_VERB = re.compile(r"(?<!['\"])\b(are|belong|end|have|were)\b")
_SINGULAR = {"are": "is", "belong": "belongs", "end": "ends", "have": "has", "were": "was"}


def counted(count: int, plural: str) -> str:
    """Return ``count`` with what is counted, given in the plural and made singular for 1.

    The first word that ends in "s" is taken for the noun, and the first verb agrees with it:
    ``counted(1, "answers that belong to no question")`` is "1 answer that belongs to no
    question". Nouns with another plural than a plain "s" are not supported.
    """
    if count == 1:
        plural = _NOUN.sub(r"\1", plural, count=1)
        plural = _VERB.sub(lambda verb: _SINGULAR[verb[0]], plural, count=1)
    return f"{count:,} {plural}"
