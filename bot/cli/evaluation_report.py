"""The figures of an evaluation as people read them: on the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bot.evaluation.runner import Evaluation

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
    "suggest_coverage": "answered or suggested",
    "suggest_precision": "right one of 5 offered",
    "calibration_error": "expected calibration error",
    "median_ms": "median ms",
    "p99_ms": "99th percentile ms",
    "in_scope_accuracy": "in-scope accuracy",
    "out_of_scope_recall": "out-of-scope recall",
    "mcc": "MCC",
}
"""How figures are called where the field's name would be unusual."""

BIN_TITLES = ("confidence", "questions", "mean confidence", "right")

Rows = list[tuple[str, ...]]


def figures(result: Evaluation) -> Rows:
    """Every figure that this test set can tell, with its name."""
    return [
        (LABELS.get(name, name.replace("_", " ")), _shown(value))
        for name, value in result.to_dict().items()
        if value is not None and name != "reliability"
    ]


def bins(result: Evaluation) -> Rows:
    """The bins of confidence that have questions, the surest first."""
    return [
        (f"{b.start:.1f} to {b.end:.1f}", str(b.questions), _shown(b.confidence), _shown(b.right))
        for b in reversed(result.reliability)
        if b.questions
    ]


def tables(result: Evaluation) -> list[Table]:
    """Both tables for the terminal."""
    told = _table(figures(result), show_header=False)
    told.columns[0].style = "bold"
    reliability = _table(bins(result), *BIN_TITLES)
    return [told, reliability]


def markdown(result: Evaluation, plot: str) -> str:
    """Both tables as a page that shows the file ``plot``."""
    return "\n".join(
        [
            f"# {_cell(result.name)}",
            "",
            *_markdown(("figure", ""), figures(result)),
            "",
            "How often the first match was right, by how sure the bot was of it:",
            "",
            *_markdown(BIN_TITLES, bins(result)),
            "",
            f"![Reliability](<{plot}>)",
            "",
        ]
    )


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(rows: Rows, *titles: str, show_header: bool = True) -> Table:
    table = Table(box=None, show_header=show_header, padding=(0, 2, 0, 0))
    for place in range(len(rows[0])):
        title = titles[place] if titles else ""
        table.add_column(title, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _markdown(titles: Sequence[str], rows: Rows) -> list[str]:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return [f"| {' | '.join(map(_cell, line))} |" for line in lines]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
