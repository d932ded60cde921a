"""The tutorials' diffs fit the program: each applies to a copy, and the test it brings passes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.paths import ROOT

TUTORIALS = sorted((ROOT / "docs" / "developers" / "tutorials").glob("*.md"))
COPIED = "bot cogs docs scripts seeds tests".split()
FILES = ".env.example CONTRIBUTING.md Makefile README.md pyproject.toml".split()
MIGRATED = "test_migrated_tables_are_those_the_program_knows"
"""Run beside the tests that a diff shows, where it changes their file."""

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("COV", "GIT_"))
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project, to be changed; compiled modules too, or all would be compiled anew."""
    ignored = shutil.ignore_patterns("*.png")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def diff_of(page: Path) -> str:
    """Return the tutorial's diffs as one."""
    return "".join(re.findall(r"^```diff\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S))


def run(tree: Path, *command: str, given: str = "") -> None:
    """Run a command in the copy. Fails with what it has printed."""
    done = subprocess.run(
        command, cwd=tree, env=ENVIRONMENT, input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorials_diff_applies(page: Path) -> None:
    """Quick, so that ``make test`` tells whoever changes a line that a diff shows."""
    run(ROOT, "git", "apply", "--check", "-", given=diff_of(page))


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_followed(page: Path, tree: Path) -> None:
    diff = diff_of(page)
    brought = re.findall(r"^\+\+\+ b/(tests/\S+)$", diff, re.MULTILINE)
    assert brought, "a change has a test"
    run(tree, "git", "apply", "-", given=diff)
    modules = re.findall(r"^\+\+\+ b/(\S+\.py)$", diff, re.MULTILINE)
    for way in (["format", "--check"], ["check"]):
        run(tree, sys.executable, "-m", "ruff", *way, "--quiet", "--no-cache", *modules)
    names = " or ".join((*re.findall(r"def (test_\w+)", diff), MIGRATED))
    run(tree, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names, *brought)


def test_there_is_a_tutorial_for_each_common_change() -> None:
    assert [page.stem for page in TUTORIALS] == ["column", "command", "file-format", "setting"]
