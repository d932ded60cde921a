"""Options that several commands share, so that they read and behave alike."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bot.models import SHARED
from bot.sources.formats import FORMATS

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]

Guild = Annotated[
    int,
    typer.Option(
        "--guild",
        metavar="ID",
        min=SHARED,
        max=2**63 - 1,  # as many bits as the database has
        help="Ask as in this Discord server: its own threads and votes count too.",
        show_default="the shared library only",
    ),
]

Port = Annotated[
    int,
    typer.Option(
        "--port",
        metavar="N",
        min=0,
        max=65_535,
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
        "--limit", metavar="N", min=1, help="Only the first N threads.", show_default=False
    ),
]


class Command(TyperCommand):
    """A command whose help shows flags without the type of a value, since they take none."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options and arguments, ``--help`` included."""
        return _flags_bare(super().get_params(ctx))


class Group(TyperGroup):
    """The same for ``threadwise`` itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, ``--help`` included."""
        return _flags_bare(super().get_params(ctx))


def _flags_bare(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
