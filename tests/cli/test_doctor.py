"""``threadwise doctor``."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import Result

from bot.cli import doctor
from bot.search.index import TextIndex
from bot.settings import Settings
from tests.kit.command_line import Threadwise
from tests.kit.scraping import free_port

FAKE_TOKEN = "MTA0MjQyNDI0MjQyNDI0MjQyNA.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789ab"

Doctor = Callable[[], Result]


def _levels(result: Result) -> dict[str, str]:
    rows = re.findall(r"^(ok|note|warn|FAIL) +([a-z]+) ", result.stdout, re.MULTILINE)
    return {name: level for level, name in rows}


def test_all_is_well_in_a_fresh_checkout(threadwise: Threadwise) -> None:
    result = threadwise("doctor")
    assert result.exit_code == 0, result.output
    levels = _levels(result)
    assert "FAIL" not in levels.values()
    assert levels["database"] == levels["index"] == levels["seeds"] == "ok"
    assert levels["token"] == "warn"
    assert "2 threads in seeds" in result.stdout


def test_the_token_is_judged_but_never_shown(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", FAKE_TOKEN)
    result = threadwise("doctor")
    assert _levels(result)["token"] == "ok"
    assert FAKE_TOKEN not in result.output
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2")
    result = threadwise("doctor")
    assert _levels(result)["token"] == "warn"
    assert "hunter2" not in result.output


def test_wrong_settings_are_exit_code_2(threadwise: Threadwise, home: Path) -> None:
    (home / ".env").write_text("COLOUR=red\n")
    result = threadwise("doctor")
    assert result.exit_code == 2
    assert _levels(result)["settings"] == "FAIL"


def test_an_env_file_is_seen(threadwise: Threadwise, home: Path) -> None:
    (home / ".env").write_text("LOG_LEVEL=debug\n")
    assert "and .env" in threadwise("doctor").stdout


def test_a_seed_that_cannot_be_read_fails(threadwise: Threadwise, home: Path) -> None:
    (home / "seeds" / "broken.txt").write_text("Title\nUpvote:x\nHello\n")
    result = threadwise("doctor")
    assert result.exit_code == 1
    assert _levels(result)["seeds"] == "FAIL"
    assert "broken.txt" in result.stdout


def test_missing_seeds_are_a_warning(threadwise: Threadwise, home: Path) -> None:
    shutil.rmtree(home / "seeds")
    result = threadwise("doctor")
    assert result.exit_code == 0
    assert _levels(result)["seeds"] == "warn"


def test_a_damaged_database_fails(threadwise: Threadwise, home: Path) -> None:
    threadwise("ask", "why?")
    with sqlite3.connect(home / "data" / "threadwise.db") as connection:
        connection.execute("UPDATE answers SET thread_id = 4711")
    connection.close()
    result = threadwise("doctor")
    assert result.exit_code == 1
    assert _levels(result)["database"] == "FAIL"
    assert "that is gone" in result.stdout


def test_an_index_that_lacks_threads_fails(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    threadwise("ask", "why?")
    monkeypatch.setattr("bot.search.engine.Engine.__len__", lambda _: 1)
    result = threadwise("doctor")
    assert result.exit_code == 1
    assert "holds 1 of 2 threads" in result.stdout


def test_an_index_that_another_program_is_writing_is_reported(
    threadwise: Threadwise, home: Path
) -> None:
    threadwise("ask", "why?")
    folder = home / "data" / "index"
    library = json.loads((folder / "state.json").read_text(encoding="utf-8"))["library"]
    (home / "seeds" / "more.txt").write_text("Is there more?\n\nscore:0\n", encoding="utf-8")
    with TextIndex(folder, library).writing():
        threadwise("import", home / "seeds")
        result = threadwise("doctor")
    assert result.exit_code == 0
    assert _levels(result)["index"] == "note"
    assert "another program is at it: 2 of 3 threads so far" in result.stdout
    assert _levels(threadwise("doctor"))["index"] == "ok"


def test_a_rebuilt_index_is_reported(threadwise: Threadwise, home: Path) -> None:
    threadwise("ask", "why?")
    os.remove(home / "data" / "index" / "state.json")
    result = threadwise("doctor")
    assert result.exit_code == 0
    assert _levels(result)["index"] == "note"


@pytest.mark.parametrize(("free", "level", "code"), [(10**8, "warn", 0), (10**6, "FAIL", 1)])
def test_a_full_disk_is_reported(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, free: int, level: str, code: int
) -> None:
    usage = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(doctor, "shutil", usage)
    result = threadwise("doctor")
    assert result.exit_code == code
    assert _levels(result)["disk"] == level


def test_missing_packages_are_reported(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("rich", "no-such-package"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = threadwise("doctor")
    assert result.exit_code == 1
    assert "missing: no-such-package" in result.stdout
    assert _levels(result)["demo"] == "note"


def test_an_emptied_database_is_no_empty_library(threadwise: Threadwise, home: Path) -> None:
    assert threadwise("ask", "why?").exit_code == 0
    os.truncate(home / "data" / "threadwise.db", 0)
    result = threadwise("doctor")
    assert result.exit_code == 1
    assert "is empty (0 bytes)" in " ".join(result.stdout.split())
    assert "sound" not in result.stdout
    assert threadwise("ask", "why?").exit_code == 2


class TestMetrics:
    """What doctor says of METRICS_PORT; the running bot itself is asked in test_metrics."""

    def told(self, replies: list[bytes], **settings: Any) -> doctor.Check:
        """Have a program of ours serve at a port, and return what is said of it."""

        def serve() -> None:
            for reply in replies:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(reply)

        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            check = doctor._metrics(Settings(metrics_port=port, _env_file=None, **settings))
            thread.join()
        return check

    def test_a_bot_that_is_not_ready_says_why(self) -> None:
        reply = b"HTTP/1.1 503 no\r\nServer: Threadwise\r\n\r\nthis is wrong\nthat as well\n"
        check = self.told([reply], metrics_host="0.0.0.0")
        assert check.level is doctor.Level.WARN
        assert check.text.endswith("is not ready: this is wrong; that as well")

    def test_another_program_is_found_out(self) -> None:
        check = self.told([b"HTTP/1.1 200 OK\r\nServer: Other\r\n\r\nok\n"])
        assert check.level is doctor.Level.WARN
        assert "another program has port" in check.text

    def test_what_speaks_no_http_is_found_out(self) -> None:
        check = self.told([b"SSH-2.0-Other\r\n"])
        assert check.level is doctor.Level.WARN
        assert "check METRICS_HOST and METRICS_PORT" in check.text

    def test_nobody_is_there_before_the_bot_runs(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("METRICS_PORT", str(free_port()))
        assert _levels(threadwise("doctor"))["metrics"] == "note"
