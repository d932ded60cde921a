"""Wheels that tests make, and a folder of them that pip takes for all registries."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.search.semantic.wheels import Wheel

MakeWheel = Callable[[str, dict[str, bytes]], Wheel]


def wheels_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWheel:
    """Return a function that makes a wheel in ``place``, the only one where pip looks."""
    place.mkdir()
    for name, value in (
        ("NO_INDEX", "1"),
        ("FIND_LINKS", str(place)),
        ("CONFIG_FILE", "/dev/null"),
    ):
        monkeypatch.setenv(f"PIP_{name}", value)

    def make(package: str, files: dict[str, bytes]) -> Wheel:
        name = package.replace("-", "_")
        info = f"{name}-1.0.dist-info"
        files |= {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        lines = [
            f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()},"
            for path, data in files.items()
        ]
        file = place / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for path, data in files.items():
                archive.writestr(path, data)
            archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]))
        return Wheel(package, "1.0", hashlib.sha256(file.read_bytes()).hexdigest())

    return make
