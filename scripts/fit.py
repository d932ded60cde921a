"""Fit the ranker's constants on open test sets and write ``bot/search/weights.py``.

    python scripts/fit.py ../shared/eval/travel-dups ../shared/eval/covid-faq ...

Questions are taken as they are and with slips in 30 % of their longer words. The order
is a conditional logit over each question's candidates (McFadden 1974). The confidence is
a logistic regression on the first candidate: in the whole library, in small libraries
cut from it (a community begins with a handful of threads), and for questions of the other
sets, which it can't answer. Both have an L2 penalty, and every set weighs the same.

First each set is judged by constants fitted on the others; then those that are written
are fitted on all. ``--dry-run`` writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from bot.models import Thread
from bot.search import ranker
from bot.services import metrics
from bot.services.house import House
from bot.services.slips import misspell
from bot.services.testset import TestQuery, TestSet, load
from bot.settings import load_settings

ORDER = ("bm25_to_best", "asked_found", "title_asked", "overlap", "bigrams", "token_sort")
CONFIDENCE = ("bm25", "title_asked", "token_sort", "lead")
TYPOS = 0.3
PENALTY = 1e-3
SMALL = (3, 5, 10, 10, 30, 30, 70, 70, 150, 300)  # threads of the small libraries
SHARES = {"whole": 0.5, "small": 0.35, "foreign": 0.15}  # of each part in the confidence
WEIGHTS = Path(__file__).parents[1] / "bot" / "search" / "weights.py"

TEMPLATE = '''"""The ranker's constants. Written by ``scripts/fit.py``; not to be edited by hand.

Fitted on {sets}.
"""

ORDER = {{
{order}
}}
"""What each feature adds to a candidate's place among the others."""

CONFIDENCE = {{
{confidence}
}}
"""What each feature adds to the log-odds that a candidate answers the question."""

