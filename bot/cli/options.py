"""Options of the commands: those that several share, those of ``import``, and their parsing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from bot.models import SHARED
from bot.sources.formats import FORMATS

LARGEST_ID = 2**63 - 1
"""Ids are numbers of 63 bits; larger ones fit no database."""

Number = TypeVar("Number", int, float)


def number(
    kind: Callable[[str], Number], expected: str, low: float | None = None, high: float = LARGEST_ID
) -> Callable[[Any], Number]:
    """Return a parser of numbers from ``low`` to ``high``, both included.

    It raises BadParameter, which says what is ``expected``, instead of the parser's library,
    whose words are meant for programmers.
    """

    def parse(given: Any) -> Number:
        try:
            value = kind(given)
        except ValueError:
            value = None
        if value is None or not (low is None or low <= value) or not value <= high:
            raise typer.BadParameter(f"{str(given)!r} is not {expected}")
        return value

    return parse


def guild_id(low: int) -> Callable[[Any], int]:
    """Return a parser of servers' ids; ``low`` is SHARED where the shared library counts too."""
    return number(
        int,
        "a Discord server's id, which is a number such as 1010101010101010101; to get it, switch "
        "on Settings > Advanced > Developer Mode in Discord, then right-click the server's name "
        "and choose Copy Server ID",
        low,
    )


def guild_option(help: str, default: str) -> Any:
    """Return the option ``--guild``, which says ``default`` where none is given."""
    return typer.Option(
        "--guild", metavar="ID", parser=guild_id(SHARED), help=help, show_default=default
    )


AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]

Guild = Annotated[
    int,
    guild_option(
        "Ask as in this Discord server: its own threads and votes count too.",
        "the shared library only",
    ),
]

Port = Annotated[
    int,
    typer.Option(
        "--port",
        metavar="N",
        parser=number(int, "a port, a whole number from 0 to 65535", 0, 65_535),
        help="The port of the demo on this computer.",
        show_default="any free one",
    ),
]

NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Only print the demo's address; open no browser.")
]

FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"Read them as this: {', '.join(form.name for form in FORMATS)}.",
        show_default="by their content",
    ),
]

EncodingName = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="What their text is in, such as cp1252 or gb18030; dumps say so themselves.",
        show_default="UTF-8; of tables also by their content",
    ),
]

Columns = Annotated[
    str,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN,...",
        help="Which column of a table, or key of JSON, holds what: question=Frage,answer=Antwort.",
        show_default="by their usual names",
    ),
]

Site = Annotated[
    str | None,
    typer.Option(
        "--site",
        metavar="HOST",
        help="Where a dump is from, such as history.stackexchange.com.",
        show_default="guessed from its name",
    ),
]

MinScore = Annotated[
    int | None,
    typer.Option(
        "--min-score",
        metavar="N",
        parser=number(int, "a score, a whole number such as 5 or -1", high=math.inf),
        help="Only threads with at least this score.",
        show_default=False,
    ),
]

Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Only threads with this tag; given again, also those with another.",
        show_default=False,
    ),
]

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        parser=number(int, "a whole number from 1 on", 1, math.inf),
        help="Only the first N threads.",
        show_default=False,
    ),
]


Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...",
        help="Files or folders: text pages, Markdown, tables, JSON, JSONL, Stack Exchange dumps.",
    ),
]

Prune = Annotated[
    bool,
    typer.Option("--prune", help="Retire threads from the same source that it has no longer."),
]

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only show what would be read; the library isn't touched."),
]


class Command(TyperCommand):
    """A command that names an argument too many, and whose help shows flags without a type."""

    allow_extra_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; words without quotes are the usual reason for too many."""
        extra = super().parse_args(ctx, args)
        if extra:
            raise typer.BadParameter(
                f"{extra[0]!r} is one argument too many; put words that belong together in quotes",
                ctx=ctx,
            )
        return extra

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments, ``--help`` included."""
        return _without_flag_types(super().get_params(ctx))


class Group(TyperGroup):
    """``threadwise`` itself, whose help shows flags without a type too."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments, ``--help`` included."""
        return _without_flag_types(super().get_params(ctx))


def _without_flag_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
