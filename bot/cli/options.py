"""Options that several commands share, so that they read and behave alike."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.models import SHARED

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]

Guild = Annotated[
    int,
    typer.Option(
        "--guild",
        metavar="ID",
        min=SHARED,
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
