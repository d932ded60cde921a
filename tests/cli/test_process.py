"""The command as a process: signals, pipes, exit codes, no tracebacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.kit.command_line import Threadwise
from tests.kit.programs import PIPE, checked, spawn
from tests.kit.waiting import HANG

QUESTION = "how do I reset the router to factory settings"

EACH = """
import json, os, sys
from bot.cli import main
for sys.argv[1:] in json.loads(sys.argv[1]):
    os.umask(0o022)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""
"""Runs the commands that are given as JSON in one process: starting takes most of the time."""


def _start(*arguments: str, stdout: int = PIPE, **settings: str) -> subprocess.Popen[str]:
    return spawn("-m", "bot", *arguments, stdout=stdout, **{"COLUMNS": "100"} | settings)


def test_ask_in_a_pipe_is_plain_json() -> None:
    process = _start("ask", QUESTION, "--json")
    out, err = process.communicate(timeout=HANG)
    assert process.returncode == 0, err
    assert json.loads(out)["verdict"] == "answer"
    assert not err


def test_each_line_is_answered_as_it_comes() -> None:
    process = _start("ask", "--stdin", "--json")
    assert process.stdin
    assert process.stdout
    for question in (QUESTION, "why does my bread not rise"):
        process.stdin.write(question + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["question"] == question
    out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out, err) == (0, "", "")


def test_ctrl_c_is_exit_code_130_without_a_traceback() -> None:
    process = _start("ask", "--stdin", "--json")
    assert process.stdin
    assert process.stdout
    process.stdin.write(QUESTION + "\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert err == "stopped\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is full")
def test_an_output_that_is_full_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        process = _start("export", stdout=full.fileno())
    _, err = process.communicate(timeout=HANG)
    assert process.returncode == 2
    assert err.splitlines()[-1] == (
        "error: standard output can't be written: No space left on device"
    )
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = _start("export", stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=HANG)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_whatever_a_command_makes_is_its_owners_alone(home: Path) -> None:
    (home / "pages").mkdir()
    commands = (["export", "out.jsonl"], ["backup", "copy.db"], ["export", "pages/"])
    checked("-c", EACH, json.dumps(commands))
    made = [p for name in ("data", "pages") for p in (home / name, *(home / name).rglob("*"))]
    for path in (*made, home / "out.jsonl", home / "copy.db"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_export_that_is_stopped_goes_on_where_it_was(home: Path, unbuffered: str) -> None:
    threads = [{"id": f"k{n}", "title": f"{n}?", "body": f"{n} " * 5_000} for n in range(400)]
    lines = "".join(f"{json.dumps(thread)}\n" for thread in threads)
    (home / "seeds" / "many.jsonl").write_text(lines, encoding="utf-8")
    with _start("export", PYTHONUNBUFFERED=unbuffered) as process:
        assert process.stdout
        lines = process.stdout.readline()
        while process.poll() is None:
            # As Ctrl-Z and ``fg`` do: a pipe then takes a part of what is written.
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGCONT)
            lines += process.stdout.read(100_000)
        lines += process.stdout.read()
    there = {thread["id"]: thread["body"] for thread in map(json.loads, lines.splitlines())}
    assert {thread["id"] for thread in threads} < there.keys()
    assert all(there[thread["id"]] == thread["body"] for thread in threads)


def test_a_terminal_without_unicode_gets_json_without_loss(home: Path) -> None:
    (home / "seeds" / "cafe.txt").write_text("Où est le café ?\n\nscore:0\n", encoding="utf-8")
    commands = (["ask", "où est le café", "--json"], ["thread", "cafe", "--json"])
    out = checked("-c", EACH, json.dumps(commands), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    for line, _ in zip(out.splitlines(), commands, strict=True):
        assert "Où est le café ?" in json.dumps(json.loads(line), ensure_ascii=False)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["ask", "-h"]], ids=" ".join)
def test_help_and_version_need_no_settings(
    home: Path, threadwise: Threadwise, arguments: list[str]
) -> None:
    (home / ".env").write_text("COLOUR=red\n")
    result = threadwise(*arguments)
    assert result.exit_code == 0
    assert "hreadwise" in result.stdout


WORDS = " ".join(f"word{n}" for n in range(60))
ADDRESS = "https://example.org/" + "/".join(f"part{n}" for n in range(40))
ROOMY = {
    "id": "roomy",
    "title": f"How do I keep everything? {WORDS}",
    "author": "mina",
    "answers": [
        {"body": f"{WORDS} endOfLine", "accepted": True, "url": ADDRESS},
        {"body": f"[the manual]({ADDRESS}) and List<String>\n\n<section>\nof HTML\n</section>"},
        {"body": f"| a | b |\n|---|---|\n| {'x' * 90}endOfCell | {WORDS} |"},
    ],
}


@pytest.mark.parametrize("arguments", [["thread", "roomy"], ["ask", ROOMY["title"]]], ids=str)
@pytest.mark.parametrize("columns", [100, 60])
def test_nothing_is_cut_off_in_a_pipe(
    home: Path, threadwise: Threadwise, arguments: list[str], columns: int
) -> None:
    (home / "seeds" / "roomy.jsonl").write_text(json.dumps(ROOMY) + "\n")
    result = threadwise(*arguments, columns=columns)
    out = result.stdout
    assert not result.stderr
    said = "".join(c for c in out if not c.isspace() and c not in "│╭╮╰╯─")
    everything = [str(ROOMY["title"]), f"{WORDS} endOfLine", ADDRESS]
    if arguments[0] == "thread":
        everything += [f"the manual ({ADDRESS}) and List<String>", "<section>", "of HTML"]
        everything += ["x" * 90 + "endOfCell", "mina"]
    for part in everything:
        assert part.replace(" ", "") in said, part
    assert max(len(line) for line in out.splitlines()) <= columns
