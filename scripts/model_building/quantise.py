"""Eight bits and four bits for the weights of an encoder in ONNX form."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from model_building.encoder import LOOKED_UP, WORDS

BLOCK = 32
"""Weights that share a scale."""

ACCURACY_8_BIT = 4
"""ONNX Runtime's level that quantises the other factor to eight bits too, in blocks of a row.

So what a row becomes depends on that row alone, and a text's vector on no other text.
"""

Packed = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Numbers of a matrix as MatMulNBits takes them, shape (out, blocks, bytes), and their scales."""


def blocks_of_8_bits(matrix: NDArray[np.float32]) -> Packed:
    """Return a matrix of shape (in, out) as MatMulNBits takes it: numbers about 128."""
    rows = matrix.T.reshape(matrix.shape[1], -1, BLOCK)
    scales = np.abs(rows).max(axis=2, keepdims=True) / 127
    numbers = np.rint(rows / np.where(scales == 0, 1, scales)) + 128
    return numbers.astype(np.uint8), scales.reshape(-1).astype(np.float32)


def use_blocks(
    model: onnx.ModelProto, names: Collection[str], packed: Callable[[str], Packed], bits: int
) -> None:
    """Replace every MatMul by one of these constants, of shape (in, out), by a MatMulNBits."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in names:
            continue
        matrix = constants[node.input[1]]
        made = helper.make_node(
            "MatMulNBits",
            [node.input[0], f"{matrix.name}.numbers", f"{matrix.name}.scales"],
            list(node.output),
            node.name,
            domain="com.microsoft",
            K=matrix.dims[0],
            N=matrix.dims[1],
            bits=bits,
            block_size=BLOCK,
            accuracy_level=ACCURACY_8_BIT,
        )
        numbers, scales = packed(matrix.name)
        tensors = (
            numpy_helper.from_array(numbers, made.input[1]),
            numpy_helper.from_array(scales, made.input[2]),
        )
        model.graph.initializer.extend(tensors)
        model.graph.initializer.remove(matrix)
        node.CopyFrom(made)


def use_8_bits_a_column(model: onnx.ModelProto, file: Path) -> onnx.ModelProto:
    """Return the model with the matrices of its other MatMuls in 8 bits, a scale a column.

    The other factor is quantised when the model runs, by the largest number in all of it. The
    weights are unsigned, as that factor is: products of unsigned and signed bytes are added in
    sixteen bits by processors without VNNI, and overflow. ``file`` is written and left.
    """
    quantize_dynamic(
        model,
        file,
        weight_type=QuantType.QUInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul"],
        extra_options={"DefaultTensorType": TensorProto.FLOAT},  # behind MatMulNBits it can't tell
    )
    return onnx.load(file)


def use_8_bits_for_words(model: onnx.ModelProto) -> None:
    """Look words up in 8 bits: a scale for each piece of the vocabulary."""
    words = next(tensor for tensor in model.graph.initializer if tensor.name == WORDS)
    values = numpy_helper.to_array(words)
    scales = np.maximum(np.abs(values).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
    numbers = np.rint(values / scales).astype(np.int8)
    _look_up(model, words, numpy_helper.from_array(numbers, WORDS), scales, _scaled)


def use_4_bits_for_words(
    model: onnx.ModelProto, packed: NDArray[np.uint8], scales: NDArray[np.float32]
) -> None:
    """Look words up in blocks of 4 bits, as they are: numbers from 0 to 15 about 8."""
    words = next(tensor for tensor in model.graph.initializer if tensor.name == WORDS)
    signed = packed ^ 0x88  # both halves of a byte, less 8, as two's complement
    tensor = helper.make_tensor(
        WORDS, TensorProto.INT4, list(words.dims), signed.tobytes(), raw=True
    )
    _look_up(model, words, tensor, scales, _in_blocks)


def _scaled(scales: str) -> list[onnx.NodeProto]:
    """Return the nodes that look numbers and their scale up, and multiply them."""
    return [
        helper.make_node("Gather", [WORDS, "input_ids"], ["words.numbers"]),
        helper.make_node("Cast", ["words.numbers"], ["words.cast"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [scales, "input_ids"], ["words.scale"]),
        helper.make_node("Mul", ["words.cast", "words.scale"], [LOOKED_UP]),
    ]


def _in_blocks(scales: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node(
            "GatherBlockQuantized",
            [WORDS, "input_ids", scales],
            [LOOKED_UP],
            domain="com.microsoft",
            gather_axis=0,
            quantize_axis=1,
            block_size=BLOCK,
        )
    ]


def _look_up(
    model: onnx.ModelProto,
    words: onnx.TensorProto,
    numbers: onnx.TensorProto,
    scales: NDArray[np.float32],
    nodes: Callable[[str], list[onnx.NodeProto]],
) -> None:
    """Replace the constant ``words`` and the node that looks it up."""
    graph = model.graph
    graph.initializer.remove(words)
    graph.initializer.extend([numbers, numpy_helper.from_array(scales, "words.scales")])
    at = next(i for i, node in enumerate(graph.node) if list(node.output) == [LOOKED_UP])
    del graph.node[at]
    for number, node in enumerate(nodes("words.scales")):
        graph.node.insert(at + number, node)
