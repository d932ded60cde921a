"""``forget``: delete all that is kept of one Discord server."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer

from bot.app import App
from bot.cli import stopping
from bot.cli.console import note, write_json
from bot.errors import ConfigError, NotFound
from bot.plurals import counted
from bot.services.guild_removal import GuildData
from bot.settings import load_settings
from bot.store.database import exists


def forget(guild: int, *, yes: bool, as_json: bool) -> int:
    """Delete what is kept of a server, once it is confirmed; 1 if the person says no.

    Raises NotFound when nothing is kept of it, ConfigError when nobody can be asked.
    """
    return stopping.run(_forget(guild, yes, as_json))


async def _forget(guild: int, yes: bool, as_json: bool) -> int:
    settings = load_settings()
    nothing = NotFound(f"nothing is kept of the server {guild}")
    if not exists(settings.database):
        raise nothing
    app = await App.open(settings)
    try:
        found = await app.guild_removal.figures(guild)
        if not found.rows:
            raise nothing
        stays = await app.guild_removal.is_member(guild)
        if not yes and not _confirmed(guild, found):
            note("nothing was deleted")
            return 1
        await app.guild_removal.forget(guild)
    finally:
        await app.close()
    if as_json:
        write_json({"guild": guild} | _shown(found))
    else:
        note(f"Deleted of the server {guild}: {_counted(found)}.")
    if stays:
        note("The bot is still in that server, as far as is known, and begins anew there.")
    return 0


def _confirmed(guild: int, found: GuildData) -> bool:
    if not _can_ask():
        raise ConfigError("there is nobody to ask whether to delete; add --yes to do it unasked")
    note(f"Of the server {guild} there are {_counted(found)}.")
    return typer.confirm("Delete all of it for good?", err=True)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _shown(found: GuildData) -> dict[str, int | bool]:
    return {name: value for name, value in asdict(found).items() if name != "rows"}


def _counted(found: GuildData) -> str:
    names = ("threads of its own", "votes", "phrasings", "postings")
    counts = (found.threads, found.votes, found.phrasings, found.postings)
    told = map(counted, counts, names)
    return ", ".join(told) + (", and settings" if found.settings else "")
