"""The command line: two files to import, and how tests run it in their own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from bot.cli import cli

PAGE = """\
How do I reset the router to factory settings?
I forgot the admin password of my router.
score:3
Accepted answer
Hold the **reset** button for ten seconds.
Upvote:5
Ask your provider to reset it remotely.
"""

JSON_THREAD = {
    "id": "bread",
    "title": "Why does my sourdough bread not rise?",
    "body": "It stays flat, whatever I do.",
    "tags": ["baking"],
    "author": "mina",
    "license": "CC BY-SA 4.0",
    "answers": [
        {"id": "a1", "body": "The starter is too young.", "score": 2, "author": "joe"},
        {"id": "a2", "body": "The kitchen is too cold.", "score": 7, "url": "https://e.org/2"},
    ],
}

Threadwise = Callable[..., Result]


def make_home(place: Path) -> Path:
    """Make a folder to run commands in, with a seeds folder that holds the two files."""
    folder = place / "home"
    seeds = folder / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "router.txt").write_text(PAGE, encoding="utf-8")
    (seeds / "bread.jsonl").write_text(json.dumps(JSON_THREAD) + "\n", encoding="utf-8")
    return folder


def run(*arguments: str | Path, stdin: str | bytes | None = None, columns: int = 100) -> Result:
    """Run a command in this process: ``run("ask", "why?")``."""
    runner = CliRunner(env={"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(cli, [str(a) for a in arguments], input=stdin)
