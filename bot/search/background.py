"""The background of a library: how alike a question and its threads look where none is meant.

Cosines mean different things in each library, language and model: of unrelated texts they are
near 0 in English by one model, and above .7 in Korean, or in every language by another. So a
library is asked questions to which the outcome is known. Questions about other fields, in the
language that its titles are nearest to, give the cosine that means nothing (``unrelated``). Its
own titles, each with its thread and those of the same answer left out, give what a question of
this field reaches that has no answer here (``field``). It is measured by
``semantic/background_measurement.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

FIELD_SHARE = 0.7
"""The share of the level of its own titles that a question must surpass. Between .5 and 1 it
makes little difference where it was tried."""

LEAST_FIELD = 0.3
"""The least level of a field. Lower ones are measured where the model reads a language badly, of
which all texts look unrelated and some of them more than others."""

GROWTH = 0.2
"""The share of threads come or gone from which a background is measured anew."""


@dataclass(frozen=True, slots=True)
class Background:
    """What cosines mean in the library that a server sees.

    ``unrelated`` is the cosine of a question and its nearest thread where they have nothing in
    common; ``field`` what the nearest other thread of a title reaches, relative to that (see
    ``relative``). ``readable`` says whether the model tells its texts apart. ``threads`` is the
    number of them when it was measured.
    """

    unrelated: float
    field: float
    readable: bool = True
    threads: int = 0

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
