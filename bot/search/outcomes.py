"""Confidences of the ranker on a library, for questions with an answer in it and with none.

So people can be told what a threshold means here, before they set it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence

from bot.search.background import Background, Outcomes
from bot.search.documents import Hit
from bot.search.groups import outside_group_of
from bot.search.query import Query, parse
from bot.search.ranker import rank
from bot.search.unrelated import UNRELATED
from bot.search.view import View

SAMPLE = 40
"""Titles asked, twice each: shares are off by some .08 then."""

LEAST = 10
"""Questions of either kind from which shares are told."""

LEAST_WORDS = 4
"""Words of a title of which half still says something."""

SEED = 12
"""Of the sample, so that measuring again gives the same."""

Retrieved = tuple[Query, list[Hit], Mapping[int, float]]
"""A question as parsed, its candidates and their cosines."""


def measure(
    view: View, ids: Sequence[int], ask: Callable[[str], Retrieved], background: Background
) -> Generator[None, None, Outcomes | None]:
    """Return how sure the ranker is of questions to threads of these ids, asked with ``ask``.

    Halves of titles have an answer here. Titles have none once all threads with their answer
    are left out, nor have questions about other fields. None where there are too few of either.
    Other questions may come at each ``yield``. Raises ModelError.
    """
    known, unknown = [], []
    for hit in view.among({}, ids):
        if half := _half(hit.title, view):
            known.append(_right(hit, ask(half), background))
            yield
        without = _without(hit, ask(hit.title))
        if without[1]:
            unknown.append(_confidence(without, background))
        yield
    for question in UNRELATED.get(background.language, ()):
        unknown.append(_confidence(ask(question), background))
        yield
    return Outcomes.of(known, unknown) if min(len(known), len(unknown)) >= LEAST else None


def _half(title: str, view: View) -> str:
    """Return the half of a title that says more here; nothing of short ones."""
    words = title.split()
    if len(words) >= LEAST_WORDS:
        middle = len(words) // 2
        halves = [" ".join(words[:middle]), " ".join(words[middle:])]
    elif len(words) == 1 and len(title) >= 2 * LEAST_WORDS:  # written without spaces
        halves = [title[: len(title) // 2], title[len(title) // 2 :]]
    else:
        return ""
    return max(halves, key=lambda half: parse(half, view.words, view.idf).ceiling)


def _right(hit: Hit, asked: Retrieved, background: Background) -> float:
    """Return the confidence in the first group if it is that of ``hit``, else 0."""
    ranked = rank(*asked, background)
    own = {one.group for one in ranked if one.hit.thread_id == hit.thread_id}
    return ranked[0].confidence if ranked and ranked[0].group in own else 0.0


def _without(hit: Hit, asked: Retrieved) -> Retrieved:
    """Leave out a thread and those of the same answer."""
    query, hits, cosines = asked
    return query, [one for _, one in outside_group_of(hit.thread_id, hits)], cosines


def _confidence(asked: Retrieved, background: Background) -> float:
    ranked = rank(*asked, background)
    return ranked[0].confidence if ranked else 0.0
