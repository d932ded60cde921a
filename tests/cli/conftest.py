"""An empty home for each test: its own folder, no settings from outside, two threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.command_line import Threadwise, make_home, run
from tests.kit.library import forget_environment


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the command, with a seeds folder in it."""
    folder = make_home(tmp_path)
    monkeypatch.chdir(folder)
    forget_environment(monkeypatch)
    return folder


@pytest.fixture
def threadwise() -> Threadwise:
    """Run a command in this process: ``threadwise("ask", "why?")``."""
    return run
