"""Fit the ranker's constants on open test sets and write ``bot/search/weights.py``.

    python scripts/fit.py ../shared/eval/travel-dups ../shared/eval/covid-faq ...

Each set is cut into libraries of many sizes (``fitting/libraries.py``); the small libraries in
twelve languages of ``tests/matching/languages`` are a set too. First each set is judged by
constants fitted on the others; then those that are written are fitted on all, once for words
alone and once for words and meaning with all of ``--models``. ``--dry-run`` writes nothing.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from fitting.cases import Case, Remembered, ask
from fitting.figures import COLUMNS, figures
from fitting.libraries import libraries
from fitting.models import firsts, fit_order, fit_semantic, fit_words
from rich.console import Console
from rich.table import Table

from bot.evaluation.test_sets import TestSet, load
from bot.search.semantic import open_embedder
from bot.search.weights import WORDS_ORDER, Semantic, Words
from bot.settings import load_settings

WEIGHTS = Path(__file__).parents[1] / "bot" / "search" / "weights.py"
WORDS = "words"
"""The name under which questions by words alone are shown."""


def main() -> None:
    """Judge each set by the others, then fit on all and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--models", default="", help="EMBEDDING_MODELs, by commas")
    parser.add_argument("--most", type=int, default=5_000, help="threads of a library")
    parser.add_argument(
        "--keep",
        type=Path,
        help="a folder where vectors are kept from one run to the next",
        default=Path(tempfile.gettempdir()) / "threadwise-fit",
    )
    options = parser.parse_args()
    tests = [load(folder) for folder in options.folders]
    console = Console(width=180)
    by_words = _asked(tests, None, options.most, console)
    data, by_meaning = load_settings().data_dir, []
    for name in options.models.split(","):
        model = Remembered(open_embedder(name, data), options.keep / _file(name))
        by_meaning.append((name or "default", _asked(tests, model, options.most, console)))
        model.keep()
    order = fit_order(by_words, list(WORDS_ORDER))
    judge([(WORDS, by_words)], console)
    judge(by_meaning, console)
    every = [first for _, cases in by_meaning for first in firsts(cases, None)]
    words = fit_words(firsts(by_words, order))
    if not options.dry_run:
        write((fit_semantic(every), words), order, [test.name for test in tests])


def _file(model: str) -> str:
    return f"vectors-{re.sub(r'[^a-z0-9]+', '-', model.lower())}.pickle"


def _asked(
    tests: Sequence[TestSet], model: Remembered | None, most: int, console: Console
) -> list[Case]:
    """Return what is found in every library."""
    cases: list[Case] = []
    for library in libraries(tests, most):
        console.print(f"{library.name}: {len(library.threads):,} threads", style="dim")
        cases += ask(library, model)
    return cases


def judge(asked: Sequence[tuple[str, list[Case]]], console: Console) -> None:
    """Show what each set is worth by constants fitted on the others, with every model."""
    tests = sorted({case.test for _, cases in asked for case in cases})
    table = Table(title="Each set by constants fitted on the others")
    for column in ("model", "set", *COLUMNS):
        table.add_column(column)
    for test in tests:
        order = None
        if asked[0][0] == WORDS:
            others = [case for case in asked[0][1] if case.test != test]
            order = fit_order(others, list(WORDS_ORDER))
        fitted = [f for _, cases in asked for f in firsts(cases, order) if f.case.test != test]
        constants = fit_words(fitted) if order else fit_semantic(fitted)
        for model, cases in asked:
            judged = firsts([case for case in cases if case.test == test], order)
            table.add_row(model, test, *figures(judged, constants))
    console.print(table)


def write(
    models: Sequence[Semantic | Words], order: Mapping[str, float], names: Sequence[str]
) -> None:
    """Put the constants where the ranker reads them."""
    text = WEIGHTS.read_text(encoding="utf-8")
    text = re.sub(r"Fitted on .*", f"Fitted on {', '.join([*sorted(names), 'languages'])}.", text)
    for model in models:
        kind = type(model).__name__
        values = ", ".join(f"{name}={value:.3f}" for name, value in asdict(model).items())
        text = re.sub(rf"= {kind}\(.*\)", f"= {kind}({values})", text)
    rows = "".join(f'    "{name}": {value:.3f},\n' for name, value in order.items())
    text = re.sub(r"WORDS_ORDER = \{.*?\}\n", f"WORDS_ORDER = {{\n{rows}}}\n", text, flags=re.S)
    WEIGHTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
