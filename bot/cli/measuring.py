"""``evaluate``: how often the bot finds the thread that was meant."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bot.cli.console import out, progress, write_json
from bot.errors import ConfigError
from bot.services.evaluate import Evaluation
from bot.services.evaluate import evaluate as measure
from bot.settings import load_settings

LABELS = {
    "name": "test set",
    "queries": "questions",
    "ndcg_at_10": "nDCG@10",
    "mrr": "MRR",
    "p_at_1": "P@1",
    "r_at_10": "R@10",
    "r_at_100": "R@100",
    "precision": "precision of answers",
    "coverage": "answered",
    "median_ms": "median ms",
    "mcc": "MCC",
}
"""How figures are called where the field's name would be unusual."""


def evaluate(folder: Path, *, typos: float, as_json: bool) -> None:
    """Measure on ``folder`` and show the figures.

    Raises ConfigError when there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give one with corpus, queries and qrels")

    async def go() -> Evaluation:
        with progress("Asking") as advance:
            return await measure(
                folder,
                load_settings(),
                typos=typos,
                progress=lambda _, total: advance(1, total),
            )

    figures = asyncio.run(go()).to_dict()
    if as_json:
        write_json(figures)
    else:
        out().print(_table(figures))


def _table(figures: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in figures.items():
        if value is not None:  # what this test set can't tell
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
            table.add_row(Text(LABELS.get(name, name.replace("_", " "))), Text(shown))
    return table
