"""Output of the command line: data on stdout, everything else on stderr."""

from __future__ import annotations

import functools
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, Protocol

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from bot.cli import json_lines
from bot.errors import ThreadwiseError, counted

INTERRUPTED = 130
"""Exit code that shells expect of a program that was stopped with Ctrl-C (128 + SIGINT)."""

log = logging.getLogger(__name__)

P = ParamSpec("P")


def out() -> Console:
    """Return the console for what was asked for; plain text when it isn't a terminal.

    Lines are wrapped there too: left to run on, text in a panel or a table is cut off.
    """
    return Console(file=sys.stdout)


def err() -> Console:
    """Return the console for notes, warnings and progress."""
    return Console(file=sys.stderr, soft_wrap=not sys.stderr.isatty())


def print_note(text: str) -> None:
    """Print a text on stderr as it is; where the log is JSON, as a line of it."""
    if json_lines.are_in_force():
        log.info("%s", text)
    else:
        err().print(text, markup=False, highlight=False)


def print_error(text: str) -> None:
    """Print what went wrong, in one line on stderr."""
    _print_labelled("error: ", "bold red", text, logging.ERROR)


def print_warning(text: str) -> None:
    """Print what is not as it should be, in one line on stderr."""
    _print_labelled("warning: ", "bold yellow", text, logging.WARNING)


def _print_labelled(label: str, style: str, text: str, level: int) -> None:
    if json_lines.are_in_force():
        log.log(level, "%s", " ".join(text.split()))
        return
    console = err()
    console.print(label, style=style, end="", highlight=False)
    console.print(" ".join(text.split()), markup=False, highlight=False)


def plain_table(*titles: str) -> Table:
    """Return a table without lines; without ``titles`` there is no header, nor any column yet."""
    return Table(*titles, box=None, show_header=bool(titles), padding=(0, 2, 0, 0))


def key_value_table() -> Table:
    """Return a table of names, in bold, and figures."""
    table = plain_table()
    table.add_column(style="bold")
    table.add_column(justify="right")
    return table


def exit_code_of(function: Callable[P, int | None]) -> Callable[P, None]:
    """Make a Typer command of a function that returns its exit code (``None`` is 0).

    Expected errors end in one line and their exit code, Ctrl-C in 130; only a
    mistake of ours ends in a traceback.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = function(*args, **kwargs)
        except ThreadwiseError as error:
            print_error(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            print_note("stopped")
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(code or 0)

    return run


def write_json(value: Any) -> None:
    """Write ``value`` to stdout as one line of JSON, at once.

    Where stdout is not UTF-8, other characters are escaped, so nothing is lost.
    """
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=ascii_only) + "\n")
    sys.stdout.flush()


@contextmanager
def staged_progress(
    what: str, look: Callable[[], tuple[str, int, int]]
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar for work in stages; yields a function that counts threads done.

    ``look`` returns what is being done, how much of it is done, and of how much in all (0
    while nobody knows). Shown are also the threads so far, how many a second, and the time
    left. Where stderr is not a terminal, nothing is drawn.
    """
    threads, started, stage = 0, time.monotonic(), ""
    columns = (
        TaskProgressColumn(),
        TextColumn("{task.fields[threads]}{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with _progress_bar(what, None, *columns, threads="0 threads", rate="") as (bar, task):

        def advance(more: int) -> None:
            nonlocal threads, started, stage
            threads += more
            now, done, total = look()
            if now != stage:
                stage, started = now, time.monotonic()
                bar.reset(task, description=now or what, total=None)
            rate = threads / max(time.monotonic() - started, 0.1)
            bar.update(
                task,
                completed=done,
                total=total or None,
                threads=counted(threads, "threads"),
                rate=f", {rate:,.0f}/s" if threads else "",
            )

        yield advance


class Advance(Protocol):
    """A function that moves a progress bar on."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Count ``done`` more, of ``total`` when that is known."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Show a progress bar on stderr; yields a function that moves it on.

    Where stderr is not a terminal, nothing is drawn.
    """
    with _progress_bar(what, total, MofNCompleteColumn(), TimeElapsedColumn()) as (bar, task):

        def advance(done: int, total: int | None = None) -> None:
            bar.update(task, advance=done, total=total)

        yield advance


@contextmanager
def _progress_bar(
    what: str, total: int | None, *columns: ProgressColumn, **fields: Any
) -> Iterator[tuple[Progress, TaskID]]:
    console, text = err(), TextColumn("{task.description}")
    with Progress(
        SpinnerColumn(),
        text,
        BarColumn(bar_width=30),
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        yield bar, bar.add_task(what, total=total, **fields)
