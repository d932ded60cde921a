"""Modules stay short, and an import or a question passes through few of them."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.kit.paths import ROOT

LONGEST = 300
MOST_VISITED = {"import": 45, "question": 30}


def test_modules_are_short() -> None:
    modules = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "cogs").rglob("*.py")]
    lines = {module: len(module.read_text().splitlines()) for module in modules}
    assert len(lines) > 100
    assert {str(m.relative_to(ROOT)): n for m, n in lines.items() if n > LONGEST} == {}


def test_an_import_and_a_question_visit_few_modules() -> None:
    script = [sys.executable, str(ROOT / "scripts/visited_modules.py"), "--names"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {what: int(n) for what, n in re.findall(r"^(\w+): (\d+) modules$", done.stdout, re.M)}
    assert found.keys() == MOST_VISITED.keys()
    assert all(5 < count <= MOST_VISITED[what] for what, count in found.items()), done.stdout
