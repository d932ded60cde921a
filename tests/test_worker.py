"""Work in another process: what is answered there arrives here, whatever happens between."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bot.worker import Worker

LINES = 30_000


def lines(number: int) -> list[str]:
    """A large answer to a question."""
    return [f"{number} {line} " * 30 for line in range(LINES)]


@contextmanager
def answering() -> Iterator[Callable[[int], list[str]]]:
    """What the other process does in these tests."""
    print("ready")  # goes where errors go, not between the answers
    yield lines


def test_nothing_is_imported_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bot", "pickle", "signal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not me')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    worker = Worker(f"{__name__}:answering")
    try:
        assert worker.ask(3) == lines(3)
    finally:
        worker.close()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_process_that_is_stopped_goes_on(
    monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    worker = Worker(f"{__name__}:answering")
    (process,) = psutil.Process().children()
    ended = threading.Event()

    def interrupt() -> None:
        """As Ctrl-Z and ``fg`` do, over and over: a pipe then takes a part of what is written."""
        while not ended.is_set():
            for what in (signal.SIGSTOP, signal.SIGCONT):
                process.send_signal(what)
                time.sleep(0.0005)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    try:
        answers = [worker.ask(number) for number in range(10)]
        niceness = process.nice()
    finally:
        ended.set()
        interrupting.join()
        worker.close()
    assert answers == [lines(number) for number in range(10)]
    assert niceness > psutil.Process().nice()  # whoever waits for the answers goes first
