"""Measuring the bot on a test set, in a library made for it and deleted afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from bot.app import App
from bot.errors import ConfigError, ModelError
from bot.evaluation import metrics
from bot.evaluation.metrics import ReliabilityBin
from bot.evaluation.test_sets import TestQuery, TestSet, has_corpus, load, misspell
from bot.models import SHARED
from bot.private_files import temporary_folder
from bot.search.engine import Engine, one_of_each_group
from bot.search.ranker import Ranked
from bot.search.semantic import OFF, located, open_embedder
from bot.services.answering import likelihood, suggestions_among
from bot.services.library import in_force
from bot.settings import Settings

DEPTH = 100
"""Matches that are retrieved for each question: R@100 needs as many."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of one question: ranked keys, and the confidence of the first.

    ``offered`` are those that would be suggested, ``likelihood`` how likely one of them is meant.
    """

    query: TestQuery
    ranked: tuple[str, ...]
    confidence: float
    offered: tuple[str, ...]
    likelihood: float

    @property
    def right(self) -> bool:
        """Return whether the first match answers the question."""
        return bool(self.ranked) and self.ranked[0] in self.query.relevant

    @property
    def offered_right(self) -> bool:
        """Return whether a right thread is among those that would be suggested."""
        return any(key in self.query.relevant for key in self.offered)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measures of one test set; shares are in [0, 1], times in milliseconds.

    ``coverage`` is the share of questions that got an answer, ``precision`` the share
    of those answers that were right, ``suggested`` the share that got suggestions.
    ``suggest_coverage`` is the share of questions that got either, ``suggest_precision``
    the share of those whose right thread is among the up to five offered.
    ``calibration_error_by_chance`` is the error that exactly true confidences have in the mean.
    ``in_scope_accuracy``, ``out_of_scope_recall`` and ``mcc`` are set where some questions must
    get no answer. ``model`` is None where words alone decided; ``embedding_ms`` were spent on the
    vectors of a thread, in the mean.
    """

    name: str
    model: str | None
    threads: int
    queries: int
    typos: float
    ndcg_at_10: float
    mrr: float
    p_at_1: float
    r_at_10: float
    r_at_100: float
    answer_threshold: float
    coverage: float
    precision: float
    suggested: float
    suggest_threshold: float
    suggest_coverage: float
    suggest_precision: float
    calibration_error: float
    calibration_error_by_chance: float
    median_ms: float
    p99_ms: float
    embedding_ms: float
    reliability: tuple[ReliabilityBin, ...]
    in_scope_accuracy: float | None = None
    out_of_scope_recall: float | None = None
    mcc: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The measures by name, for JSON."""
        bins = [
            {
                "from": b.start,
                "to": b.end,
                "questions": b.questions,
                "confidence": b.confidence,
                "right": b.right,
            }
            for b in self.reliability
        ]
        return asdict(self) | {"reliability": bins}


async def evaluate(
    folder: Path,
    settings: Settings,
    *,
    typos: float = 0.0,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure the bot on a test set; a query that is itself in the corpus does not find itself.

    A test set without a corpus is asked of a copy of the library in force.
    ``typos`` is the share of words longer than four letters that get one random slip;
    ``progress`` is told how many questions of how many were asked. Raises InputError,
    and other ThreadwiseErrors when the library in force is needed and can't be read.
    """
    library = [] if has_corpus(folder) else await in_force(settings)
    test = await asyncio.to_thread(load, folder, library)
    with temporary_folder("evaluate") as place:
        app = await App.open(_in_folder(settings, place))
        try:
            await app.library.add(test.threads)
            started = time.perf_counter()
            await app.embedding.make()
            embedding_ms = (time.perf_counter() - started) * 1000 / max(len(test.threads), 1)
            semantic = app.engine.semantic
            await app.answering.backgrounds.measure(SHARED)
            results, times = await asyncio.to_thread(
                _ask_all, app.engine, test, typos, random.Random(seed), progress
            )
        finally:
            await app.close()
    model = None if semantic is None else semantic.model
    return _measure(test, results, times, typos, settings, model, embedding_ms)


