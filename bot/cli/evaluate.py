"""``evaluate``: measure how often the bot finds the thread that was meant, and report it.

The report is tables on the terminal, and with ``--save`` a Markdown page and a plot, which
needs matplotlib (the extra ``plots``).
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text

from bot.cli import evaluation_page, runtime
from bot.cli.console import key_value_table, out, plain_table, print_note, progress, write_json
from bot.cli.evaluation_page import BIN_TITLES, TextRows, bins, comparison, figures
from bot.cli.options import AsJson, argument, number, option
from bot.errors import ConfigError
from bot.evaluation.runner import Evaluation, check_models
from bot.evaluation.runner import evaluate as measure
from bot.settings import Settings, load_settings

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

Models = Annotated[
    str,
    option(
        "--models",
        "A,B",
        "Compare embedding models, each named as EMBEDDING_MODEL names it.",
        "EMBEDDING_MODEL alone",
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
    models: Models = "",
    save: SaveFolder = None,
) -> None:
    """Measure on ``folder``, show the figures, and keep them in ``save`` if it is given.

    Raises ConfigError when there is no such folder or model, or nothing could be saved:
    before the measuring, which may take long.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; give one with queries.jsonl in it")
    if save is not None:
        _check_matplotlib()
        _check_writable(save)
    if models:
        results = _compare(folder, typos, _names(models), as_json)
    else:
        results = {"": _measure_alone(folder, typos, as_json)}
    if save is not None:
        for name, result in results.items():
            _save(result, save, name)


def _measure_alone(folder: Path, typos: float, as_json: bool) -> Evaluation:
    """Measure the model that is set, and show its figures."""
    result = runtime.run(_measured(folder, typos, load_settings()))
    if as_json:
        write_json(result.to_dict())
    else:
        table = _filled(key_value_table(), figures(result))
        out().print(table, "", _bins_table(result), sep="\n")
    return result


def _compare(folder: Path, typos: float, names: list[str], as_json: bool) -> dict[str, Evaluation]:
    """Measure several models one after the other, and show their figures side by side."""
    settings = load_settings()
    check_models(names, settings)
    results = {}
    for name in names:
        changed = settings.model_copy(update={"embedding_model": name})
        results[name] = runtime.run(_measured(folder, typos, changed))
    if as_json:
        write_json({"models": [{"setting": n} | r.to_dict() for n, r in results.items()]})
    else:
        out().print(_side_by_side(results))
    return results


def _names(models: str) -> list[str]:
    """Return the models of a list with commas, each once. Raises ConfigError without any."""
    names = list(dict.fromkeys(name for part in models.split(",") if (name := part.strip())))
    if not names:
        raise ConfigError("--models names none; for example: --models minilm,mpnet,off")
    return names


async def _measured(folder: Path, typos: float, settings: Settings) -> Evaluation:
    with progress("Asking") as advance:
        return await measure(
            folder,
            settings,
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


def _save(result: Evaluation, folder: Path, model: str) -> None:
    try:
        page, picture = evaluation_page.write(result, folder, model)
    except OSError as error:
        raise _unwritable(folder, error) from None
    print_note(f"Wrote {page} and {picture}")


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder} can't be written ({error.strerror or error}); name another folder"
    )


def _bins_table(result: Evaluation) -> Table:
    table = _filled(plain_table(*BIN_TITLES), bins(result))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _side_by_side(results: dict[str, Evaluation]) -> Table:
    """Return a table with a column for each model."""
    table = _filled(plain_table("", *results), comparison([*results.values()]))
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _filled(table: Table, rows: TextRows) -> Table:
    for row in rows:
        table.add_row(*map(Text, row))
    return table
