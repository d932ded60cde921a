"""An empty home for each test: its own folder, no settings from outside, two threads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.kit.command_line import JSON_THREAD, PAGE, Threadwise, run


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


@pytest.fixture
def threadwise() -> Threadwise:
    """Run a command in this process: ``threadwise("ask", "why?")``."""
    return run
