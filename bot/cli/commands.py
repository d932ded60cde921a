"""All commands with their options; the other modules of this package do the work."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from bot import __version__, file_modes
from bot.cli import ask as ask_command
from bot.cli import doctor as doctor_command
from bot.cli import evaluate as evaluate_command
from bot.cli import exporting, forgetting, importing
from bot.cli.console import exit_code_of
from bot.cli.options import (
    AsJson,
    Columns,
    Command,
    DryRun,
    EncodingName,
    FormatName,
    Group,
    Guild,
    Limit,
    MinScore,
    NoBrowser,
    Paths,
    Port,
    Prune,
    Site,
    Tags,
    guild_id,
    guild_option,
    number,
)
from bot.models import SHARED
from bot.sources import Options
from bot.sources.charsets import named_encoding
from bot.sources.field_aliases import chosen_names
from bot.sources.formats import named_format

cli = typer.Typer(
    name="threadwise",
    cls=Group,
    help="A Discord bot that answers questions from threads people have already answered.",
    epilog="Exit codes: 0 done, 1 some input was rejected or Discord can't be reached, "
    "2 wrong usage or configuration.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; the entry point of ``threadwise``."""
    file_modes.by_default()
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


@cli.command(cls=Command)
@exit_code_of
def run() -> None:
    """Connect to Discord with [bold]DISCORD_TOKEN[/]; stop with Ctrl-C."""
    _running().run()


@cli.command(cls=Command)
@exit_code_of
def demo(port: Port = 0, no_browser: NoBrowser = False) -> None:
    """Try the bot in a simulated Discord channel in your browser; no token needed."""
    _running().demo(port, not no_browser)


@cli.command(cls=Command)
@exit_code_of
def ask(
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", help="What you want to know.")
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            metavar="N",
            parser=number(int, "a whole number from 1 to 100", 1, 100),
            help="At most so many matches, up to 100.",
        ),
    ] = 5,
    guild: Guild = SHARED,
    as_json: AsJson = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read questions from standard input, one a line.")
    ] = False,
) -> None:
    """Ask from the terminal, as a member would in a channel."""
    if stdin == (question is not None):
        raise typer.BadParameter('give either a question in quotes, or --stdin: ask "QUESTION"')
    show = ask_command.print_reply_json if as_json else ask_command.print_reply
    if question is None:
        ask_command.ask_lines(limit=limit, guild=guild, show=show)
    else:
        ask_command.ask_one(question, limit=limit, guild=guild, show=show)


@cli.command(cls=Command)
@exit_code_of
def thread(
    words: Annotated[
        str,
        typer.Argument(metavar="KEY_OR_WORDS", help="A thread's source key, or words of it."),
    ],
    guild: Guild = SHARED,
    as_json: AsJson = False,
) -> None:
    """Show a thread: the question and its answers, best first."""
    ask_command.show_thread(words, guild=guild, as_json=as_json)


@cli.command("import", cls=Command)
@exit_code_of
def import_(
    paths: Paths,
    form: FormatName = None,
    columns: Columns = "",
    encoding: EncodingName = None,
    site: Site = None,
    min_score: MinScore = None,
    tags: Tags = None,
    limit: Limit = None,
    prune: Prune = False,
    dry_run: DryRun = False,
    guild: Annotated[
        int,
        guild_option("Make them this Discord server's own.", "the shared library"),
    ] = SHARED,
) -> int:
    """Put threads into the library; what is there already is updated, its votes stay."""
    options = Options(
        format=form and named_format(form).name,
        columns=chosen_names(columns),
        site=site,
        min_score=min_score,
        tags=frozenset(tags or ()),
        limit=limit,
        encoding=None if encoding is None else named_encoding(encoding),
    )
    if dry_run:
        return importing.dry_run(paths, options)
    return importing.import_paths(paths, options, guild=guild, prune=prune)


@cli.command(cls=Command)
@exit_code_of
def export(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Where to write: a file, compressed if it ends in .gz, or a folder.",
            show_default="standard output",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="jsonl, markdown, or pages: a folder with a text page for each thread.",
            show_default="as FILE says, else jsonl",
        ),
    ] = None,
    guild: Annotated[
        int,
        guild_option("Write this Discord server's own threads.", "the shared library"),
    ] = SHARED,
) -> None:
    """Write the whole library; importing it elsewhere gives the same library."""
    exporting.export(file, form, guild)


@cli.command(cls=Command)
@exit_code_of
def backup(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Where to write; an older backup there is replaced."),
    ],
) -> None:
    """Copy the library, votes and settings into one file; the bot may be running."""
    exporting.back_up(file)


@cli.command(cls=Command)
@exit_code_of
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What [bold]backup[/] has written.")],
) -> None:
    """Put a backup in the library's place, once it is checked; stop the bot first."""
    exporting.restore(file)


@cli.command(cls=Command)
@exit_code_of
def forget(
    guild: Annotated[
        int,
        typer.Argument(
            metavar="GUILD",
            parser=guild_id(SHARED + 1),
            help="The Discord server's id.",
            show_default=False,
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking first.")] = False,
    as_json: AsJson = False,
) -> int:
    """Delete all that is kept of a Discord server; a running bot notices."""
    return forgetting.forget(guild, yes=yes, as_json=as_json)


@cli.command(cls=Command)
@exit_code_of
def evaluate(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="A folder with queries.jsonl[.gz]; with corpus.jsonl[.gz] and qrels.tsv as BEIR "
            "has them, or else questions to your own library.",
        ),
    ],
    as_json: AsJson = False,
    typos: Annotated[
        float,
        typer.Option(
            "--typos",
            metavar="F",
            parser=number(float, "a share, a number from 0 to 1", 0, 1),
            help="Misspell this share of the words longer than four letters.",
        ),
    ] = 0.0,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FOLDER",
            help="Write the tables (NAME.md) and a reliability plot (NAME.png) there.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure how well the bot finds the right thread, in a temporary library."""
    evaluate_command.evaluate(folder, typos=typos, as_json=as_json, save=save)


@cli.command(cls=Command)
@exit_code_of
def doctor() -> int:
    """Check configuration, database, index and seeds, and say what to do."""
    return doctor_command.doctor()


def _running() -> ModuleType:
    """Import ``run`` late: Discord's library takes a while to load, and few commands need it."""
    from bot.cli import run

    return run
