"""Pictures of figures, with matplotlib, which only the ``plots`` extra brings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.evaluation.metrics import BINS
from bot.evaluation.runner import Evaluation
from bot.plurals import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, GREY = "#3b6fb6", "#8a8f98"


def check_matplotlib() -> None:
    """Raise ConfigError, which says how to install it, where there is no matplotlib."""
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "matplotlib is not installed, and --save draws with it: "
            "pip install 'threadwise[plots]' (in a checkout: .venv/bin/pip install -e '.[plots]')"
        )


def draw_reliability(result: Evaluation, file: Path) -> None:
    """What was right by what was claimed, and below it how often what was claimed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 6.4), layout="constrained")
    above, below = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    _diagram(above, result)
    _histogram(below, result)
    figure.savefig(file, dpi=150)


def _diagram(axes: Axes, result: Evaluation) -> None:
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


def _histogram(axes: Axes, result: Evaluation) -> None:
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
