"""Texts to vectors of length one, by the model that ``EMBEDDING_MODEL`` names.

The default model is there since ``threadwise model fetch``: nothing is downloaded at run time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bot.errors import ModelError
from bot.search.semantic.default_model import NAME as DEFAULT_NAME
from bot.search.semantic.onnx_model import (
    ModelFiles,
    OnnxModel,
    Vectors,
    default_files,
    files_in,
)

if TYPE_CHECKING:
    from fastembed import TextEmbedding

__all__ = ["Embedder", "Model", "Vectors", "from_folder", "load"]

BUILT = ("mpnet", "multilingual")
"""Models that ``make model`` builds."""

DEFAULT_SETTINGS = ("", "minilm")
"""Settings that mean the default model."""

READINGS = 3
"""How often the files of a model are read, when they are replaced at the same time."""


class Model(Protocol):
    """A model as the embedder uses it."""

    def knows(self, word: str) -> bool:
        """Return whether a lower-case word is a piece of its own to the model."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts to be found; each depends on its own text alone."""

    def encode_question(self, text: str) -> Vectors:
        """Return the vector of a question, shape (dimensions,)."""


class Embedder:
    """A loaded model; ``name`` tells its vectors from those of every other."""

    def __init__(self, name: str, model: Model, dimensions: int):
        self.name = name
        self.dimensions = dimensions
        self._model = model
        numbers = self.question("Does it work?").shape[0]
        if numbers != dimensions:
            raise ModelError(
                f"{name} gives vectors of {numbers} numbers where {dimensions} were expected"
            )

    def knows(self, word: str) -> bool:
        """Return whether a lower-case word is one that the model has learnt as a whole."""
        return self._model.knows(word)

    def question(self, text: str) -> Vectors:
        """Return the vector of a question, shape (dimensions,). Raises ModelError."""
        with self._explained():
            return self._model.encode_question(text)

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts to be found. Raises ModelError."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        with self._explained():
            return self._model.encode(texts)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Name the model in every error of the libraries that run it."""
        try:
            yield
        except Exception as error:  # ONNX Runtime and tokenizers raise types of their own
            raise ModelError(f"{self.name} fails: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def load(setting: str, cache: Path) -> Embedder:
    """Load the model that ``EMBEDDING_MODEL`` names: the default, a folder, or one of fastembed's.

    Only the last kind is downloaded, into ``cache``. A loaded model is kept. Raises ModelError
    that says what is wrong with it.
    """
    try:
        if setting.lower() in DEFAULT_SETTINGS:
            return _from_files(DEFAULT_NAME, lambda: default_files(cache))
        folder = Path(setting).expanduser()
        if folder.is_dir():
            return from_folder(folder)
        if setting in BUILT:
            raise ModelError(f"{setting} isn't built yet; in a checkout: make model NAME={setting}")
        return _from_fastembed(setting, cache)
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime and tokenizers raise types of their own
        name = setting or DEFAULT_NAME
        raise ModelError(f"{name} can't be loaded: {_first_line(error)}") from error


def from_folder(folder: Path) -> Embedder:
    """Load the model of a sentence-transformers folder. Raises ModelError."""
    return _from_files(folder.name, lambda: files_in(folder))


def _from_files(name: str, find: Callable[[], ModelFiles]) -> Embedder:
    """Load a model from its files; once more, when they are replaced meanwhile."""
    for _ in range(READINGS):
        files = find()
        digest = files.digest()
        embedder = _loaded(name, files, digest)
        if files.digest() == digest:
            return embedder
        _loaded.cache_clear()
    raise ModelError(f"the files of {name} change while they are read")


@functools.lru_cache(maxsize=2)
def _loaded(name: str, files: ModelFiles, digest: str) -> Embedder:
    return Embedder(f"{name[:50]}@{digest[:12]}", OnnxModel(files), files.dimensions)


@functools.lru_cache(maxsize=2)
def _from_fastembed(name: str, cache: Path) -> Embedder:
    try:
        from fastembed import TextEmbedding
    except ModuleNotFoundError:
        raise ModelError(
            f"{name} is no folder, and models by name need fastembed; "
            "to have it: pip install 'threadwise[fastembed]'"
        ) from None
    known = {m["model"].lower(): m for m in TextEmbedding.list_supported_models()}
    description = known.get(name.lower())
    if description is None:
        raise ModelError(f"{name} is neither a folder nor a model that fastembed knows")
    model = TextEmbedding(description["model"], cache_dir=str(cache), enable_cpu_mem_arena=False)
    return Embedder(description["model"], _FastembedModel(model), description["dim"])


class _FastembedModel:
    """A model that fastembed downloaded and runs."""

    def __init__(self, model: TextEmbedding):
        self._model = model
        self._around = model.token_count("")  # the tokens that stand around every text

    def knows(self, word: str) -> bool:
        """Return whether a word is one token."""
        return self._model.token_count(word) == self._around + 1

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts to be found, each run by itself as ``OnnxModel`` does."""
        vectors = list(self._model.passage_embed(list(texts), batch_size=1))
        return np.asarray(vectors, np.float32)

    def encode_question(self, text: str) -> Vectors:
        """Return the vector of a question; some models have a form of their own for it."""
        return np.asarray(next(iter(self._model.query_embed(text))), np.float32)
