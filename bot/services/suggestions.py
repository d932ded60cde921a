"""Which threads "Did you mean" offers, and how likely it is that one of them is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

MAX_SUGGESTIONS = 5
"""Threads that are offered at most."""

SHARE_OF_FIRST = 0.2
"""How much of the first one's confidence is enough to be offered beside it: one of them is
meant, so what speaks for the first speaks against the others."""


class HasConfidence(Protocol):
    """Something that was found, with its confidences in [0, 1]."""

    @property
    def confidence(self) -> float:
        """How likely it is that this one is meant."""

    @property
    def together(self) -> float:
        """How likely it is that this one is meant, or one found before it."""


Found = TypeVar("Found", bound=HasConfidence)


def suggestions_among(found: Sequence[Found]) -> list[Found]:
    """Those to offer of what was found, best first."""
    enough = SHARE_OF_FIRST * found[0].confidence if found else 0.0
    return [one for one in found[:MAX_SUGGESTIONS] if one.confidence >= enough]


def likelihood(found: Sequence[HasConfidence]) -> float:
    """How likely one of those that are offered is meant, in [0, 1]."""
    shown = suggestions_among(found)
    return shown[-1].together if shown else 0.0


def suggestions_without_first(found: Sequence[Found], least: float) -> list[Found]:
    """What to offer once the first was refused, if one of it is meant with likelihood ``least``.

    Without the first, what is left of certainty is that of the others (Bayes).
    """
    others, refused = found[1:], found[0].confidence
    enough = refused + least * (1.0 - refused)
    return suggestions_among(others) if likelihood(others) >= enough else []