def check_models(names: Iterable[str], settings: Settings) -> None:
    """Raise ConfigError for the first of several embedding models that can't be had."""
    for name in names:
        try:
            if name.lower() != OFF:
                open_embedder(name, settings.data_dir)
        except ModelError as error:
            raise ConfigError(f"the model {name} can't be measured: {error}") from None


def _in_folder(settings: Settings, place: Path) -> Settings:
    model = located(settings.embedding_model, settings.data_dir)
    changed = {"data_dir": place, "database_url": "", "embedding_model": model}
    return settings.model_copy(update=changed)


def _ask_all(
    engine: Engine,
    test: TestSet,
    typos: float,
    rng: random.Random,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[QueryResult], list[float]]:
    results, times = [], []
    for number, query in enumerate(test.queries, 1):
        text = misspell(query.text, typos, rng) if typos else query.text
        started = time.perf_counter()
        matches = engine.candidates(text, SHARED, DEPTH, leave_out=_itself(query))
        times.append((time.perf_counter() - started) * 1000)
        results.append(_result(query, matches))
        if progress is not None:
            progress(number, len(test.queries))
    return results, times


def _itself(query: TestQuery) -> str | None:
    """Return the key of the thread that a query is itself, unless that one answers it."""
    return None if query.key in query.relevant else query.key or None


def _result(query: TestQuery, matches: list[Ranked]) -> QueryResult:
    keys = tuple(match.hit.key for match in matches)
    first = matches[0].confidence if matches else 0.0
    shown = one_of_each_group(matches)
    suggested = tuple(match.hit.key for match in suggestions_among(shown))
    return QueryResult(query, keys, first, suggested, likelihood(shown))


def _measure(
    test: TestSet,
    results: list[QueryResult],
    times: list[float],
    typos: float,
    settings: Settings,
    model: str | None,
    embedding_ms: float,
) -> Evaluation:
    asked = [o for o in results if o.query.relevant]
    answered = [o for o in results if o.confidence >= settings.answer_threshold]
    reached = [o for o in results if o.likelihood >= settings.suggest_threshold]
    claimed = [o.confidence for o in results], [o.right for o in results]
    return Evaluation(
        name=test.name,
        model=model,
        threads=len(test.threads),
        queries=len(results),
        typos=typos,
        ndcg_at_10=mean(metrics.ndcg(o.ranked, o.query.relevant) for o in asked),
        mrr=mean(metrics.reciprocal_rank(o.ranked, o.query.relevant) for o in asked),
        p_at_1=_share(o.right for o in asked),
        r_at_10=mean(metrics.recall(o.ranked, o.query.relevant, 10) for o in asked),
        r_at_100=mean(metrics.recall(o.ranked, o.query.relevant, DEPTH) for o in asked),
        answer_threshold=settings.answer_threshold,
        coverage=len(answered) / len(results),
        precision=_share(o.right for o in answered),
        suggested=(len(reached) - len(answered)) / len(results),
        suggest_threshold=settings.suggest_threshold,
        suggest_coverage=len(reached) / len(results),
        suggest_precision=_share(o.offered_right for o in reached),
        calibration_error=metrics.calibration_error(*claimed),
        calibration_error_by_chance=metrics.error_by_chance(claimed[0]),
        median_ms=median(times),
        p99_ms=metrics.percentile(times, 99),
        embedding_ms=embedding_ms,
        reliability=tuple(metrics.reliability(*claimed)),
        **_of_scope(results, settings.answer_threshold),
    )


def _share(flags: Iterable[bool]) -> float:
    """Return the share of flags that are true, in [0, 1]; 0 of none."""
    values = [*flags]
    return sum(values) / len(values) if values else 0.0


def _of_scope(results: list[QueryResult], threshold: float) -> dict[str, float]:
    """Return how well questions that must get an answer are told from those that must not."""
    inside = [o for o in results if o.query.relevant]
    outside = [o for o in results if not o.query.relevant]
    if not outside:
        return {}
    yes, wrong_yes = (sum(o.confidence >= threshold for o in group) for group in (inside, outside))
    right = sum(o.right and o.confidence >= threshold for o in inside)
    return {
        "in_scope_accuracy": right / len(inside),
        "out_of_scope_recall": 1 - wrong_yes / len(outside),
        "mcc": metrics.matthews(yes, wrong_yes, len(inside) - yes, len(outside) - wrong_yes),
    }
