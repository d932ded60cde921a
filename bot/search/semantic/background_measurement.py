"""Measuring the background of a library, by questions to which the outcome is known."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING

import numpy as np

from bot.search.background import TYPICAL, Background
from bot.search.groups import outside_group_of, pooled
from bot.search.language import library_language
from bot.search.unrelated import UNRELATED

if TYPE_CHECKING:
    from bot.search.semantic.embedder import Vectors
    from bot.search.semantic.retrieval import SemanticIndex
    from bot.search.view import View

SAMPLE = 200
"""Titles asked; the level that they give is off by some .01 then."""

SEED = 11
"""Of the sample, so that a restart gives the same confidences."""

NEIGHBOURS = 60
"""Threads that a title is compared with, as a question is."""

SAME_QUESTION = 0.5
"""The relative cosine from which a title's nearest thread may ask the same: it counts as no more,
or libraries with many duplicates would seem to be full of questions without an answer."""

LEAST_SPREAD = 0.6
"""The share of the spread (one less the mean cosine of different texts) that questions about other
fields must have in a language, of what they have in the one that the model tells apart best, or
it can't read that language. By the default model: German .76, Turkish .63, Japanese .59, Russian
.49, Korean .28; by a multilingual one .82 or more."""

SAME_LANGUAGE = 0.7
"""The share of the mean cosine of those questions that titles must have with them to be taken as
written in their language."""


def measure(view: View, semantic: SemanticIndex) -> Generator[None, None, Background]:
    """Measure the background of what a server sees; other questions may come at each ``yield``.

    Raises ModelError, and IndexDamaged.
    """
    scopes = [part.scope for part in view.parts]
    hits = view.among({}, semantic.vector_index.sample(scopes, SAMPLE, SEED))
    asked = yield from _vectors(semantic, [hit.title for hit in hits])
    if not hits:
        return Background(TYPICAL.unrelated, TYPICAL.field, threads=len(view))
    questions = yield from _unrelated(semantic)
    language = library_language(hit.title for hit in hits) or _nearest_language(asked, questions)
    unrelated = median([_nearest(semantic, vector, scopes) for vector in questions[language]])
    measured = Background(min(unrelated, 0.95), TYPICAL.field, threads=len(view))
    best = []
    for hit, vector in zip(hits, asked, strict=True):
        best.append(_nearest_other(view, semantic, vector, hit.thread_id, measured))
        yield
    field = [min(level, SAME_QUESTION) for level in best if level is not None]
    return Background(
        measured.unrelated,
        max(0.0, fmean(field)) if len(field) >= 3 else TYPICAL.field,
        readable=_is_readable(asked, questions, language),
        threads=len(view),
        language=language,
    )


def _nearest_language(titles: Vectors, questions: Mapping[str, Vectors]) -> str:
    """Return the language of the questions that the titles are nearest to."""
    return max(questions, key=lambda one: float((titles @ questions[one].T).mean()))


def _is_readable(titles: Vectors, questions: Mapping[str, Vectors], language: str) -> bool:
    """Return whether the model tells texts of the language apart in which a library is written."""
    spread = _spread(questions[language])
    if spread >= LEAST_SPREAD * max(map(_spread, questions.values())):
        return True
    alike = float((titles @ questions[language].T).mean())
    return alike < SAME_LANGUAGE * (1.0 - spread)


def _unrelated(semantic: SemanticIndex) -> Generator[None, None, dict[str, Vectors]]:
    """Return the vectors of the questions about other fields, by language: made once."""
    known = semantic.unrelated
    for language, texts in UNRELATED.items():
        if language not in known:
            known[language] = yield from _vectors(semantic, texts)
    return known


def _vectors(semantic: SemanticIndex, texts: Sequence[str]) -> Generator[None, None, Vectors]:
    rows = []
    for text in texts:
        rows.append(semantic.question(text))
        yield
    return np.array(rows, np.float32).reshape(len(rows), semantic.dimensions)


def _nearest(semantic: SemanticIndex, vector: Vectors, scopes: Sequence[int]) -> float:
    """Return the cosine of a question and the thread nearest to it."""
    near = semantic.near(vector, scopes, 3)
    return max(semantic.cosines(vector, near, scopes).values(), default=0.0)


def _nearest_other(
    view: View, semantic: SemanticIndex, vector: Vectors, thread_id: int, background: Background
) -> float | None:
    """Return the pooled relative cosine of the nearest group but that of a title's own thread.

    None where all that is near has the same answer.
    """
    scopes = [part.scope for part in view.parts]
    hits = view.among({}, semantic.near(vector, scopes, NEIGHBOURS))
    cosines = semantic.cosines(vector, [hit.thread_id for hit in hits], scopes)
    groups: dict[int, list[float]] = {}
    for number, hit in outside_group_of(thread_id, hits):
        told = cosines.get(hit.thread_id, -1.0)
        groups.setdefault(number, []).append(background.relative(told))
    return max(map(pooled, groups.values()), default=None)


def _spread(vectors: Vectors) -> float:
    """Return one less the mean cosine of different texts."""
    count = len(vectors)
    together = float(np.square(vectors.sum(axis=0)).sum()) - float(np.square(vectors).sum())
    return 1.0 - together / (count * (count - 1))
