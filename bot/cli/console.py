"""How the command line speaks: data on stdout, everything else on stderr."""

from __future__ import annotations

import functools
import json
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
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import TimeElapsedColumn as Elapsed

from bot.errors import ThreadwiseError

INTERRUPTED = 130
"""What shells expect of a program that was stopped with Ctrl-C."""

P = ParamSpec("P")


def out() -> Console:
    """The console for what was asked for; plain text when it isn't a terminal.

    Lines are wrapped there too: left to run on, text in a panel or a table is cut off.
    """
    return Console(file=sys.stdout)


def err() -> Console:
    """The console for notes, warnings and progress."""
    return Console(file=sys.stderr, soft_wrap=not sys.stderr.isatty())


def note(text: str) -> None:
    """Tell something on stderr; ``text`` is shown as it is."""
    err().print(text, markup=False, highlight=False)


def complain(text: str) -> None:
    """Tell what went wrong, in one line on stderr."""
    console = err()
    console.print("error: ", style="bold red", end="", highlight=False)
    console.print(" ".join(text.split()), markup=False, highlight=False)


def warn(text: str) -> None:
    """Tell what is not as it should be, in one line on stderr."""
    console = err()
    console.print("warning: ", style="bold yellow", end="", highlight=False)
    console.print(" ".join(text.split()), markup=False, highlight=False)


def handled(function: Callable[P, int | None]) -> Callable[P, None]:
    """Make a Typer command of a function that returns its exit code (``None`` is 0).

    Expected errors end in one line and their exit code, Ctrl-C in 130; only a
    mistake of ours ends in a traceback.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = function(*args, **kwargs)
        except ThreadwiseError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            note("stopped")
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
def watching(
    what: str, look: Callable[[], tuple[str, int, int]]
) -> Iterator[Callable[[int], None]]:
    """A progress bar for work in stages; gives a function to call when more threads are done.

    ``look`` says what is being done, how much of it is done, and of how much in all (0
    while nobody knows). Shown are also the threads so far, how many a second, and the time
    left. Where stderr is not a terminal, nothing is drawn.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TextColumn("{task.fields[threads]:,} threads{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console, threads, started, stage = err(), 0, time.monotonic(), ""
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(what, total=None, threads=0, rate="")

        def advance(more: int) -> None:
            nonlocal threads, started, stage
            threads += more
            now, done, total = look()
            if now != stage:
                stage, started = now, time.monotonic()
                bars.reset(task, description=now or what, total=None)
            rate = threads / max(time.monotonic() - started, 0.1)
            bars.update(
                task,
                completed=done,
                total=total or None,
                threads=threads,
                rate=f", {rate:,.0f}/s" if threads else "",
            )

        yield advance


class Advance(Protocol):
    """Moves a progress bar on."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that ``done`` more are done, and of how many in all when that is known."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """A progress bar on stderr; gives a function that moves it on.

    Where stderr is not a terminal, nothing is drawn.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        Elapsed(),
    )
    console = err()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(what, total=total)

        def advance(done: int, total: int | None = None) -> None:
            bars.update(task, advance=done, total=total)

        yield advance
