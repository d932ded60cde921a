"""``threadwise forget GUILD``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command_line import JSON_THREAD, Threadwise

GUILD = "1034567890123456789"


@pytest.fixture
def own(tmp_path: Path, threadwise: Threadwise) -> None:
    """A server has a thread of its own."""
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps(JSON_THREAD | {"id": "own", "title": "Which moss is ours?"}))
    assert threadwise("import", file, "--guild", GUILD).exit_code == 0


def exported(threadwise: Threadwise, *arguments: str) -> list[str]:
    out = threadwise("export", *arguments).stdout
    return [json.loads(line)["id"] for line in out.splitlines()]


@pytest.mark.usefixtures("own")
class TestForget:
    def test_all_of_a_server_goes_and_nothing_else(self, threadwise: Threadwise) -> None:
        result = threadwise("forget", GUILD, "--yes")
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"Deleted of the server {GUILD}: 1 thread of its own, 0 votes" in result.stderr
        assert exported(threadwise, "--guild", GUILD) == []
        assert sorted(exported(threadwise)) == ["bread", "router"]
        asked = threadwise("ask", "Which moss is ours?", "--guild", GUILD, "--json", "--limit", "9")
        assert all(m["key"] != "own" for m in json.loads(asked.stdout)["matches"])

    def test_json_for_programs(self, threadwise: Threadwise) -> None:
        result = threadwise("forget", GUILD, "--yes", "--json")
        assert json.loads(result.stdout) == {
            "guild": int(GUILD),
            "threads": 1,
            "votes": 0,
            "phrasings": 0,
            "postings": 0,
            "settings": False,
        }

    def test_unasked_it_deletes_nothing(self, threadwise: Threadwise) -> None:
        result = threadwise("forget", GUILD)
        assert result.exit_code == 2
        assert "add --yes" in result.stderr
        assert exported(threadwise, "--guild", GUILD) == ["own"]

    @pytest.mark.parametrize(("said", "code", "left"), [("n\n", 1, ["own"]), ("y\n", 0, [])])
    def test_who_is_asked_decides(
        self,
        threadwise: Threadwise,
        monkeypatch: pytest.MonkeyPatch,
        said: str,
        code: int,
        left: list[str],
    ) -> None:
        monkeypatch.setattr("bot.cli.forgetting._can_ask", lambda: True)
        result = threadwise("forget", GUILD, stdin=said)
        assert result.exit_code == code
        assert "Delete all of it for good?" in result.stderr
        assert exported(threadwise, "--guild", GUILD) == left

    def test_again_there_is_nothing(self, threadwise: Threadwise) -> None:
        threadwise("forget", GUILD, "--yes")
        result = threadwise("forget", GUILD, "--yes")
        assert result.exit_code == 1
        assert f"nothing is kept of the server {GUILD}" in result.stderr


def test_without_a_library_there_is_nothing(threadwise: Threadwise, home: Path) -> None:
    assert threadwise("forget", GUILD, "--yes").exit_code == 1
    assert not (home / "data").exists()


@pytest.mark.parametrize("guild", ["0", "-5", "moss", "9" * 20])
def test_only_an_id_is_accepted(threadwise: Threadwise, guild: Any) -> None:
    assert threadwise("forget", "--yes", "--", guild).exit_code == 2
