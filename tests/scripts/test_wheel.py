"""The wheel of Threadwise, installed where nothing of the source is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.kit.paths import ROOT

MODEL_OFF = {"EMBEDDING_MODEL": "off"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network by what the lock brings."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", *options, f"--wheel-dir={folder}", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("threadwise-*.whl")
    return built


def test_the_seeds_and_all_languages_are_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    seeds = {f"bot/seeds/{file.name}" for file in (ROOT / "seeds").iterdir()}
    words = {file.relative_to(ROOT).as_posix() for file in (ROOT / "bot").rglob("*.po")}
    assert seeds <= inside
    assert words <= inside
    assert len(words) > 0


def test_installed_in_an_empty_folder_it_answers(wheel: Path, tmp_path: Path) -> None:
    packages, home = tmp_path / "packages", tmp_path / "home"
    home.mkdir()
    options = ["--no-deps", "--no-index", "--quiet", "--no-compile", f"--target={packages}"]
    command = [sys.executable, "-m", "pip", "install", *options, str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    environment = os.environ | MODEL_OFF | {"PYTHONPATH": str(packages)}
    command = [sys.executable, str(packages / "bin" / "threadwise")]
    command += ["ask", "--json", "How do I take bakc my vote?"]
    asked = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["matches"][0]["key"] == "bot-change-or-take-back-vote"
    assert "Traceback" not in asked.stderr
    assert [path.name for path in home.iterdir()] == ["data"]
