"""Without the packages of the extra ``semantic`` the bot is whole, and matches words."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.kit import programs
from tests.kit.paths import ROOT

BLOCKED = """
import sys
for name in ("fastembed", "numpy", "onnxruntime", "tokenizers", "usearch"):
    sys.modules[name] = None  # as if it were not installed
"""

EVERY_MODULE = """
import importlib, pkgutil
import bot, cogs
APART = ("bot.search.semantic.", "bot.store.migrations.env", "bot.__main__")
for package in (bot, cogs):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith(APART):
            importlib.import_module(module.name)
"""

ASK = """
from bot.cli import cli
cli(["ask", "--json", "How do I take bakc my vote?"])
"""


def run(program: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    settings = {"DATA_DIR": str(data), "SEEDS_DIR": str(ROOT / "seeds"), **settings}
    return programs.run("-c", BLOCKED + program, **settings)


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    result = run(EVERY_MODULE, tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("setting", "warnings"), [("", 1), ("off", 0)])
def test_a_question_is_answered_by_its_words(tmp_path: Path, setting: str, warnings: int) -> None:
    result = run(ASK, tmp_path, EMBEDDING_MODEL=setting)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["matches"][0]["key"] == "bot-change-or-take-back-vote"
    assert result.stderr.count("pip install 'threadwise[semantic]'") == warnings
