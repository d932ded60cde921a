"""``threadwise thread``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.command_line import JSON_THREAD, Threadwise


def test_a_thread_is_shown_by_its_key(threadwise: Threadwise) -> None:
    result = threadwise("thread", "bread")
    assert result.exit_code == 0
    shown = result.stdout
    assert "Why does my sourdough bread not rise?" in shown
    assert "bread · baking · mina · CC BY-SA 4.0" in shown
    assert "It stays flat, whatever I do." in shown
    assert shown.index("The kitchen is too cold.") < shown.index("The starter is too young.")
    assert "Answer 1 of 2" in shown
    assert "+7" in shown


def test_a_thread_is_found_by_words_of_it(threadwise: Threadwise) -> None:
    result = threadwise("thread", "reset router factory settings")
    assert result.exit_code == 0
    assert "How do I reset the router" in result.stdout


def test_json_is_the_import_form_with_tallies(threadwise: Threadwise) -> None:
    result = threadwise("thread", "bread", "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert {key: shown[key] for key in JSON_THREAD if key != "answers"} == {
        key: value for key, value in JSON_THREAD.items() if key != "answers"
    }
    assert [(a["id"], a["score"], a["tally"]) for a in shown["answers"]] == [
        ("a2", 7, 7),
        ("a1", 2, 2),
    ]


def test_a_thread_without_answers_says_so(threadwise: Threadwise, home: Path) -> None:
    (home / "seeds" / "lonely.txt").write_text(
        "Is anybody out there?\n\nscore:0\n", encoding="utf-8"
    )
    assert "Nobody has answered yet." in threadwise("thread", "lonely").stdout


@pytest.mark.parametrize("words", ["no-such-thread", "xyzzy plugh", "", "  "])
def test_what_is_not_there_is_exit_code_1(threadwise: Threadwise, words: str) -> None:
    result = threadwise("thread", words)
    assert result.exit_code == 1
    assert not result.stdout
    assert result.stderr.startswith("error: no thread")
