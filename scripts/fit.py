"""Fit the ranker's constants on open test sets and write ``bot/search/weights.py``.

    python scripts/fit.py ../shared/eval/travel-dups ../shared/eval/covid-faq ...

Each set is taken as it is and with slips in 30 % of its longer words. The order is a
conditional logit over each question's candidates (McFadden 1974), the confidence a
logistic regression on the first candidate; both with an L2 penalty, every set weighing
the same. First each set is judged by constants fitted on the others; then the
constants that are written are fitted on all. ``--dry-run`` writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from bot.services import metrics
from bot.services.house import House
from bot.services.slips import misspell
from bot.services.testset import load
from bot.settings import load_settings

ORDER = ("bm25_to_best", "asked_found", "title_asked", "overlap", "bigrams", "token_sort")
CONFIDENCE = ("bm25", "asked_found", "title_asked", "overlap", "token_set", "token_sort", "lead")
TYPOS = (0.0, 0.3)
PENALTY = 1.0
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
    right: np.ndarray
    relevant: dict[str, int]


@dataclass(frozen=True)
class Model:
    """Constants by feature name."""

    order: dict[str, float]
    confidence: dict[str, float]
    bias: float


async def gather(folder: Path) -> list[Case]:
    """Every question of a set with what the engine finds for it, clean and misspelt."""
    test, cases = load(folder), []
    with tempfile.TemporaryDirectory() as place:
        house = await House.open(load_settings(data_dir=Path(place)))
        await house.library.add(test.threads)
        for typos in TYPOS:
            rng = random.Random(7)
            for query in test.queries:
                text = misspell(query.text, typos, rng) if typos else query.text
                found = house.engine.candidates(text, 0, leave_out=query.key)
                if found:
                    keys = [ranked.hit.key for ranked in found]
                    right = np.array([key in query.relevant for key in keys])
                    cases.append(Case(keys, [r.features for r in found], right, query.relevant))
        await house.close()
    return cases


def matrix(rows: list[dict[str, float]], names: tuple[str, ...]) -> np.ndarray:
    """The features as numbers: a row a candidate, a column a name."""
    return np.array([[row[name] for name in names] for row in rows])


def fit(sets: list[list[Case]]) -> Model:
    """Both models, fitted on several sets of equal weight."""
    order = fit_order(sets)
    confidence, bias = fit_confidence(sets, order)
    return Model(order, confidence, bias)


def fit_order(sets: list[list[Case]]) -> dict[str, float]:
    """The constants under which right candidates are chosen with the greatest likelihood."""
    groups = [
        [(matrix(c.rows, ORDER), c.right) for c in cases if c.right.any() and not c.right.all()]
        for cases in sets
    ]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = PENALTY * w @ w / 1000, 2 * PENALTY * w / 1000
        for group in groups:
            for features, right in group:
                scores = features @ w
                all_, good = np.exp(scores - logsumexp(scores)), scores[right]
                share = np.exp(good - logsumexp(good))
                total += (logsumexp(scores) - logsumexp(good)) / len(group)
                slope = slope + (features.T @ all_ - features[right].T @ share) / len(group)
        return total, slope

    found = minimize(loss, np.zeros(len(ORDER)), jac=True, method="L-BFGS-B")
    return dict(zip(ORDER, found.x.tolist(), strict=True))


def fit_confidence(
    sets: list[list[Case]], order: dict[str, float]
) -> tuple[dict[str, float], float]:
    """The log-odds that the first candidate is right."""
    tables = []
    for cases in sets:
        firsts = [first(case, order) for case in cases]
        tables.append((matrix([f for f, _, _ in firsts], CONFIDENCE), [r for _, r, _ in firsts]))

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = PENALTY * w[1:] @ w[1:] / 1000, np.r_[0, 2 * PENALTY * w[1:] / 1000]
        for features, right in tables:
            odds, y = w[0] + features @ w[1:], np.array(right, dtype=float)
            total += np.mean(np.logaddexp(0, odds) - y * odds)
            error = (expit(odds) - y) / len(y)
            slope = slope + np.r_[error.sum(), features.T @ error]
        return total, slope

    bounds = [(None, None)] + [(0, None)] * len(CONFIDENCE)  # no evidence counts against
    found = minimize(
        loss, np.zeros(len(CONFIDENCE) + 1), jac=True, method="L-BFGS-B", bounds=bounds
    )
    return dict(zip(CONFIDENCE, found.x[1:].tolist(), strict=True)), float(found.x[0])


def first(case: Case, order: dict[str, float]) -> tuple[dict[str, float], bool, list[str]]:
    """The first candidate's features with its lead, whether it is right, and all in order."""
    scores = matrix(case.rows, tuple(order)) @ np.array(list(order.values()))
    places = np.argsort(-scores, kind="stable")
    lead = scores[places[0]] - scores[places[1]] if len(places) > 1 else scores[places[0]]
    row = case.rows[places[0]] | {"lead": float(lead)}
    return row, bool(case.right[places[0]]), [case.keys[i] for i in places]


def judge(cases: list[Case], model: Model) -> str:
    """What a model is worth on a set, in a line."""
    gains, sure, right = [], [], []
    for case in cases:
        row, is_right, ranked = first(case, model.order)
        odds = model.bias + sum(w * row[name] for name, w in model.confidence.items())
        sure.append(float(expit(odds)))
        right.append(is_right)
        if case.relevant:
            gains.append(metrics.ndcg(ranked, case.relevant))
    parts = [f"nDCG@10 {np.mean(gains):.4f}", f"P@1 {np.mean(right):.3f}"]
    parts.append(f"ECE {metrics.calibration_error(sure, right):.3f}")
    for level in (0.3, 0.5, 0.6, 0.7, 0.8):
        hits = [r for c, r in zip(sure, right, strict=True) if c >= level]
        parts.append(f">={level}: {len(hits) / len(sure):.2f}@{np.mean(hits) if hits else 0:.2f}")
    return "  ".join(parts)


def write(model: Model, names: list[str]) -> None:
    """Put the constants where the ranker reads them."""
    text = TEMPLATE.format(
        sets=", ".join(names),
        order="\n".join(f'    "{name}": {w:.3f},' for name, w in model.order.items()),
        confidence="\n".join(f'    "{name}": {w:.3f},' for name, w in model.confidence.items()),
        bias=model.bias,
    )
    WEIGHTS.write_text(text, encoding="utf-8")


def main() -> None:
    """Judge each set by the others, then fit on all and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args()
    sets = {folder.name: asyncio.run(gather(folder)) for folder in options.folders}
    for name, cases in sets.items():
        others = [other for key, other in sets.items() if key != name]
        if others:
            print(f"{name}, fitted on the others:\n  {judge(cases, fit(others))}")
    model = fit(list(sets.values()))
    for name, cases in sets.items():
        print(f"{name}, fitted on all:\n  {judge(cases, model)}")
    print(model)
    if not options.dry_run:
        write(model, list(sets))


if __name__ == "__main__":
    main()
