"""``evaluate``: how often the bot finds the thread that was meant."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bot.cli import stopping
from bot.cli.console import note, out, progress, write_json
from bot.cli.evaluation_report import markdown, tables
from bot.cli.plots import check_matplotlib, draw_reliability
from bot.errors import ConfigError
from bot.evaluation.runner import Evaluation
from bot.evaluation.runner import evaluate as measure
from bot.settings import load_settings


def evaluate(folder: Path, *, typos: float, as_json: bool, save: Path | None) -> None:
    """Measure on ``folder``, show the figures, and keep them in ``save`` if it is given.

    Raises ConfigError when there is no such folder, or nothing could be saved: before
    the measuring, which may take long.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give one with queries.jsonl in it")
    if save is not None:
        check_matplotlib()
        _check_writable(save)
    result = stopping.run(_measured(folder, typos))
    if as_json:
        write_json(result.to_dict())
    else:
        figures, reliability = tables(result)
        out().print(figures, "", reliability, sep="\n")
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
        draw_reliability(result, picture)
        page.write_text(markdown(result, picture.name), encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from None
    note(f"Wrote {page} and {picture}")


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder} can't be written ({error.strerror or error}); name another folder"
    )
