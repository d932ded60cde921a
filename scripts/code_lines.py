"""Count lines of code and modules by package, without comments, docstrings and blank lines.

python scripts/code_lines.py [FOLDER ...]     (by default bot and cogs)
python scripts/code_lines.py --modules [FOLDER ...]   (every module by itself)
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


def docstring_lines(text: str) -> set[int]:
    """Return the numbers of all lines that belong to docstrings."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(text: str) -> int:
    """Return how many lines of a module hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(text))


def main() -> None:
    """Print a table: package or module, modules, lines of code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("bot"), Path("cogs")])
    parser.add_argument("--modules", action="store_true")
    options = parser.parse_args()
    lines: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for folder in options.folders:
        for path in sorted(folder.rglob("*.py")):
            package = "/".join(path.parts[:2]) if len(path.parts) > 2 else path.parts[0]
            name = str(path) if options.modules else package
            lines[name] += code_lines(path.read_text(encoding="utf-8"))
            modules[name] += 1
    for name in sorted(lines):
        print(f"{name:<48}{modules[name]:>6}{lines[name]:>8}")
    print(f"{'total':<48}{modules.total():>6}{lines.total():>8}")


if __name__ == "__main__":
    main()
