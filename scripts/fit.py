"""Fit the ranker's constants on open test sets and write ``bot/search/weights.py``.

    python scripts/fit.py ../shared/eval/travel-dups ../shared/eval/covid-faq ...

First each set is judged by constants fitted on the others; then those that are written
are fitted on all, once for words alone and once for words and meaning. ``--dry-run``
writes nothing. How it is done is in ``fitting/``.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fitting import thresholds
from fitting.cases import Case, Parts, Remembered, gather
from fitting.models import EYES, Eye, fit, judged, unseen
from rich.console import Console
from rich.table import Table

from bot.evaluation import metrics
from bot.evaluation.test_sets import TestSet, load
from bot.search.semantic import embedder
from bot.search.weights import Weights

WEIGHTS = Path(__file__).parents[1] / "bot" / "search" / "weights.py"
LEVELS = (0.2, 0.25, 0.3, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8)

TEMPLATE = '''WORDS = {words}

MEANING = {meaning}

UNSEEN = ({unseen[0]:.3f}, {unseen[1]:.3f})
"""A thread's likely cosine without a vector: this, and so much for each unit of overlap."""
'''


def main() -> None:
    """Judge each set by the others, then fit on all and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument(
        "--keep",
        type=Path,
        help="a folder where vectors are kept from one run to the next",
        default=Path(tempfile.gettempdir()) / "threadwise-fit",
    )
    options = parser.parse_args()
    tests = [load(folder) for folder in options.folders]
    fitted: dict[str, Weights] = {}
    seen: Sequence[Parts] = ()
    for eye in EYES:
        sets = gathered(tests, eye, options.keep)
        judge(sets, eye)
        fitted[eye.name] = fit(list(sets.values()), eye)
        seen = list(sets.values())
    if not options.dry_run:
        write(fitted, unseen(seen), [test.name for test in tests])


def gathered(tests: Sequence[TestSet], eye: Eye, keep: Path) -> dict[str, Parts]:
    """What the engine finds for every set's questions, by one eye or by both."""
    model = None
    if eye.name == "meaning":
        model = Remembered(embedder.load("", keep), keep / "vectors.pickle")
    sets = {t.name: gather(t, [o for o in tests if o is not t], model) for t in tests}
    if model is not None:
        model.keep()
    return sets


def judge(sets: Mapping[str, Parts], eye: Eye) -> None:
    """Show what each set is worth by constants fitted on the others."""
    console = Console(width=200)
    sure, hopeful = [], []
    table = Table(title=f"By {eye.name}; each set by constants fitted on the others")
    for column in ("set", "part", "nDCG@10", "ECE", *(f"from {level}" for level in LEVELS)):
        table.add_column(column)
    for name, parts in sets.items():
        model = fit([other for key, other in sets.items() if key != name], eye)
        for part, cases in parts.items():
            table.add_row(name, part, *figures(cases, model))
        everything = [case for cases in parts.values() for case in cases]
        table.add_row(name, "all", *figures(everything, model), end_section=True)
        sure.append(thresholds.answers(parts, model))
        hopeful.append(thresholds.offers(parts, model))
    console.print(table)
    for what, claims, precision in (
        ("answers", sure, thresholds.ANSWERS_RIGHT),
        ("offers", hopeful, thresholds.OFFERS_RIGHT),
    ):
        level = thresholds.enough(claims, precision)
        console.print(f"By {eye.name}, {precision:.0%} of the {what} are right from {level} on.")


def figures(cases: Sequence[Case], model: Weights) -> list[str]:
    """The ranking, the calibration error; from each confidence on, how many and how right."""
    gains, sure, right = judged(cases, model)
    told = [f"{sum(gains) / len(gains):.4f}" if gains else ""]
    told.append(f"{metrics.calibration_error(sure, right):.3f}")
    for level in LEVELS:
        hits = [r for c, r in zip(sure, right, strict=True) if c >= level]
        told.append(f"{len(hits) / len(sure):.0%}: {sum(hits) / len(hits):.0%}" if hits else "0%")
    return told


def write(fitted: Mapping[str, Weights], line: tuple[float, float], names: Sequence[str]) -> None:
    """Put the constants where the ranker reads them."""
    shown = {name: _source(weights) for name, weights in fitted.items()}
    above = WEIGHTS.read_text(encoding="utf-8").partition("WORDS = ")[0]
    above = re.sub(r"Fitted on .*", f"Fitted on {', '.join(names)}.", above)
    WEIGHTS.write_text(above + TEMPLATE.format(unseen=line, **shown), encoding="utf-8")


def _source(weights: Weights) -> str:
    parts = "".join(
        f"    {part}={{\n"
        + "".join(f'        "{k}": {v:.3f},\n' for k, v in named.items())
        + "    },\n"
        for part, named in (("order", weights.order), ("confidence", weights.confidence))
    )
    return f"Weights(\n{parts}    bias={weights.bias:.3f},\n)"


if __name__ == "__main__":
    main()
