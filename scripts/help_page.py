"""Write docs/hosts/options.md: what ``--help`` of each command says, 88 columns wide.

Run it after a command or an option has changed: ``python scripts/help_page.py``. What the
program's own ``--help`` says goes into docs/hosts/command-line.md. Tests compare both pages
with the program.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from bot.cli import cli

HOSTS = Path(__file__).parents[1] / "docs" / "hosts"
PAGE = HOSTS / "options.md"
INTRODUCTION = """# Every option

What `threadwise COMMAND --help` says of each command. What the commands do, with examples, \
stands in [Command line](command-line.md), [Import and export](import-export.md), \
[Backup and moving](backup.md), [Choosing a model](models.md) and \
[Measuring answers](evaluate.md).
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
    for name, command in program.commands.items():
        parts.append(_part("##", name))
        parts += [_part("###", name, below) for below in getattr(command, "commands", ())]
    return "\n".join(parts)


def _part(heading: str, *words: str) -> str:
    name = " ".join(words)
    return f"{heading} {name}\n\n```console\n$ threadwise {name} --help\n{help_of(*words)}\n```\n"


def main() -> None:
    """Write both pages."""
    PAGE.write_text(page(), encoding="utf-8")
    commands = HOSTS / "command-line.md"
    before, shown, rest = commands.read_text(encoding="utf-8").partition("$ threadwise --help\n")
    _, fence, after = rest.partition("\n```")
    commands.write_text(f"{before}{shown}{help_of()}{fence}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
