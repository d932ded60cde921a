"""List the locked packages that have newer versions, and those with known vulnerabilities.

    make outdated

The vulnerabilities are those that PyPI knows, by pip-audit; those that OSV knows, with
``make outdated ARGS=--vulnerability-service=osv``. Exit code 1 if there are any.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("dev", "scripts")
"""Two locks that hold all packages of the others."""


def main() -> int:
    """Print both lists; the arguments go to pip-audit."""
    environment = ROOT / ".venv"
    listed = _json("uv", "pip", "list", "--outdated", "--format=json", f"--python={environment}")
    print(newer(listed) if listed is not None else "What is outdated can't be told just now.")
    locks = [f"--requirement={ROOT / 'requirements' / name}.txt" for name in LOCKS]
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"]
    report = _json("pip_audit", *options, *locks, *sys.argv[1:])
    if report is None:
        print("Which vulnerabilities are known can't be told just now.")
        return 0
    text, found = vulnerable(report["dependencies"])
    print(text)
    return int(found)


def newer(packages: list[dict[str, str]]) -> str:
    """Return a list of packages with the versions that there are and the newest."""
    lines = [f"  {p['name']} {p['version']}, newest {p['latest_version']}" for p in packages]
    return "\n".join([f"Outdated in .venv: {len(lines)}", *lines])


def vulnerable(packages: list[dict[str, Any]]) -> tuple[str, bool]:
    """Return a list of known vulnerabilities, and whether there are any."""
    lines = [
        f"  {p['name']} {p['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions'])}"
        if flaw["fix_versions"]
        else f"  {p['name']} {p['version']}: {flaw['id']}, not mended yet"
        for p in packages
        for flaw in p.get("vulns", [])
    ]
    unknown = sum("skip_reason" in p for p in packages)
    known = len(packages) - unknown
    text = [f"Packages looked up for known vulnerabilities: {known}, found: {len(lines)}", *lines]
    if unknown:
        text.append(f"Packages of which the index doesn't tell: {unknown}")
    return "\n".join(text), bool(lines)


def _json(module: str, *arguments: str) -> Any:
    """Run a module that writes JSON; None, once its errors are printed, where it writes none."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.stderr.buffer.write(done.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())
