"""``doctor``: check the installation, the settings and the library, and say what to do."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import asdict, dataclass
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from importlib import metadata, util
from pathlib import Path

from rich.text import Text

from bot import __version__, sources
from bot.app import LibraryHealth
from bot.cli import runtime
from bot.cli.console import out, plain_table
from bot.errors import ConfigError, ThreadwiseError, counted
from bot.services.backgrounds import UNREADABLE
from bot.settings import Settings, load_settings
from bot.store.database_file import parse_url
from bot.store.server_url import is_on_server

PACKAGES = ("discord.py", "SQLAlchemy", "aiosqlite", "alembic", "tantivy", "rapidfuzz")

TOKEN = re.compile(r"\A[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}\Z", re.ASCII)
"""A Discord token: three words of base64 with dots between."""

INTENTS = (
    "to answer without being mentioned, the bot needs Message Content Intent: "
    "https://discord.com/developers/applications > Bot"
)

LOW_DISK = 500_000_000
"""Bytes free on the disk below which there is a warning."""

FULL_DISK = 20_000_000
"""Bytes free on the disk below which the database can't do its work."""


EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where to ask a server that is served at every address."""

METRICS_SECONDS = 3.0
"""Seconds within which the running bot must say whether it is ready."""


class Level(StrEnum):
    """The result of a check."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "FAIL"


STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARN: "yellow", Level.FAIL: "bold red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's list; ``text`` says what to do unless all is well."""

    name: str
    level: Level
    text: str


def doctor() -> int:
    """Check everything and show the list; 1 if a check failed, 2 if the settings are wrong."""
    table = plain_table()
    table.add_column()
    table.add_column(style="bold")
    table.add_column(overflow="fold")

    async def fill() -> int:
        code = 0
        async for check in _checks():
            table.add_row(
                Text(check.level, style=STYLES[check.level]), check.name, Text(check.text)
            )
            if check.level is Level.FAIL:
                code = max(code, 2 if check.name == "settings" else 1)
        return code

    code = runtime.run(fill())
    out().print(table)
    return code


async def _checks() -> AsyncIterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", Level.OK, f"{version}, Threadwise {__version__}")
    yield _packages()
    try:
        settings = load_settings()
    except ConfigError as error:
        yield Check("settings", Level.FAIL, str(error))
        return
    source = "and .env" if Path(".env").is_file() else "only; to change some: cp .env.example .env"
    yield Check("settings", Level.OK, f"from the environment {source}")
    yield _token(settings)
    yield Check("intents", Level.NOTE, INTENTS)
    async for check in _library(settings):
        yield check
    if settings.metrics_port:
        yield await asyncio.to_thread(_metrics, settings)
    yield _disk(settings)
    yield _seeds(settings)
    if util.find_spec("simcord") is None:
        yield Check("demo", Level.NOTE, "not installed: pip install 'threadwise[demo]'")
    else:
        yield Check("demo", Level.OK, "installed: threadwise demo")


def _packages() -> Check:
    installed, missing = [], []
    for name in PACKAGES:
        try:
            installed.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        names = ", ".join(missing)
        return Check("packages", Level.FAIL, f"missing: {names}; run: make install")
    return Check("packages", Level.OK, ", ".join(installed))


def _token(settings: Settings) -> Check:
    if settings.discord_token is None:
        text = "DISCORD_TOKEN is not set: run needs it, the demo doesn't (README.md says how)"
        return Check("token", Level.WARN, text)
    if not TOKEN.fullmatch(settings.discord_token.get_secret_value().strip()):
        text = (
            "DISCORD_TOKEN doesn't look like a bot's token; copy it whole, without quotes, "
            "from Bot > Reset Token in the developer portal"
        )
        return Check("token", Level.WARN, text)
    return Check("token", Level.OK, "set, and looks like one (Discord was not asked)")


async def _library(settings: Settings) -> AsyncIterator[Check]:
    try:
        async with runtime.open_app(settings) as app:
            health = await app.examine()
    except ThreadwiseError as error:
        yield Check("library", Level.FAIL, str(error))
        return
    server = f"{health.version}, " if is_on_server(parse_url(settings.database)) else ""
    if health.problems:
        program = "pg_restore" if server else "threadwise restore"
        text = f"{server}damaged ({'; '.join(health.problems)}); put a backup back with {program}"
        yield Check("database", Level.FAIL, f"{text}, or export and import")
    else:
        counts = ", ".join(counted(n, what) for what, n in asdict(health.counts).items())
        text = f"{server}sound, at revision {health.migration}: {counts}"
        yield Check("database", Level.OK, text)
    yield _index(health)
    yield _meaning(health)


