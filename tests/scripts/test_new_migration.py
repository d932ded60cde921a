"""``make migration``, and what a setting of guilds takes: its declaration and a migration."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from bot.guild_settings import GuildSettings
from bot.settings_commands import COMMANDS
from bot.store import migrations
from bot.store.database import Database
from bot.store.tables import guild_settings
from tests.kit.paths import ROOT

VERSIONS = Path("bot/store/migrations/versions")
HEAD = ScriptDirectory.from_config(migrations.config()).get_current_head() or ""
NEXT = f"{int(HEAD) + 1:04}"

FIELD = "    greeting_seconds: int = Field(default=7, ge=0, le=60)\n"
COMMAND = """
    SettingsCommand(
        name="greeting",
        help="Say how long I wait",
        options=(Option("greeting_seconds", "seconds", "Seconds to wait"),),
        label="Greeting",
        on_card=lambda now: f"after {now.greeting_seconds} s",
        reply=lambda now: f"I wait {now.greeting_seconds} s.",
        refusal="Seconds are whole numbers from 0 to 60.",
    ),
)


def refusal_of("""

USE_IT = """
import asyncio, sys
from pathlib import Path
from unittest.mock import MagicMock
from bot.errors import ConfigError
from bot.services.guilds import Guilds
from bot.settings import Settings
from bot.store.database import Database
from bot.ui.moderator_cards import settings_card
from cogs.settings import SettingsCog as Cog

async def main():
    settings = Settings(_env_file=None)
    database = await Database.open("sqlite+aiosqlite:///" + sys.argv[1])
    guilds = Guilds(database, settings)
    print((await guilds.settings(5)).greeting_seconds)
    print((await guilds.update(5, greeting_seconds=9)).greeting_seconds)
    fresh = await Guilds(database, settings).settings(5)
    print([f.value for f in settings_card(fresh, [], []).embed.fields if f.name == "Greeting"])
    try:
        await guilds.update(5, greeting_seconds=61)
    except ConfigError as error:
        print(error)
    command = Cog(MagicMock()).app_command.get_command("greeting")
    seconds = command.get_parameter("seconds")
    print(command.description, seconds.description, seconds.required, seconds.max_value)
    reset = dict.fromkeys(type(fresh).model_fields)
    print((await guilds.update(5, **reset)).greeting_seconds)
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the program that may be changed; compiled, as compiling takes a second or two."""
    for name in ("bot", "cogs", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def run(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def migration(copy: Path, name: str) -> str:
    """The text of the migration that is begun."""
    done = run(copy, "-m", "scripts.new_migration", name)
    assert done.returncode == 0, done.stderr
    (file,) = (copy / VERSIONS).glob(f"{NEXT}_*.py")
    return file.read_text(encoding="utf-8")


def test_a_migration_has_the_next_number_and_follows_the_last(copy: Path) -> None:
    text = migration(copy, "Nothing yet, but soon")
    assert (copy / VERSIONS / f"{NEXT}_nothing_yet_but_soon.py").is_file()
    assert text.startswith('"""Nothing yet, but soon.\n')
    assert f"revision = '{NEXT}'\ndown_revision = '{HEAD}'\n" in text
    assert "def upgrade() -> None:" in text


def test_a_migration_must_say_what_it_does(copy: Path) -> None:
    done = run(copy, "-m", "scripts.new_migration", " - ")
    assert done.returncode == 2
    assert 'make migration NAME="' in done.stderr
    assert not list((copy / VERSIONS).glob(f"{NEXT}_*.py"))


def test_a_setting_takes_its_declaration_and_a_migration(copy: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.db"
    asyncio.run(make_library(library))  # by the program without the setting
    field = "    learn_phrasings: bool = True\n"
    replace(copy / "bot/guild_settings.py", field, field + FIELD)
    replace(copy / "bot/settings_commands.py", "\n)\n\n\ndef refusal_of(", COMMAND)

    added = migration(copy, "Add how long the bot waits")
    assert "greeting_seconds" in added
    assert added.count("sa.Column(") == 1

    done = run(copy, "-c", USE_IT, str(library), GREETING_SECONDS="8")
    assert done.stdout.splitlines() == [
        "8",  # the host's
        "9",
        "['after 9 s']",
        "Seconds are whole numbers from 0 to 60.",
        "Say how long I wait Seconds to wait True 60",
        "8",
    ], done.stderr
    with closing(sqlite3.connect(library)) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert revision == (NEXT,)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


async def make_library(path: Path) -> None:
    await (await Database.open(f"sqlite+aiosqlite:///{path}")).close()


def test_every_setting_has_a_column_and_one_option() -> None:
    options = [option.setting for command in COMMANDS for option in command.options]
    assert sorted(options) == sorted(GuildSettings.model_fields)
    assert guild_settings.c.keys() == ["guild_id", *GuildSettings.model_fields]
