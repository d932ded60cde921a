"""The log of a running bot."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from bot.cli import logs


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name in logs.CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.parametrize("terminal", [False, True])
def test_the_token_is_blotted_out_of_lines_and_tracebacks(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    logs.set_up("INFO", "s3cr3t")
    log = logging.getLogger("anything")
    try:
        raise ValueError("the token s3cr3t is wrong")
    except ValueError:
        log.exception("while using %s", "s3cr3t")
    said = capsys.readouterr().err
    assert "s3cr3t" not in said
    assert said.count("***") >= 2


def test_levels_and_chatty_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", None)
    logging.getLogger("bot").info("ours")
    logging.getLogger("bot").debug("too much")
    logging.getLogger("alembic.logs").info("chatter")
    said = capsys.readouterr().err
    assert "ours" in said
    assert "too much" not in said
    assert "chatter" not in said
