"""Write docs/hosts/options.md: what ``--help`` of each command says, 88 columns wide.

Run it after an option has changed: ``python scripts/help_page.py``. A test compares the page
with the program.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from bot.cli import cli

PAGE = Path(__file__).parents[1] / "docs" / "hosts" / "options.md"
INTRODUCTION = """# Every option

What `threadwise COMMAND --help` says of each command. What the commands do, with examples, \
stands in [Command line](command-line.md), [Import and export](import-export.md), \
[Backup and moving](backup.md) and [Measuring answers](evaluate.md).
"""


def help_of(*words: str) -> str:
    """Return the help text of the program or of one command, without spaces at line ends."""
    runner = CliRunner(env={"COLUMNS": "88", "TERMINAL_WIDTH": "88", "TERM": "dumb"})
    shown = runner.invoke(cli, [*words, "--help"], prog_name="threadwise").stdout
    return "\n".join(line.rstrip() for line in shown.strip("\n").splitlines()).strip("\n")


def page() -> str:
    """Return the whole page."""
    program: Any = typer.main.get_command(cli)
    parts = [INTRODUCTION]
    for name in program.commands:
        parts.append(f"## {name}\n\n```console\n$ threadwise {name} --help\n{help_of(name)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
