"""Options that several commands share, and the parsing of numbers and ids."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from bot.models import SHARED

LARGEST_ID = 2**63 - 1
"""Ids are numbers of 63 bits; larger ones fit no database."""

Number = TypeVar("Number", int, float)


def number(
    kind: Callable[[str], Number], expected: str, low: float = -math.inf, high: float = math.inf
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
        if value is None or not low <= value <= high:
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
        LARGEST_ID,
    )


def argument(metavar: str, help: str, default: str | bool = False, **how: Any) -> Any:
    """Return an argument of a command; ``default`` is what its help says of its default."""
    return typer.Argument(metavar=metavar, help=help, show_default=default, **how)


def option(name: str, metavar: str, help: str, default: str | bool = False, **how: Any) -> Any:
    """Return an option of a command that takes a value; ``default`` as for ``argument``."""
    return typer.Option(name, metavar=metavar, help=help, show_default=default, **how)


def guild_option(help: str, default: str) -> Any:
    """Return the option ``--guild``."""
    return option("--guild", "ID", help, default, parser=guild_id(SHARED))


AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]

Guild = Annotated[
    int,
    guild_option(
        "Ask as in this Discord server: its own threads and votes count too.",
        "the shared library only",
    ),
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


class CommandGroup(TyperGroup):
    """``threadwise`` itself, whose help shows flags without a type too."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments, ``--help`` included."""
        return _without_flag_types(super().get_params(ctx))


def _without_flag_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
