"""The usual model, and a folder as sentence-transformers writes it, made of the same files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.search.semantic import embedder, onnx_model
from bot.search.semantic.embedder import Embedder

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def usual(one_thread_a_model: None) -> Embedder:
    return embedder.load("", Path("never-used"))


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Make a model's folder; ``config`` and ``pooling`` are what its JSON files hold."""

    def make(name: str = "my-model", pooling: dict[str, Any] | None = None, **config: Any) -> Path:
        folder, found = tmp_path / name, onnx_model.default_files()
        (folder / "onnx").mkdir(parents=True)
        (folder / "1_Pooling").mkdir()
        shutil.copy(found.model, folder / "onnx" / "model.onnx")
        shutil.copy(found.tokenizer, folder / "tokenizer.json")
        files = {
            "config.json": {"hidden_size": 384, "pad_token_id": 0} | config,
            "sentence_bert_config.json": {"max_seq_length": 64},
            "1_Pooling/config.json": pooling or {"pooling_mode_mean_tokens": True},
        }
        for file, content in files.items():
            (folder / file).write_text(json.dumps(content))
        return folder

    return make
