"""Errors before a command begins: one clear line, the right exit code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.kit.command_line import Threadwise

COMMANDS = [
    ("ask", "why?"),
    ("thread", "router"),
    ("import", "seeds"),
    ("export",),
    ("run",),
]


def _says(threadwise: Threadwise, *arguments: str) -> str:
    """The one line a failing command says; it must be its whole output."""
    result = threadwise(*arguments)
    assert result.exit_code == 2, result.output
    assert not result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: a[0])
def test_unknown_setting_in_env_file(
    threadwise: Threadwise, home: Path, arguments: tuple[str, ...]
) -> None:
    (home / ".env").write_text("ANSWER_TRESHOLD=0.7\n")
    assert "did you mean ANSWER_THRESHOLD?" in _says(threadwise, *arguments)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("ANSWER_THRESHOLD", "1.5", "must be 1.0 or less"),
        ("ANSWER_THRESHOLD", "high", "number"),
        ("SUGGEST_THRESHOLD", "0.9", "must not be greater than ANSWER_THRESHOLD"),
        ("ANSWER_POLICY", "loudest", "'accepted' or 'score'"),
        ("LOG_LEVEL", "chatty", "DEBUG"),
        ("DATABASE_URL", "not a url", "DATABASE_URL"),
        ("DATABASE_URL", "oracle+nothing://x/y", "DATABASE_URL"),
    ],
)
def test_settings_out_of_range(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, name: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(name, value)
    assert hint in _says(threadwise, "ask", "why?")


def test_env_file_that_is_not_utf8(threadwise: Threadwise, home: Path) -> None:
    (home / ".env").write_bytes(b"ASK_CHANNELS=\xff\xfe\n")
    assert "UTF-8" in _says(threadwise, "ask", "why?")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("\n# mine\n\nDISCORD_TOKEN: TOKEN\n", "line 4 (DISCORD_TOKEN)"),
        ("LOG_LEVEL=INFO\nDISCORD_TOKEN='TOKEN\n", "line 2 (DISCORD_TOKEN)"),
        ('DISCORD_TOKEN="TOKEN\nUP_EMOJI="👍"\n', "line 1 (DISCORD_TOKEN)"),
        ('DISCORD_TOKEN="TOKEN\nANSWER_POLICY=score\nUP_EMOJI=👍"\n', "line 1 (DISCORD_TOKEN)"),
        ("DISCORD_TOKEN TOKEN\n", "line 1 (DISCORD_TOKEN)"),
        ("\r\n\r\nDISCORD_TOKEN\r\n", "line 3 (DISCORD_TOKEN)"),
        ("LOG_LEVEL=INFO\nTOKEN\n", "line 2"),
        ("\ufeff=TOKEN\n", "line 1"),
    ],
)
@pytest.mark.parametrize("command", [(), ("ask", "why?"), ("run",)], ids=str)
def test_a_line_of_the_env_file_that_says_nothing(
    threadwise: Threadwise, home: Path, command: tuple[str, ...], text: str, where: str
) -> None:
    """The token in it is not shown, and the demo does not start without it."""
    (home / ".env").write_text(text.replace("TOKEN\n", "MTA0MjQy.GabcdE\n"), newline="")
    said = _says(threadwise, *command)
    assert said.startswith(f"error: .env, {where}: ")
    assert "MTA0MjQy" not in said


def test_an_env_file_may_have_comments_quotes_and_exports(
    threadwise: Threadwise, home: Path
) -> None:
    lines = ["\ufeff# mine", "", "export LOG_LEVEL='INFO' # loud", 'ANSWER_POLICY = "score"']
    (home / ".env").write_text("\r\n".join([*lines, "UP_EMOJI=👍"]), newline="")
    assert threadwise("ask", "why?").exit_code == 0


@pytest.mark.parametrize("text", ["SEEDS_DIR=", "SEEDS_DIR=nothing"])
def test_no_seeds_is_no_error(threadwise: Threadwise, home: Path, text: str) -> None:
    """Least of all is the current folder read instead."""
    (home / ".env").write_text(f"{text}\n")
    (home / "nothing").mkdir()
    (home / "nothing" / ".gitkeep").touch()
    (home / "faq.md").write_text("# Why?\n\nBecause.\n")
    result = threadwise("ask", "why?")
    assert result.exit_code == 0
    assert "warning" not in result.output
    assert "Because" not in result.output
    doctor = threadwise("doctor")
    assert doctor.exit_code == 0
    assert "no threads are loaded at the start" in " ".join(doctor.stdout.split())


def test_database_that_is_something_else(threadwise: Threadwise, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "threadwise.db").write_bytes(b"This is no database at all. " * 100)
    assert "not a Threadwise database" in _says(threadwise, "ask", "why?")
    assert threadwise("doctor").exit_code == 1


def test_database_of_a_newer_program(threadwise: Threadwise, home: Path) -> None:
    assert threadwise("ask", "why?").exit_code == 0
    with sqlite3.connect(home / "data" / "threadwise.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer Threadwise" in _says(threadwise, "ask", "why?")
    assert "newer Threadwise" in threadwise("doctor").stdout


def test_database_that_may_only_be_read(
    threadwise: Threadwise, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert threadwise("ask", "why?").exit_code == 0
    file = home / "data" / "threadwise.db"
    # The same as a file without write permission, but also for root.
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true")
    (home / "new.txt").write_text("Is this new?\n\nscore:0\n")
    assert "can't be written" in _says(threadwise, "import", "new.txt")


def test_data_folder_that_cannot_be_made(
    threadwise: Threadwise, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("DATA_DIR", "file/data")
    assert "DATA_DIR" in _says(threadwise, "ask", "why?")


@pytest.mark.parametrize("damage", ["missing", "corrupt", "foreign"])
def test_index_that_cannot_be_used_is_rebuilt(
    threadwise: Threadwise, home: Path, damage: str
) -> None:
    question = ("ask", "how do I reset the router", "--json")
    before = threadwise(*question)
    index = home / "data" / "index"
    files = [file for file in index.iterdir() if file.is_file()]
    assert files
    for file in files:
        if damage == "missing":
            file.unlink()
        elif damage == "corrupt":
            file.write_bytes(b"\x00garbage")
        elif file.name == "state.json":
            text = file.read_text()
            file.write_text(text.replace(text.split('"')[3], "another-library"))
    after = threadwise(*question)
    assert after.exit_code == 0
    assert after.stdout.partition('"took_ms"')[0] == before.stdout.partition('"took_ms"')[0]


def test_run_without_a_token_says_how_to_get_one(threadwise: Threadwise) -> None:
    said = _says(threadwise, "run")
    assert "DISCORD_TOKEN is not set" in said
    assert "https://discord.com/developers/applications" in said


def test_options_of_the_demo_before_another_command(threadwise: Threadwise) -> None:
    result = threadwise("--port", "8765", "ask", "why?")
    assert result.exit_code == 2
    assert "go after the command" in result.stderr


def test_an_id_that_no_server_has_is_wrong_usage(threadwise: Threadwise, home: Path) -> None:
    (home / "page.txt").write_text("Is it so?\n\nUpvote:0\n\nYes.\n")
    large = "99999999999999999999"
    for command in (["ask", "why?"], ["thread", "x"], ["import", "page.txt"], ["export"]):
        assert threadwise(*command, "--guild", large).exit_code == 2


@pytest.mark.parametrize(
    "command",
    [["forget", "abc"], ["forget", "0"], ["ask", "why?", "--guild", "-1"], ["export", "--guild=x"]],
)
def test_what_is_no_servers_id_is_told_what_one_is_and_where_to_find_it(
    threadwise: Threadwise, command: list[str]
) -> None:
    result = threadwise(*command)
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "a number such as 1010101010101010101" in said
    assert "Copy Server ID" in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["ask", "why?", "--limit", "x"], "'x' is not a whole number from 1 to 100"),
        (["ask", "why?", "--limit", "101"], "'101' is not a whole number from 1 to 100"),
        (["import", "x", "--limit", "0"], "'0' is not a whole number from 1 on"),
        (["import", "x", "--min-score", "1.5"], "'1.5' is not a score, a whole number"),
        (["demo", "--port", "65536"], "'65536' is not a port, a whole number from 0 to 65535"),
        (["evaluate", "x", "--typos", "nan"], "'nan' is not a share, a number from 0 to 1"),
        (
            ["ask", "how", "do", "I"],
            "'do' is one argument too many; put words that belong together",
        ),
    ],
)
def test_wrong_usage_is_explained_in_words_of_ours(
    threadwise: Threadwise, command: list[str], said: str
) -> None:
    result = threadwise(*command)
    assert result.exit_code == 2
    shown = " ".join(result.stderr.replace("│", " ").split())
    assert said in shown
    assert "Input should" not in shown


def test_an_encoding_without_a_name_is_refused(threadwise: Threadwise, home: Path) -> None:
    (home / "page.txt").write_text("Is it so?\n\nUpvote:0\n\nYes.\n")
    assert "there is no encoding ''" in threadwise("import", "--encoding", "", "page.txt").stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ANSWER_THRESHOLD", "abc", "must be a number (it is 'abc')"),
        ("ANSWER_THRESHOLD", "3", "must be 1.0 or less (it is '3')"),
        ("COOLDOWN_SECONDS", "-1", "must be 0 or more (it is '-1')"),
        ("COOLDOWN_SECONDS", "1.5", "must be a whole number (it is '1.5')"),
        ("LEARN_PHRASINGS", "perhaps", "must be true or false (it is 'perhaps')"),
        ("ANSWER_POLICY", "votes", "must be 'accepted' or 'score' (it is 'votes')"),
        ("UP_EMOJI", "", "must not be empty (it is '')"),
        (
            "UP_EMOJI",
            "x",
            "must be one emoji: Unicode's, or a custom one as <:name:id> (it is 'x')",
        ),
        ("DOWN_EMOJI", "∑", "must be one emoji: Unicode's, or a custom one as <:name:id>"),
        ("UNANSWERED_EMOJI", "eyes", "must be one emoji: Unicode's, or a custom one"),
        ("DOWN_EMOJI", ":down:", "must be one emoji: Unicode's, or a custom one as <:name:id>"),
    ],
)
def test_wrong_settings_are_explained_in_words_of_ours(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    result = threadwise("ask", "why?")
    assert result.exit_code == 2
    shown = " ".join(result.stderr.split())
    assert f"{name}: {said}" in shown
    assert "; correct it in the environment or .env" in shown


@pytest.mark.parametrize("emoji", ["👍", " ⬆ ", "<:up:123456789012345678>", "🫨"])
def test_emoji_of_every_kind_are_settings(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, emoji: str
) -> None:
    monkeypatch.setenv("UP_EMOJI", emoji)
    assert threadwise("ask", "why?").exit_code == 0
