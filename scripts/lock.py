"""Renew the locks in requirements/: the packages of pyproject.toml by version and SHA-256.

    make lock                    what pyproject.toml has changed; all else stays as it is
    make lock ARGS=--upgrade     the newest of everything
    make lock ARGS="--upgrade-package lxml"

Each lock is for every Python and system that Threadwise supports, and names no index: pip takes
the packages from the one that it is set up for, and refuses a file whose checksum is another.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = "requirements"

LOCKS = {
    "dev": ("dev",),
    "run": ("demo", "dumps", "postgres", "semantic"),
    "words": ("demo",),
    "container": ("dumps", "postgres", "semantic"),
    "scripts": ("bench", "dumps", "fit", "models", "screenshots"),
}
"""Locks by their names, with the extras that they are for.

The first one decides, the others have the same versions: who has one may install another.
"""


def main() -> int:
    """Renew all locks; the arguments go to uv. Returns the exit code of the first that failed."""
    for name, extras in LOCKS.items():
        sources = ["pyproject.toml", *(f"--extra={extra}" for extra in extras)]
        sources.append(f"{FOLDER}/build.in")
        if name != "dev":
            sources.append(f"--constraint={FOLDER}/dev.txt")
        if code := compile_lock(name, sources):
            return code
    return compile_lock("tools", [f"{FOLDER}/tools.in"])


def compile_lock(name: str, sources: list[str]) -> int:
    """Write one lock with uv, which says what is wrong; return its exit code."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version=3.11",
    ]
    command += ["--fork-strategy=fewest", "--generate-hashes", "--custom-compile-command=make lock"]
    file = f"{FOLDER}/{name}.txt"
    done = subprocess.run(
        [*command, *sys.argv[1:], *sources, f"--output-file={file}"], cwd=ROOT, check=False
    )
    print(f"{file} was not renewed" if done.returncode else f"{file} is as it should be")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
