"""Sentence-transformers models in ONNX form: files on the disk to vectors of texts.

ONNX Runtime runs the model, ``tokenizers`` cuts the texts into word pieces.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bot.errors import ModelError
from bot.search.semantic import default_model

Vectors = NDArray[np.float32]
"""Rows of length one, shape (texts, dimensions)."""

MAX_TOKENS = 128
"""Word pieces of a text that are read, unless the model takes fewer."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model, and what its configuration says of them.

    ``pieces`` are the word pieces that the model has vectors for, where it says so.
    """

    model: Path
    tokenizer: Path
    dimensions: int
    pooling: Literal["MEAN", "CLS"] = "MEAN"
    max_tokens: int = MAX_TOKENS
    pieces: int | None = None
    question_prompt: str = ""
    text_prompt: str = ""

    def digest(self) -> str:
        """Return a sha256 over all that the vectors depend on."""
        digest = hashlib.sha256(self.pooling.encode())
        digest.update(f"{self.question_prompt}{self.text_prompt}".encode())
        weights = sorted(self.model.parent.glob("model.onnx?*"))  # kept apart from the graph
        for file in (self.model, *weights, self.tokenizer):
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


def default_files(models: Path | None = None) -> ModelFiles:
    """Return the files of the default model; ``models`` is a folder where they may be too.

    Raises ModelError when they aren't there, or a file is not the one it should be.
    """
    folder = default_model.find(models)
    return ModelFiles(folder / "model.onnx", folder / "tokenizer.json", dimensions=384)


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
    questions, texts = _prompts(folder / "config_sentence_transformers.json")
    pieces = config.get("vocab_size")
    limits = [config.get(key) for key in ("max_seq_length", "model_max_length")]
    return ModelFiles(
        model,
        tokenizer,
        config["hidden_size"],
        "CLS" if by_first else "MEAN",
        min([MAX_TOKENS, *(n for n in limits if isinstance(n, int) and n > 0)]),
        pieces if isinstance(pieces, int) else None,
        questions,
        texts,
    )


def _prompts(file: Path) -> tuple[str, str]:
    """Return what stands before questions and before texts to be found, as a folder says it."""
    prompts = _json(file).get("prompts") if file.is_file() else None
    if not isinstance(prompts, dict):
        return "", ""
    of_texts = prompts.get("document", prompts.get("passage", ""))
    return str(prompts.get("query", "")), str(of_texts)


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
    """A loaded model.

    Every text is run by itself: numbers that a model rounds to eight bits are rounded by the
    largest of the whole run, so that a text's vector would depend on those run with it.
    """

    def __init__(self, files: ModelFiles, session: onnxruntime.InferenceSession | None = None):
        """Load a model; ``session`` stands for its graph, where it is run otherwise."""
        self._session = session or _session(files.model)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._tokenizer = _tokenizer(files)
        self._pooling = files.pooling
        self._question_prompt, self._text_prompt = files.question_prompt, files.text_prompt
        self._executor = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="embedding")

    def knows(self, word: str) -> bool:
        """Return whether a lower-case word is a piece of its own to the model."""
        return self._tokenizer.token_to_id(word) is not None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts to be found, shape (texts, dimensions)."""
        return np.vstack([*self._executor.map(partial(self._vector, self._text_prompt), texts)])

    def encode_question(self, text: str) -> Vectors:
        """Return the vector of a question, shape (dimensions,)."""
        return self._vector(self._question_prompt, text)

    def _vector(self, prompt: str, text: str) -> Vectors:
        encoded = self._tokenizer.encode(prompt + text)
        ids = np.array([encoded.ids], np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        tokens = self._session.run(None, {k: v for k, v in given.items() if k in self._inputs})[0]
        pooled = tokens[0, 0] if self._pooling == "CLS" else tokens[0].mean(axis=0, dtype=float)
        vector: Vectors = (pooled / max(np.linalg.norm(pooled), 1e-12)).astype(np.float32)
        return vector


def _session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False  # it would keep 200 MB for good
    # Threads that wait for work in a loop take it from those that have some.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(model.resolve()), options, providers=["CPUExecutionProvider"]
    )


def _tokenizer(files: ModelFiles) -> Tokenizer:
    """Load a tokenizer that cuts texts off."""
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    direction = (tokenizer.truncation or {}).get("direction", "right")
    if files.pieces is not None and tokenizer.get_vocab_size() > files.pieces:
        raise ModelError(
            f"{files.tokenizer} is of another model: it has {tokenizer.get_vocab_size()} "
            f"word pieces, where {files.pieces} are expected"
        )
    tokenizer.enable_truncation(files.max_tokens, direction=direction)
    tokenizer.no_padding()
    return tokenizer
