"""Modules stay short and few are passed through; each name of a class has one meaning."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from tests.kit.paths import ROOT

MODULES = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "cogs").rglob("*.py")]

LONGEST = 300
"""Lines of a module, at most: what can be read in one go."""

MOST_VISITED = {"import": 45, "question": 30}
"""Modules that the two pass through, at most: who follows one has to open so many files."""


def test_modules_are_short() -> None:
    lines = {module: len(module.read_text().splitlines()) for module in MODULES}
    assert len(lines) > 100
    assert {str(m.relative_to(ROOT)): n for m, n in lines.items() if n > LONGEST} == {}


def test_an_import_and_a_question_visit_few_modules() -> None:
    script = [sys.executable, str(ROOT / "scripts/visited_modules.py"), "--names"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {what: int(n) for what, n in re.findall(r"^(\w+): (\d+) modules$", done.stdout, re.M)}
    assert found.keys() == MOST_VISITED.keys()
    assert all(5 < count <= MOST_VISITED[what] for what, count in found.items()), done.stdout


def named(text: str) -> Iterator[str]:
    """Yield the names of a module's classes and of its aliases of types."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            yield from (name for name in names if re.fullmatch(r"_?[A-Z]\w*[a-z]\w*", name))


def test_classes_and_aliases_have_names_of_their_own() -> None:
    names = Counter(name for module in MODULES for name in named(module.read_text()))
    assert names["Thread"] == 1
    assert [name for name, count in names.items() if count > 1] == []
