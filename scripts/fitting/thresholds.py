"""Thresholds for a stated precision: how sure is sure enough.

Every set is judged by constants fitted on the others, and counts the same. Its parts weigh
as in fitting: a question may be asked of a large library or a small one, misspelt, or of
a library that knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from bot.search.weights import Weights
from bot.services.answering import likelihood, suggestions_among
from fitting.cases import Parts
from fitting.models import SHARES, Found, found

ANSWERS_RIGHT = 0.65
"""The share of answers that shall be right, in the mean over the sets. On travel-dups only
one linked duplicate counts as right, though other threads may answer as well."""

OFFERS_RIGHT = 0.6
"""The share of "Did you mean" menus that shall hold the right thread."""

STEP = 0.05


@dataclass(frozen=True)
class Claim:
    """What was claimed of one question, whether it was right, and what the question weighs."""

    sure: float
    right: bool
    weight: float


def answers(parts: Parts, model: Weights) -> list[Claim]:
    """How sure the bot is of each question's first match."""
    return [Claim(best[0].confidence, best[0].right, w) for best, w in _best(parts, model)]


def offers(parts: Parts, model: Weights) -> list[Claim]:
    """How sure it is that one of those that it would offer is meant."""
    return [
        Claim(likelihood(best), any(one.right for one in suggestions_among(best)), w)
        for best, w in _best(parts, model)
    ]


def _best(parts: Parts, model: Weights) -> Iterator[tuple[list[Found], float]]:
    """The best candidates of each question that has any, with the question's weight."""
    for name, share in SHARES.items():
        for case in parts[name]:
            if case.keys:
                yield found(case, model), share / len(parts[name])


def enough(sets: Sequence[Sequence[Claim]], precision: float) -> float | None:
    """The lowest threshold from which the mean precision is reached; ``None``: at no one."""
    for step in range(1, round(1 / STEP)):
        level = round(step * STEP, 2)
        reached = [told for told in (precision_from(claims, level) for claims in sets) if told]
        if reached and mean(share for _, share in reached) >= precision:
            return level
    return None


def precision_from(claims: Sequence[Claim], level: float) -> tuple[float, float] | None:
    """The share of questions for which ``level`` is reached, and how many of those are right."""
    there = [claim for claim in claims if claim.sure >= level]
    weight = sum(claim.weight for claim in there)
    if not weight:
        return None
    return weight, sum(claim.weight for claim in there if claim.right) / weight
