"""The background of a library: how alike a question and its threads look where none is meant.

Cosines mean different things in each library, language and model: of unrelated texts they are
near 0 in English by one model, and above .7 in Korean, or in every language by another. So a
library is asked questions to which the outcome is known. Questions about other fields, in the
language of its titles, give the cosine that means nothing (``unrelated``). Its
own titles, each with its thread and those of the same answer left out, give what a question of
this field reaches that has no answer here (``field``). It is measured by
``semantic/background_measurement.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FIELD_SHARE = 0.7
"""The share of the level of its own titles that a question must surpass. Between .5 and 1 it
makes little difference where it was tried."""

LEAST_FIELD = 0.3
"""The least level of a field. Lower ones are measured where the model reads a language badly, of
which all texts look unrelated and some of them more than others."""

GROWTH = 0.2
"""The share of threads come or gone from which a background is measured anew."""


BINS = 20
"""Of the histograms of confidences: thresholds are told to the nearest .05."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Histograms of confidences, in ``BINS`` bins of equal width from 0 to 1.

    ``known`` is of questions that have an answer here, ``unknown`` of those that have none. A
    question whose best match is another answer than its own is in the first bin of ``known``.
    """

    known: tuple[int, ...]
    unknown: tuple[int, ...]

    @classmethod
    def of(cls, known: Sequence[float], unknown: Sequence[float]) -> Outcomes:
        """Return the histograms of those confidences."""
        return cls(_histogram(known), _histogram(unknown))

    def answered(self, threshold: float) -> tuple[float, float]:
        """Return the shares of both kinds that are answered from a threshold on, in [0, 1]."""
        first = round(threshold * BINS)
        right = max(1, first)  # whatever is answered: in the first bin are wrong matches
        return (
            sum(self.known[right:]) / sum(self.known),
            sum(self.unknown[first:]) / sum(self.unknown),
        )


def _histogram(confidences: Sequence[float]) -> tuple[int, ...]:
    bins = [min(BINS - 1, int(confidence * BINS + 1e-9)) for confidence in confidences]
    return tuple(map(bins.count, range(BINS)))


@dataclass(frozen=True, slots=True)
class Background:
    """Statistics by which cosines are read in the library that a server sees.

    ``unrelated`` is the cosine of a question and its nearest thread where they have nothing in
    common; ``field`` what the nearest other thread of a title reaches, relative to that (see
    ``relative``). ``readable`` says whether the model tells its texts apart. ``threads`` is the
    number of them when it was measured. ``language`` is that of the questions about other fields
    that were asked. ``outcomes`` says how sure the ranker is here, where enough questions could be
    asked.
    """

    unrelated: float
    field: float
    readable: bool = True
    threads: int = 0
    language: str = ""
    outcomes: Outcomes | None = None

    @property
    def expected(self) -> float:
        """The relative cosine up to which nothing speaks for an answer."""
        return FIELD_SHARE * max(LEAST_FIELD, self.field)

    def relative(self, cosine: float) -> float:
        """Return a cosine on a scale where 0 is unrelated and 1 the same text."""
        return (cosine - self.unrelated) / (1.0 - self.unrelated)

    def fits(self, threads: int) -> bool:
        """Return whether a library of so many threads is still about what was measured."""
        return abs(threads - self.threads) <= GROWTH * self.threads


TYPICAL = Background(unrelated=0.2, field=0.35)
"""What is assumed until a background was measured, and of libraries too small to tell."""
