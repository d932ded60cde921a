"""Semantic retrieval on the command line: questions in other words, and ``doctor``."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import runtime
from bot.models import Match
from bot.search.engine import Engine
from bot.services.backgrounds import UNREADABLE
from tests.kit.command_line import Threadwise
from tests.kit.paths import ROOT
from tests.kit.search import KOREAN

pytestmark = pytest.mark.usefixtures("usual_model")

OTHERWISE = {  # questions, and what they ask in other words
    "how come it never replies": "bot-why-silent",
    "migrate to a different server box": "bot-move-to-another-machine",
    "petroleum sanctions against Tokyo": "history-oil-embargo-1941",
    "stop people from writing swear words": "discord-automod-block-words",
    "which personal information does it keep": "bot-privacy-what-is-stored",
}


@pytest.fixture
def seeds(home: Path) -> Path:
    """The seeds that come with the bot."""
    shutil.rmtree(home / "seeds")
    shutil.copytree(ROOT / "seeds", home / "seeds")
    return home / "seeds"


@pytest.fixture
def _meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_MODEL", "")


def first(threadwise: Threadwise, *questions: str) -> list[str]:
    result = threadwise("ask", "--stdin", "--json", stdin="\n".join(questions))
    assert result.exit_code == 0, result.output
    lines = map(json.loads, result.stdout.splitlines())
    return [reply["matches"][0]["key"] if reply["matches"] else "" for reply in lines]


def right(keys: list[str]) -> int:
    """Count the questions of OTHERWISE whose thread came first."""
    return sum(key == meant for key, meant in zip(keys, OTHERWISE.values(), strict=True))


def meaning_line(threadwise: Threadwise) -> tuple[str, str]:
    """The level and the text of doctor's line."""
    shown = re.sub(r"\n {10,}", " ", threadwise("doctor").stdout)
    found = re.search(r"^(\w+) +meaning +(.*)$", shown, re.MULTILINE)
    assert found, shown
    return found[1], " ".join(found[2].split())


@pytest.mark.usefixtures("seeds")
def test_a_question_in_other_words_is_found_by_meaning(
    threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_words = first(threadwise, *OTHERWISE)
    monkeypatch.setenv("EMBEDDING_MODEL", "")
    by_meaning = first(threadwise, *OTHERWISE)
    assert right(by_words) <= 1
    assert right(by_meaning) >= 4


@pytest.mark.usefixtures("_meaning", "seeds")
@pytest.mark.parametrize("arguments", [("--stdin",), ("who taught the cat to bark",)])
def test_the_background_is_measured_before_the_first_question(
    threadwise: Threadwise, home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    done: list[str] = []
    measure, search = Engine.measure_background, Engine.search

    def measured(self: Engine, guild_id: int) -> Iterator[None]:
        yield from measure(self, guild_id)
        done.append("measured")

    def searched(self: Engine, *arguments: Any, **options: Any) -> list[Match]:
        done.append("asked")
        return search(self, *arguments, **options)

    monkeypatch.setattr(Engine, "measure_background", measured)
    monkeypatch.setattr(Engine, "search", searched)
    for _ in range(2):
        result = threadwise("ask", *arguments, stdin="who taught the cat to bark\n")
        assert result.exit_code == 0, result.output
    assert done == ["measured", "asked", "asked"]  # it was written down


@pytest.mark.usefixtures("_meaning")
class TestDoctor:
    def test_says_that_the_model_cannot_read_the_library(
        self, threadwise: Threadwise, home: Path
    ) -> None:
        for seed in (home / "seeds").iterdir():
            seed.unlink()
        lines = [{"id": str(n), "title": title, "body": ""} for n, title in enumerate(KOREAN)]
        korean = home / "seeds" / "korean.jsonl"
        korean.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        results = [threadwise("ask", "연체료는 얼마") for _ in range(2)]
        assert [result.exit_code for result in results] == [0, 0]
        assert "연체료는 얼마인가요?" in results[1].output
        level, text = meaning_line(threadwise)
        assert level == "note"
        assert UNREADABLE in text

    def test_says_that_meaning_is_on(self, threadwise: Threadwise) -> None:
        first(threadwise, "bread")
        level, text = meaning_line(threadwise)
        assert level == "ok"
        assert re.match(r"on: 2 threads by all-MiniLM-L6-v2@[0-9a-f]{12}$", text)

    def test_says_that_some_threads_have_no_vectors(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runtime, "MAX_VECTORS", 0)
        first(threadwise, "bread")
        level, text = meaning_line(threadwise)
        assert level == "note"
        assert text.startswith("0 of 2 threads have vectors of all-MiniLM-L6-v2@")
        assert "so does any import" in text

    @pytest.mark.parametrize(
        ("setting", "why"),
        [
            ("off", "because it is switched off by EMBEDDING_MODEL"),
            ("seeds", "because seeds holds no model.onnx"),
            ("unheard-of", "because unheard-of is neither a folder nor a model"),
        ],
    )
    def test_says_why_it_is_off(
        self, threadwise: Threadwise, monkeypatch: pytest.MonkeyPatch, setting: str, why: str
    ) -> None:
        monkeypatch.setenv("EMBEDDING_MODEL", setting)
        level, text = meaning_line(threadwise)
        assert level == "note"
        assert text.startswith("off: questions are matched by their words alone")
        assert why in text


@pytest.mark.usefixtures("_meaning")
def test_an_import_makes_the_vectors(threadwise: Threadwise, home: Path, tmp_path: Path) -> None:
    page = tmp_path / "tyre.txt"
    page.write_text("How do I mend a flat tyre?\nAccepted answer\nPatch the tube.\n")
    assert threadwise("import", page).exit_code == 0
    with sqlite3.connect(home / "data" / "threadwise.db") as connection:
        known = connection.execute(
            "SELECT key FROM threads JOIN vectors ON thread_id = threads.id"
        ).fetchall()
    connection.close()
    assert known == [("tyre",)]


@pytest.mark.usefixtures("_meaning")
def test_a_large_library_is_not_embedded_on_the_way(
    threadwise: Threadwise, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "MAX_VECTORS", 1)
    assert first(threadwise, "reset the router") == ["router"]
    with sqlite3.connect(home / "data" / "threadwise.db") as connection:
        count = connection.execute("SELECT count(*) FROM vectors").fetchone()
    connection.close()
    assert count == (0,)