CONFIDENCE_BIAS = {bias:.3f}
"""Those log-odds where every feature is 0."""
'''


@dataclass(frozen=True)
class Case:
    """One question: its candidates' keys and features, and which of them are right."""

    keys: list[str]
    rows: list[dict[str, float]]
    right: list[bool]
    relevant: dict[str, int]


@dataclass(frozen=True)
class Model:
    """Constants by feature name."""

    order: dict[str, float]
    confidence: dict[str, float]
    bias: float


Parts = dict[str, list[Case]]
"""The cases of one set, by the part of ``SHARES`` that they belong to."""


def gather(test: TestSet, others: list[TestSet]) -> Parts:
    """Every question of a set with what the engine finds for it, whole, small and foreign."""
    rng = random.Random(11)
    foreign = [TestQuery("", q.text, {}) for o in others for q in rng.sample(o.queries, 200)]
    slipped = [TestQuery(q.key, misspell(q.text, TYPOS, rng), q.relevant) for q in test.queries]
    small: list[Case] = []
    for size in SMALL:
        small += ask(*_small_library(test, foreign, size, rng), limit=20)
    return {
        "whole": ask(test.threads, [*test.queries, *slipped]),
        "small": small,
        "foreign": ask(test.threads, foreign, limit=20),
    }


def _small_library(
    test: TestSet, foreign: list[TestQuery], size: int, rng: random.Random
) -> tuple[list[Thread], list[TestQuery]]:
    """Some threads, with questions that they answer, that their field asks, and foreign ones."""
    by_key = {thread.key: thread for thread in test.threads}
    answerable = [query for query in test.queries if query.relevant]
    asked = rng.sample(answerable, min(len(answerable), max(2, min(size // 2, 60))))
    chosen = {next(iter(query.relevant)) for query in asked}
    spare = [key for key in by_key if key not in chosen]
    chosen |= set(rng.sample(spare, max(0, min(len(spare), size - len(chosen)))))
    queries = asked + rng.sample(test.queries, len(asked)) + rng.sample(foreign, len(asked))
    mixed = [
        TestQuery(q.key, misspell(q.text, TYPOS, rng) if i % 3 == 0 else q.text, q.relevant)
        for i, q in enumerate(queries)
    ]
    return [by_key[key] for key in sorted(chosen)], mixed


def ask(threads: Iterable[Thread], queries: list[TestQuery], limit: int = 100) -> list[Case]:
    """Put questions to a library of these threads."""

    async def run() -> list[Case]:
        with tempfile.TemporaryDirectory() as place:
            house = await House.open(load_settings(data_dir=Path(place), database_url=""))
            await house.library.add(threads)
            cases = [_case(house, query, limit) for query in queries]
            await house.close()
        return [case for case in cases if case.rows]

    return asyncio.run(run())


def _case(house: House, query: TestQuery, limit: int) -> Case:
    found = house.engine.candidates(query.text, 0, limit, leave_out=query.key)
    keys = [ranked.hit.key for ranked in found]
    rows = [ranked.features for ranked in found]
    return Case(keys, rows, [key in query.relevant for key in keys], query.relevant)


def fit(sets: list[Parts]) -> Model:
    """Both models, fitted on several sets of equal weight."""
    order = fit_order([parts["whole"] for parts in sets])
    return Model(order, *fit_confidence(sets, order))


def fit_order(sets: list[list[Case]]) -> dict[str, float]:
    """The constants under which right candidates are chosen with the greatest likelihood."""
    groups = [_padded(cases) for cases in sets]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = PENALTY * w @ w, 2 * PENALTY * w
        for features, there, right in groups:
            scores = np.where(there, features @ w, -np.inf)
            good = np.where(right, scores, -np.inf)
            all_, best = (logsumexp(s, axis=1, keepdims=True) for s in (scores, good))
            pull = np.exp(scores - all_) - np.exp(good - best)
            total += float(np.mean(all_ - best))
            slope = slope + np.einsum("qc,qcf->f", pull, features) / len(features)
        return total, slope

    return _named(ORDER, _minimum(loss, len(ORDER)))


def _padded(cases: list[Case]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (question, candidate, feature), which places are filled, which are right."""
    useful = [case for case in cases if any(case.right) and not all(case.right)]
    shape = (len(useful), max(len(case.rows) for case in useful))
    features = np.zeros((*shape, len(ORDER)))
    there: np.ndarray = np.zeros(shape, dtype=np.bool_)
    right: np.ndarray = np.zeros(shape, dtype=np.bool_)
    for i, case in enumerate(useful):
        n = len(case.rows)
        features[i, :n] = [[row[name] for name in ORDER] for row in case.rows]
        there[i, :n], right[i, :n] = True, case.right
    return features, there, right


def fit_confidence(sets: list[Parts], order: dict[str, float]) -> tuple[dict[str, float], float]:
    """The log-odds that the first candidate is right, and those without any evidence."""
    tables = []
    for parts in sets:
        for part, share in SHARES.items():
            firsts = [first(case, order) for case in parts[part]]
            features = np.array([[f[name] for name in CONFIDENCE] for f, _, _ in firsts])
            tables.append((features, np.array([r for _, r, _ in firsts], float), share))

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = PENALTY * w[1:] @ w[1:], np.r_[0, 2 * PENALTY * w[1:]]
        for features, right, share in tables:
            odds = w[0] + features @ w[1:]
            total += share * float(np.mean(np.logaddexp(0, odds) - right * odds))
            error = share * (expit(odds) - right) / len(right)
            slope = slope + np.r_[error.sum(), features.T @ error]
        return total, slope

    # Bounded below: no evidence for a thread may count against it.
    bounds = [(None, None)] + [(0.0, None)] * len(CONFIDENCE)
    found = _minimum(loss, len(CONFIDENCE) + 1, bounds)
    return _named(CONFIDENCE, found[1:]), float(found[0])


def first(case: Case, order: dict[str, float]) -> tuple[dict[str, float], bool, list[str]]:
    """The first candidate's features with its lead, whether it is right, and all in order."""
    scores = [sum(w * row[name] for name, w in order.items()) for row in case.rows]
    places = sorted(range(len(scores)), key=lambda place: -scores[place])
    rival = scores[places[1]] if len(places) > 1 else 0.0
    row = case.rows[places[0]]
    told = row | {"lead": ranker.lead(scores[places[0]] - rival, row)}
    return told, case.right[places[0]], [case.keys[place] for place in places]


def judge(parts: Parts, model: Model) -> str:
    """What a model is worth on a set: its ranking, then each part's confidence."""
    lines = []
    for part, cases in parts.items():
        gains, sure, right = [], [], []
        for case in cases:
            row, is_right, ranked = first(case, model.order)
            odds = model.bias + sum(w * row[name] for name, w in model.confidence.items())
            sure.append(float(expit(odds)))
            right.append(is_right)
            if case.relevant:
                gains.append(metrics.ndcg(ranked, case.relevant))
        told = [f"nDCG@10 {np.mean(gains):.4f}"] if part == "whole" else []
        told.append(f"ECE {metrics.calibration_error(sure, right):.3f}")
        for level in (0.4, 0.5, 0.6, 0.7):
            hits = [r for c, r in zip(sure, right, strict=True) if c >= level]
            rate = f", {np.mean(hits):.0%} right" if hits else ""
            told.append(f"from {level}: {len(hits) / len(sure):.0%}{rate}")
        lines.append(f"  {part:8}" + "; ".join(told))
    return "\n".join(lines)


def write(model: Model, names: list[str]) -> None:
    """Put the constants where the ranker reads them."""
    order, confidence = (
        "\n".join(f'    "{name}": {weight:.3f},' for name, weight in weights.items())
        for weights in (model.order, model.confidence)
    )
    text = TEMPLATE.format(
        sets=", ".join(names), order=order, confidence=confidence, bias=model.bias
    )
    WEIGHTS.write_text(text, encoding="utf-8")


def _minimum(loss: Callable[[np.ndarray], Any], size: int, bounds: Any = None) -> np.ndarray:
    found = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def main() -> None:
    """Judge each set by the others, then fit on all and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args()
    tests = [load(folder) for folder in options.folders]
    sets = {test.name: gather(test, [t for t in tests if t is not test]) for test in tests}
    for name, parts in sets.items():
        rest = [other for key, other in sets.items() if key != name]
        if rest:
            print(f"{name}, fitted on the others\n{judge(parts, fit(rest))}")
    model = fit(list(sets.values()))
    for name, parts in sets.items():
        print(f"{name}, fitted on all\n{judge(parts, model)}")
    print(model)
    if not options.dry_run:
        write(model, list(sets))


if __name__ == "__main__":
    main()
