"""``move``, and what other commands say where the library is on a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.command_line import Threadwise

LINE = '{"id": "%s", "title": "Why is the sky blue?", "answers": [{"body": "It scatters."}]}\n'


@pytest.fixture
def library(home: Path, threadwise: Threadwise) -> Path:
    """A library with one thread."""
    (home / "threads.jsonl").write_text(LINE % "sky")
    assert threadwise("import", "threads.jsonl").exit_code == 0
    return home / "data" / "threadwise.db"


@pytest.fixture
def server(postgres_url: str) -> str:
    """The URL of an empty database with a password, which this server doesn't ask for."""
    return postgres_url.replace("postgres@/", "postgres:secret@/")


def test_a_library_is_moved_there_and_back(
    threadwise: Threadwise, library: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = threadwise("move", "--to", server)
    assert moved.exit_code == 0, moved.stderr
    assert "Moved 1 thread, 1 answer, 0 votes and " in moved.stderr
    assert "secret" not in moved.stderr + moved.stdout
    again = threadwise("move", "--to", server)
    assert (again.exit_code, "is not empty" in again.stderr) == (2, True)
    monkeypatch.setenv("DATABASE_URL", server)
    asked = threadwise("ask", "why is the sky blue")
    assert "It scatters." in asked.stdout
    assert "made anew" not in asked.stderr  # the index was the library's, and still is
    back = threadwise("move", "--to", "sqlite:///data/back.db")
    assert back.exit_code == 0, back.stderr
    monkeypatch.setenv("DATABASE_URL", "sqlite:///data/back.db")
    assert "It scatters." in threadwise("ask", "why is the sky blue").stdout


def test_the_doctor_names_the_server(
    threadwise: Threadwise, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", server)
    said = threadwise("doctor").stdout
    assert "PostgreSQL 1" in said
    assert "sound, at revision" in " ".join(said.split())
    assert "secret" not in said


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("backup", "run: pg_dump --format=custom --file='my copy' 'postgresql://bot@host/library'"),
        (
            "restore",
            "pg_restore --clean --if-exists --no-owner --single-transaction "
            "--dbname='postgresql://bot@host/library' 'my copy'",
        ),
    ],
)
def test_backup_and_restore_name_the_exact_line(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, command: str, line: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://bot:secret@host/library")
    said = threadwise(command, "my copy")
    assert (said.exit_code, line in " ".join(said.stderr.split())) == (2, True), said.stderr
    assert "secret" not in said.stderr


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("nonsense", "--to is not a database URL"),
        ("mysql://host/db", "--to names mysql"),
        ("sqlite:///data/threadwise.db", "is the library itself; name another database"),
    ],
)
def test_a_target_that_is_none_is_refused(
    threadwise: Threadwise, library: Path, url: str, error: str
) -> None:
    said = threadwise("move", "--to", url)
    assert (said.exit_code, error in said.stderr) == (2, True), said.stderr


def test_there_must_be_something_to_move(threadwise: Threadwise, home: Path) -> None:
    said = threadwise("move", "--to", "sqlite:///other.db")
    assert (said.exit_code, "nothing to move" in said.stderr) == (2, True)
    assert not (home / "other.db").exists()
