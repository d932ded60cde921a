"""``model fetch``: bring the model that understands questions in other words."""

from __future__ import annotations

from bot.cli.console import print_note
from bot.errors import ModelError
from bot.search.semantic import default_model, open_embedder
from bot.settings import load_settings


def fetch() -> int:
    """Download the default model unless it is there, and see that it runs.

    Raises ModelError that says what it lacks.
    """
    data = load_settings().data_dir
    try:
        folder = default_model.find(data / "models")
    except ModelError:
        print_note(f"fetching the model {default_model.NAME} (22 MB) ...")
        folder = default_model.fetch(data / "models")
    open_embedder("", data)
    print_note(f"The model {default_model.NAME} is in {folder}.")
    return 0