def _index(health: LibraryHealth) -> Check:
    threads, indexed = health.counts.threads, health.indexed
    if health.not_indexed is not None:
        return Check("index", Level.FAIL, health.not_indexed)
    if health.indexing:
        text = f"another program is at it: {indexed:,} of {counted(threads, 'threads')} so far"
        return Check("index", Level.NOTE, text)
    if threads != indexed:
        text = f"holds {indexed:,} of {counted(threads, 'threads')}; delete the index folder to "
        text += "rebuild it"
        return Check("index", Level.FAIL, text)
    if health.note:
        return Check("index", Level.NOTE, f"rebuilt just now: {health.note}")
    return Check("index", Level.OK, f"agrees with the database: {counted(indexed, 'threads')}")


def _disk(settings: Settings) -> Check:
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free in {settings.data_dir}"
    if free < LOW_DISK:
        level = Level.FAIL if free < FULL_DISK else Level.WARN
        return Check("disk", level, f"{text}; make room or set DATA_DIR to another disk")
    return Check("disk", Level.OK, text)


def _metrics(settings: Settings) -> Check:
    """Ask at METRICS_PORT whether the running bot is ready."""
    host, port = settings.metrics_host, settings.metrics_port
    asked = EVERYWHERE.get(host, host)
    where = f"http://{f'[{asked}]' if ':' in asked else asked}:{port}"
    try:
        with closing(HTTPConnection(asked, port, timeout=METRICS_SECONDS)) as connection:
            connection.request("GET", "/readyz")
            reply = connection.getresponse()
            said = "; ".join(reply.read().decode(errors="replace").splitlines())
    except ConnectionRefusedError:
        return Check("metrics", Level.NOTE, f"nobody serves {where} now; threadwise run will")
    except (OSError, HTTPException) as error:
        text = f"{where} can't be asked ({error}); check METRICS_HOST and METRICS_PORT"
        return Check("metrics", Level.WARN, text)
    if reply.getheader("Server") != "Threadwise":
        text = f"another program has port {port} at {asked}; choose another METRICS_PORT"
        return Check("metrics", Level.WARN, text)
    if reply.status != 200:
        return Check("metrics", Level.WARN, f"the bot at {where} is not ready: {said}")
    return Check("metrics", Level.OK, f"the bot is ready; {where}/metrics")


def _seeds(settings: Settings) -> Check:
    folder = settings.seeds_folder
    if folder is None:
        return Check("seeds", Level.NOTE, "SEEDS_DIR is empty: no threads are loaded at the start")
    if not folder.is_dir():
        text = f"there is no folder {folder}; set SEEDS_DIR, or import threads instead"
        return Check("seeds", Level.WARN, text)
    if settings.seeds is None:
        return Check("seeds", Level.NOTE, f"{folder} is empty: no threads are loaded at the start")
    report = sources.SourceReport()
    threads = sum(1 for _ in sources.read(folder, report))
    if report.rejected:
        text = f"{len(report.rejected)} can't be read: {report.rejected[0]}"
        return Check("seeds", Level.FAIL, text)
    return Check("seeds", Level.OK, f"{counted(threads, 'threads')} in {folder}")


def _meaning(health: LibraryHealth) -> Check:
    if health.model is None:
        text = f"off: questions are matched by their words alone, because {health.no_meaning}"
        return Check("meaning", Level.NOTE, text)
    if health.unreadable:
        return Check("meaning", Level.NOTE, f"{health.model}: {UNREADABLE}")
    if health.embedded < health.counts.threads:
        there = counted(health.counts.threads, "threads have vectors")
        text = f"{health.embedded:,} of {there} of {health.model}; the running bot makes the "
        text += "others, and so does any import"
        return Check("meaning", Level.NOTE, text)
    return Check(
        "meaning", Level.OK, f"on: {counted(health.embedded, 'threads')} by {health.model}"
    )
