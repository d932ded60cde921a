"""``forget``: delete all that is kept of one Discord server."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from bot.cli import runtime
from bot.cli.console import print_note, write_json
from bot.cli.options import AsJson, argument, guild_id
from bot.errors import ConfigError, NotFound, counted
from bot.models import SHARED
from bot.services.guild_removal import GuildData
from bot.settings import load_settings
from bot.store.database_file import exists


def forget(
    guild: Annotated[
        int, argument("GUILD", "The Discord server's id.", parser=guild_id(SHARED + 1))
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking first.")] = False,
    as_json: AsJson = False,
) -> int:
    """Delete what is kept of a server, once it is confirmed; 1 if the person says no.

    Raises NotFound when nothing is kept of it, ConfigError when nobody can be asked.
    """
    return runtime.run(_forget(guild, yes, as_json))


async def _forget(guild: int, yes: bool, as_json: bool) -> int:
    settings = load_settings()
    nothing = NotFound(f"nothing is kept of the server {guild}")
    if not exists(settings.database):
        raise nothing
    async with runtime.open_app(settings) as app:
        data = await app.guild_removal.count(guild)
        if not data.rows:
            raise nothing
        stays = await app.guild_removal.is_member(guild)
        if not yes and not _confirmed(guild, data):
            print_note("nothing was deleted")
            return 1
        await app.guild_removal.forget(guild)
    if as_json:
        figures = {name: value for name, value in asdict(data).items() if name != "rows"}
        write_json({"guild": guild} | figures)
    else:
        print_note(f"Deleted of the server {guild}: {_counts(data)}.")
    if stays:
        print_note("The bot is still in that server, as far as is known, and begins anew there.")
    return 0


def _confirmed(guild: int, data: GuildData) -> bool:
    if not _can_ask():
        raise ConfigError("there is nobody to ask whether to delete; add --yes to do it unasked")
    print_note(f"Of the server {guild} there are {_counts(data)}.")
    return typer.confirm("Delete all of it for good?", err=True)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _counts(data: GuildData) -> str:
    names = ("threads of its own", "votes", "phrasings", "postings")
    counts = (data.threads, data.votes, data.phrasings, data.postings)
    return ", ".join(map(counted, counts, names)) + (", and settings" if data.settings else "")
