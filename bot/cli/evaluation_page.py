"""The report of ``evaluate``: figures with their labels, a Markdown page, and a plot.

The plot needs matplotlib (the extra ``plots``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import counted
from bot.evaluation.metrics import BINS
from bot.evaluation.runner import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {
    "name": "test set",
    "model": "embedding model",
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
    "embedding_ms": "ms for a thread's vectors",
    "in_scope_accuracy": "in-scope accuracy",
    "out_of_scope_recall": "out-of-scope recall",
    "mcc": "MCC",
}
"""Labels of figures whose field names don't say it."""

BIN_TITLES = ("confidence", "questions", "mean confidence", "right")

BLUE, GREY = "#3b6fb6", "#8a8f98"

TextRows = list[tuple[str, ...]]


def figures(result: Evaluation) -> TextRows:
    """Return every figure that this test set has, after its label."""
    return [
        (_label(name), _number(value))
        for name, value in result.to_dict().items()
        if value is not None and name != "reliability"
    ]


def comparison(results: Sequence[Evaluation]) -> TextRows:
    """Return every figure that any of several models has, with one cell for each of them."""
    columns = [result.to_dict() for result in results]
    names = [name for name in columns[0] if name not in ("model", "reliability")]
    return [
        (_label(name), *(_cell_of(column[name]) for column in columns))
        for name in names
        if any(column[name] is not None for column in columns)
    ]


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " "))


def _cell_of(value: object) -> str:
    return "none" if value is None else _number(value)


def bins(result: Evaluation) -> TextRows:
    """Return the bins of confidence that have questions, the surest first."""
    return [
        (f"{b.start:.1f} to {b.end:.1f}", str(b.questions), _number(b.confidence), _number(b.right))
        for b in reversed(result.reliability)
        if b.questions
    ]


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def write(result: Evaluation, folder: Path, model: str = "") -> tuple[Path, Path]:
    """Write the page and the picture of a test set, and return both files. Raises OSError.

    ``model`` is in their names where several are compared.
    """
    stem = f"{result.name}-{_file_name(model)}" if model else result.name
    page, picture = (folder / f"{stem}{suffix}" for suffix in (".md", ".png"))
    _draw_reliability(result, picture)
    page.write_text(_markdown(result, picture.name), encoding="utf-8")
    return page, picture


def _file_name(model: str) -> str:
    """Return a model's name as part of a file's: of a folder or a repository its last part."""
    return Path(model).name or "model"


def _markdown(result: Evaluation, plot: str) -> str:
    """Return both tables as a page that shows the file ``plot``."""
    return "\n".join(
        [
            f"# {_cell(result.name)}",
            "",
            *_markdown_table(("figure", ""), figures(result)),
            "",
            "How often the first match was right, by how sure the bot was of it:",
            "",
            *_markdown_table(BIN_TITLES, bins(result)),
            "",
            f"![Reliability](<{plot}>)",
            "",
        ]
    )


def _markdown_table(titles: Sequence[str], rows: TextRows) -> list[str]:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return [f"| {' | '.join(map(_cell, line))} |" for line in lines]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _draw_reliability(result: Evaluation, file: Path) -> None:
    """Draw a reliability diagram (share right by confidence) above a histogram of confidences."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 6.4), layout="constrained")
    above, below = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    _draw_diagram(above, result)
    _draw_histogram(below, result)
    figure.savefig(file, dpi=150)


def _draw_diagram(axes: Axes, result: Evaluation) -> None:
    filled = [b for b in result.reliability if b.confidence is not None and b.right is not None]
    axes.plot([0, 1], [0, 1], linestyle="--", color=GREY, label="perfectly calibrated")
    axes.plot(
        [b.confidence or 0.0 for b in filled],
        [b.right or 0.0 for b in filled],
        marker="o",
        color=BLUE,
        clip_on=False,  # a bin that was never or always right lies on the edge
        label=f"measured (error {result.calibration_error:.3f})",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="first match is right")
    axes.set_title(f"{result.name}: {counted(result.queries, 'questions')}", parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")


def _draw_histogram(axes: Axes, result: Evaluation) -> None:
    starts = [b.start for b in result.reliability]
    counts = [b.questions for b in result.reliability]
    axes.bar(starts, counts, width=1 / BINS, align="edge", color=BLUE, edgecolor="white")
    lines = (("suggests", result.suggest_threshold), ("answers", result.answer_threshold))
    for name, threshold in lines:
        axes.axvline(threshold, color=GREY, linestyle=":")
        axes.annotate(
            name, (threshold, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=8, color=GREY,
        )  # fmt: skip
    axes.set(xlabel="confidence of the first match", ylabel="questions")
    axes.grid(alpha=0.3)
