"""Semantic retrieval: sentence embeddings and their nearest neighbours.

Needs the packages of the extra ``semantic``; nothing outside imports the modules in
here at its top, so that the bot runs without them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ModelError
from bot.observing import UNOBSERVED, Observer

if TYPE_CHECKING:
    from bot.search.semantic.embedder import Embedder
    from bot.search.semantic.retrieval import SemanticIndex

OFF = "off"
"""The ``EMBEDDING_MODEL`` that does without meaning."""


def located(setting: str, data: Path) -> str:
    """Return ``EMBEDDING_MODEL`` with the name of a model in ``data`` replaced by its folder."""
    name = setting.strip()
    folder = data / "models" / name
    named = name == Path(name).name and name not in ("", "..")
    return str(folder.absolute()) if named and folder.is_dir() else name


def open_embedder(setting: str, data: Path) -> Embedder:
    """Load the model that ``EMBEDDING_MODEL`` names.

    Raises ModelError that says why there is none, and how to get it.
    """
    if setting.strip().lower() == OFF:
        raise ModelError("it is switched off by EMBEDDING_MODEL")
    try:
        from bot.search.semantic import embedder, retrieval  # noqa: F401 (its packages too)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{error.name} is not installed; to have it: pip install 'threadwise[semantic]'"
        ) from None
    except ImportError as error:  # such as a library of the system that a package needs
        raise ModelError(f"its packages don't work here: {error}") from None
    return embedder.load(located(setting, data), data / "models")


def open_semantic_index(
    setting: str, data: Path, library: str, observer: Observer = UNOBSERVED
) -> SemanticIndex:
    """Open the semantic index of a library. Raises ModelError as ``open_embedder`` does."""
    model = open_embedder(setting, data)
    from bot.search.semantic import retrieval

    return retrieval.SemanticIndex(model, data / "neighbours", library, observer)
