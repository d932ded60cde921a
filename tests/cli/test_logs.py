"""The log of a running bot."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from bot.cli import logs
from bot.cli.console import print_error, print_note, print_warning
from bot.incidents import incident_of, log_incident


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


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """The lines of the log, each of which must be JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", None, as_json=True)
    logging.getLogger("bot.here").info("two\nlines, %s and \u2028 \udc80", "Gärten")
    (line,) = written(capsys)
    when = line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "bot.here",
        "message": "two\nlines, Gärten and \u2028 \udc80",
    }
    assert datetime.fromisoformat(when).utcoffset() == timedelta(0)
    assert when.endswith("Z")


def test_json_names_the_incident_and_has_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "s3cr3t", as_json=True)
    try:
        raise ValueError("the token s3cr3t is wrong")
    except ValueError as error:
        log_incident(logging.getLogger("bot.here"), error, "ask")
        incident = incident_of(error)
    (line,) = written(capsys)
    assert line["incident"] == incident
    assert line["message"] == f"incident {incident} in ask"
    assert line["traceback"].startswith("Traceback (most recent call last):\n")
    assert line["traceback"].endswith("ValueError: the token *** is wrong")


def test_json_has_what_is_printed_beside_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", None, as_json=True)
    print_note("Stopped.")
    print_warning("not\nread")
    print_error("no way")
    lines = [(line["level"], line["message"]) for line in written(capsys)]
    assert lines == [("INFO", "Stopped."), ("WARNING", "not read"), ("ERROR", "no way")]


def test_json_of_an_outage_is_short_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", None, as_json=True)
    for _ in range(10):
        try:
            raise ConnectionError("refused")
        except ConnectionError:
            logging.getLogger("discord.client").exception("attempting a reconnect")
    lines = written(capsys)
    assert len(lines) == logs.MAX_LINES
    assert "traceback" not in lines[0]
