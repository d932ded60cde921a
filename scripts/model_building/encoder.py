"""The graph of a BERT encoder in ONNX form, with the weights it is given.

Two kinds are known: BERT itself (Devlin et al. 2019), and MPNet (Song et al. 2020), which adds
a bias to the attention that depends on how far apart two tokens are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[np.float32]

OPSET = 20
"""The first version of ONNX's operators that has GELU."""

IR_VERSION = 10
"""The file format that ONNX Runtime reads from 1.20 on."""

OUTPUT = "last_hidden_state"

WORDS = "words.weight"
"""The constant from which the vectors of pieces are looked up."""

LOOKED_UP = "words"
"""The node that does it."""

MASKED = -10_000.0
"""What is added to the attention to padding: its exponential is 0 in 32 bits."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of an encoder, and the distance to which its attention tells positions apart."""

    hidden: int
    inner: int
    layers: int
    heads: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of an encoder.

    ``words`` has shape (pieces, hidden), ``positions`` (tokens, hidden), the layer norm's
    ``scale`` and ``offset`` (hidden,). ``layer(number, part)`` gives matrices as MatMul takes
    them, shape (in, out), and vectors, for the parts ``q k v o inner outer`` each with
    ``.weight`` and ``.bias``, and ``attention_norm``, ``output_norm`` likewise.
    ``distances`` is what MPNet adds to the attention, shape (2 * tokens - 1, heads), by the
    position of the token that is read less that of the one that reads, from ``1 - tokens`` on.
    """

    words: Array
    positions: Array
    scale: Array
    offset: Array
    layer: Callable[[int, str], Array]
    distances: Array | None = None


class _Graph:
    """Nodes and constants under construction; each output is named after its node."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))


def build(shape: Shape, weights: Weights) -> onnx.ModelProto:
    """Return the model: ``input_ids`` and ``attention_mask`` to one vector a token.

    Both inputs have shape (texts, tokens), the output (texts, tokens, hidden).
    """
    graph = _Graph()
    states = _embeddings(graph, shape, weights)
    bias = _attention_bias(graph, weights)
    _shared_constants(graph, shape)
    for number in range(shape.layers):
        states = _layer(graph, number, shape, weights, states, bias)
    graph.add("Identity", OUTPUT, states)
    integer, floating = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info(name, integer, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info(OUTPUT, floating, ["texts", "tokens", shape.hidden])
    made = helper.make_graph(graph.nodes, "encoder", inputs, [output], graph.constants)
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=versions, ir_version=IR_VERSION)


def _embeddings(graph: _Graph, shape: Shape, weights: Weights) -> str:
    """Add what the layers start from: pieces and positions, and return its name."""
    graph.add("Shape", "tokens", "input_ids", start=1, end=2)
    words = graph.add("Gather", LOOKED_UP, graph.constant(WORDS, weights.words), "input_ids")
    table = graph.constant("positions.weight", weights.positions)
    start = graph.integers("start", 0)
    positions = graph.add("Slice", "positions", table, start, "tokens", start)
    summed = graph.add("Add", "embeddings", words, positions)
    return _norm(graph, "embeddings.norm", summed, weights.scale, weights.offset, shape.epsilon)


def _attention_bias(graph: _Graph, weights: Weights) -> str:
    """Add what is added to every layer's attention, and return its name.

    Its shape is (texts, 1, 1, tokens), or (texts, heads, tokens, tokens) where distances count.
    """
    mask = graph.add("Cast", "mask", "attention_mask", to=onnx.TensorProto.FLOAT)
    absent = graph.add("Sub", "absent", graph.constant("present", np.array(1, np.float32)), mask)
    low = graph.add("Mul", "low", absent, graph.constant("masked", np.array(MASKED, np.float32)))
    bias = graph.add("Unsqueeze", "mask_bias", low, graph.integers("inner_axes", 1, 2))
    if weights.distances is None:
        return bias
    difference = _distances(graph)
    middle = graph.constant("middle", np.array(len(weights.distances) // 2, np.int64))
    index = graph.add("Add", "distance_index", difference, middle)
    table = graph.constant("distances.weight", weights.distances)
    looked_up = graph.add("Gather", "distance_bias", table, index)
    by_head = graph.add("Transpose", "distance_bias_by_head", looked_up, perm=[2, 0, 1])
    return graph.add("Add", "attention_bias", bias, by_head)


def _distances(graph: _Graph) -> str:
    """Add how far the token that is read is behind the one that reads, shape (tokens, tokens)."""
    first = graph.constant("first", np.array(0, np.int64))
    step = graph.constant("step", np.array(1, np.int64))
    places = graph.add("Range", "places", first, graph.add("Squeeze", "count", "tokens"), step)
    read = graph.add("Unsqueeze", "places_read", places, graph.integers("rows", 0))
    reading = graph.add("Unsqueeze", "places_reading", places, graph.integers("columns", 1))
    return graph.add("Sub", "distance", read, reading)


def _shared_constants(graph: _Graph, shape: Shape) -> None:
    width = shape.hidden // shape.heads
    graph.integers("split", 0, 0, shape.heads, width)
    graph.integers("join", 0, 0, shape.hidden)
    graph.constant("scale", np.array(1 / math.sqrt(width), np.float32))


def _layer(
    graph: _Graph, number: int, shape: Shape, weights: Weights, states: str, bias: str
) -> str:
    """Add one layer, and return the name of its output."""
    at = f"layer.{number}."

    def linear(part: str, given: str) -> str:
        matrix = graph.constant(f"{at}{part}.weight", weights.layer(number, f"{part}.weight"))
        product = graph.add("MatMul", f"{at}{part}.product", given, matrix)
        offset = graph.constant(f"{at}{part}.bias", weights.layer(number, f"{part}.bias"))
        return graph.add("Add", f"{at}{part}", product, offset)

    def heads(part: str, order: list[int]) -> str:
        split = graph.add("Reshape", f"{at}{part}.split", linear(part, states), "split")
        return graph.add("Transpose", f"{at}{part}.heads", split, perm=order)

    def norm(part: str, one: str, other: str) -> str:
        scale, offset = (weights.layer(number, f"{part}.{kind}") for kind in ("weight", "bias"))
        summed = graph.add("Add", f"{at}{part}.sum", one, other)
        return _norm(graph, at + part, summed, scale, offset, shape.epsilon)

    queries, keys = heads("q", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1])
    values = heads("v", [0, 2, 1, 3])
    scores = graph.add("MatMul", f"{at}scores", queries, keys)
    scaled = graph.add("Mul", f"{at}scaled", scores, "scale")
    biased = graph.add("Add", f"{at}biased", scaled, bias)
    shares = graph.add("Softmax", f"{at}shares", biased, axis=-1)
    read = graph.add("MatMul", f"{at}read", shares, values)
    by_token = graph.add("Transpose", f"{at}read.by_token", read, perm=[0, 2, 1, 3])
    joined = graph.add("Reshape", f"{at}read.joined", by_token, "join")
    attended = norm("attention_norm", linear("o", joined), states)
    active = graph.add("Gelu", f"{at}active", linear("inner", attended))
    return norm("output_norm", linear("outer", active), attended)


def _norm(graph: _Graph, name: str, given: str, scale: Array, offset: Array, epsilon: float) -> str:
    constants = graph.constant(f"{name}.weight", scale), graph.constant(f"{name}.bias", offset)
    return graph.add("LayerNormalization", name, given, *constants, epsilon=epsilon)
