"""The developers' pages name what there is: modules, classes, methods, make targets."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from bot.services import import_reader
from bot.store.tables import changes
from tests.kit.paths import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((DOCS / "developers").rglob("*.md"))]
NOT_OURS = {"CommonMark", "README"}
"""Names in backticks that look like classes and are none of this project's."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_module_that_is_named_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    brought = set(re.findall(r"^\+\+\+ b/(\S+)$", text, re.MULTILINE))
    for name in _spoken(text):
        for path in re.findall(r"^(?:bot|cogs|tests|scripts|docs|seeds)/[\w/.]*$", name):
            assert path in brought or (ROOT / path).exists(), f"{path} is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_class_that_is_named_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    brought = set(re.findall(r"^\+ *class (\w+)", text, re.MULTILINE))
    added = set(re.findall(r"^\+    (\w+): ", text, re.MULTILINE))
    for name in _spoken(text):
        match = re.fullmatch(r"((?:[A-Z][a-z]+)+)(?:\.([a-z]\w*))?(?:\(.*\))?", name)
        if match is None or match[1] in NOT_OURS | brought:
            continue
        assert match[1] in _classes(), f"there is no class {match[1]}"
        members = _classes()[match[1]] | added
        assert match[2] is None or match[2] in members, f"there is no {name}"


def test_every_module_that_people_meet_is_named_on_a_page() -> None:
    """A stranger finds the place of a change from the pages alone."""
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    here = [p for folder in ("bot", "bot/services", "bot/ui") for p in (ROOT / folder).glob("*.py")]
    modules = [path for path in (*here, *(ROOT / "cogs").rglob("*.py")) if path.stem[0] != "_"]
    assert modules
    # A page names a module in full, or by its name beside its package's.
    lost = [str(path.relative_to(ROOT)) for path in modules if path.name not in pages]
    assert not lost


def test_the_targets_shown_are_those_of_make() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    page = (DOCS / "developers" / "index.md").read_text(encoding="utf-8")
    assert f"$ make help\n{shown.stdout.strip()}\n```" in page


def test_the_change_feed_shown_has_the_columns_of_its_table() -> None:
    page = (DOCS / "developers" / "change-feed.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(changes.c.keys())


def test_the_size_of_an_imports_batches_is_the_one_in_force() -> None:
    page = (DOCS / "hosts" / "import-export.md").read_text(encoding="utf-8")
    assert f"batches of {import_reader.THREADS_A_BATCH:,} threads" in page


def test_the_glossary_names_each_word_once() -> None:
    page = (DOCS / "developers" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", page, re.MULTILINE)
    assert words
    assert len(words) == len(set(words))
    sections = [
        re.findall(r"^\| \*\*(.+?)\*\* \|", part, re.MULTILINE) for part in page.split("\n## ")
    ]
    for section in sections:
        assert section == sorted(section, key=str.casefold)


def _spoken(text: str) -> list[str]:
    """Return what stands in backticks outside of fences."""
    prose = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


@cache
def _classes() -> dict[str, set[str]]:
    """Return the methods and attributes of every class of the program, by the class's name."""
    classes = defaultdict[str, set[str]](set)
    for folder in ("bot", "cogs", "tests/kit"):
        for module in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    classes[node.name] |= {
                        each.name
                        for each in node.body
                        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
                    } | {
                        each.target.id
                        for each in node.body
                        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
                    }
    return classes
