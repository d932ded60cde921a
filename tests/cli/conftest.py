"""An empty home for each test: its own folder, no settings from outside, two threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.settings import Settings

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


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the command, with a seeds folder in it."""
    folder = tmp_path / "home"
    seeds = folder / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "router.txt").write_text(PAGE, encoding="utf-8")
    (seeds / "bread.jsonl").write_text(json.dumps(JSON_THREAD) + "\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("EMBEDDING_MODEL", "off")  # tests of meaning switch it on
    return folder


Threadwise = Callable[..., Result]


@pytest.fixture
def threadwise() -> Threadwise:
    """Run a command in this process: ``threadwise("ask", "why?")``."""
    runner = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})

    def run(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
        return runner.invoke(cli, [str(a) for a in arguments], input=stdin)

    return run
