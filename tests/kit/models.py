"""The usual model in tests: on one thread, and each text is run once in a process."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bot.search.semantic import embedder
from bot.search.semantic.embedder import Embedder, Model, Vectors


@contextmanager
def one_thread() -> Iterator[None]:
    """Give each model that is loaded meanwhile one thread.

    Others spin while they wait for work, which takes the processor from the tests beside.
    """
    made = onnxruntime.SessionOptions

    def options() -> onnxruntime.SessionOptions:
        new = made()
        new.intra_op_num_threads = 1
        return new

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxruntime, "SessionOptions", options)
        yield


@contextmanager
def remembered() -> Iterator[None]:
    """Load the usual model once, whatever the data folder, and give it a memory of its vectors."""
    load = embedder.load

    @functools.cache
    def usual() -> Embedder:
        found = copy.copy(load("", Path("never-used")))  # it isn't downloaded
        found._model = RememberingModel(found._model)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedder, "load", lambda name, cache: load(name, cache) if name else usual())
        yield


class RememberingModel:
    """A model that runs no text twice."""

    def __init__(self, model: Model):
        self._model = model
        self._texts: dict[str, Vectors] = {}
        self._questions: dict[str, Vectors] = {}

    def knows(self, word: str) -> bool:
        return self._model.knows(word)

    def encode(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if new:
            self._texts.update(zip(new, self._model.encode(new), strict=True))
        return np.stack([self._texts[text] for text in texts])

    def encode_question(self, text: str) -> Vectors:
        if text not in self._questions:
            self._questions[text] = self._model.encode_question(text)
        return self._questions[text].copy()
