"""``evaluate``: measure how often the bot finds the thread that was meant, and report it.

The report is tables on the terminal, and with ``--save`` a Markdown page and a plot, which
needs matplotlib (the extra ``plots``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from rich.text import Text

from bot.cli import runtime
from bot.cli.console import key_value_table, out, plain_table, print_note, progress, write_json
from bot.cli.options import AsJson, argument, number, option
from bot.errors import ConfigError, counted
from bot.evaluation.metrics import BINS
from bot.evaluation.runner import Evaluation
from bot.evaluation.runner import evaluate as measure
from bot.settings import load_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
"""Labels of figures whose field names don't say it."""

BIN_TITLES = ("confidence", "questions", "mean confidence", "right")

BLUE, GREY = "#3b6fb6", "#8a8f98"

TextRows = list[tuple[str, ...]]


Folder = Annotated[
    Path,
    argument(
        "FOLDER",
        "A folder with queries.jsonl[.gz]; with corpus.jsonl[.gz] and qrels.tsv as BEIR "
        "has them, or else questions to your own library.",
    ),
]

TypoShare = Annotated[
    float,
    option(
        "--typos",
        "F",
        "Misspell this share of the words longer than four letters.",
        True,
        parser=number(float, "a share, a number from 0 to 1", 0, 1),
    ),
]

SaveFolder = Annotated[
    Path | None,
    option(
        "--save",
        "FOLDER",
        "Write the tables (NAME.md) and a reliability plot (NAME.png) there.",
    ),
]


def evaluate(
    folder: Folder,
    as_json: AsJson = False,
    typos: TypoShare = 0.0,
    save: SaveFolder = None,
) -> None:
    """Measure on ``folder``, show the figures, and keep them in ``save`` if it is given.

    Raises ConfigError when there is no such folder, or nothing could be saved: before
    the measuring, which may take long.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give one with queries.jsonl in it")
    if save is not None:
        _check_matplotlib()
        _check_writable(save)
    result = runtime.run(_measured(folder, typos))
    if as_json:
        write_json(result.to_dict())
    else:
        figures = _filled(key_value_table(), _figures(result))
        out().print(figures, "", _bins_table(result), sep="\n")
    if save is not None:
        _save(result, save)


async def _measured(folder: Path, typos: float) -> Evaluation:
    with progress("Asking") as advance:
        return await measure(
            folder,
            load_settings(),
            typos=typos,
            progress=lambda _, total: advance(1, total),
        )


def _check_matplotlib() -> None:
    """Raise ConfigError, which says how to install it, where there is no matplotlib."""
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "matplotlib is not installed, and --save draws with it: "
            "pip install 'threadwise[plots]' (in a checkout: .venv/bin/pip install -e '.[plots]')"
        )


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from None


def _save(result: Evaluation, folder: Path) -> None:
    page, picture = (folder / f"{result.name}{suffix}" for suffix in (".md", ".png"))
    try:
        _draw_reliability(result, picture)
        page.write_text(_markdown(result, picture.name), encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from None
    print_note(f"Wrote {page} and {picture}")


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder} can't be written ({error.strerror or error}); name another folder"
    )


def _figures(result: Evaluation) -> TextRows:
    """Return every figure that this test set has, after its label."""
    return [
        (LABELS.get(name, name.replace("_", " ")), _number(value))
        for name, value in result.to_dict().items()
        if value is not None and name != "reliability"
    ]


def _bins(result: Evaluation) -> TextRows:
    """Return the bins of confidence that have questions, the surest first."""
    return [
        (f"{b.start:.1f} to {b.end:.1f}", str(b.questions), _number(b.confidence), _number(b.right))
        for b in reversed(result.reliability)
        if b.questions
    ]


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _bins_table(result: Evaluation) -> Table:
    table = _filled(plain_table(*BIN_TITLES), _bins(result))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _filled(table: Table, rows: TextRows) -> Table:
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _markdown(result: Evaluation, plot: str) -> str:
    """Return both tables as a page that shows the file ``plot``."""
    return "\n".join(
        [
            f"# {_cell(result.name)}",
            "",
            *_markdown_table(("figure", ""), _figures(result)),
            "",
            "How often the first match was right, by how sure the bot was of it:",
            "",
            *_markdown_table(BIN_TITLES, _bins(result)),
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
