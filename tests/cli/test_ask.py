"""``threadwise ask``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.command_line import Threadwise

QUESTION = "how do I reset the router to factory settings"


def test_a_fresh_checkout_answers_from_its_seeds(threadwise: Threadwise) -> None:
    result = threadwise("ask", QUESTION)
    assert result.exit_code == 0, result.output
    assert "Answer" in result.stdout
    assert "Hold the reset button for ten seconds" in result.stdout
    assert "✅ accepted" in result.stdout


def test_json_is_exactly_what_the_contract_promises(threadwise: Threadwise) -> None:
    result = threadwise("ask", QUESTION, "--json")
    assert result.exit_code == 0
    reply = json.loads(result.stdout)
    assert list(reply) == ["question", "verdict", "confidence", "matches", "answer", "took_ms"]
    assert reply["question"] == QUESTION
    assert reply["verdict"] == "answer"
    assert 0.6 <= reply["confidence"] <= 1
    assert list(reply["matches"][0]) == ["key", "title", "confidence"]
    assert reply["matches"][0]["key"] == "router"
    assert reply["answer"] == {
        "key": None,
        "body": "Hold the **reset** button for ten seconds.",
        "score": 3,
        "accepted": True,
        "author": None,
        "url": None,
    }
    assert reply["took_ms"] > 0


def test_nothing_that_fits_is_said_kindly_and_is_no_error(threadwise: Threadwise) -> None:
    result = threadwise("ask", "how do I boil an egg")
    assert result.exit_code == 0
    assert "Nothing that fits yet" in result.stdout
    reply = json.loads(threadwise("ask", "how do I boil an egg", "--json").stdout)
    assert (reply["verdict"], reply["answer"]) == ("none", None)


def test_stdin_answers_each_line_in_order(threadwise: Threadwise) -> None:
    lines = [QUESTION, "", "x" * 6_000, "why does sourdough bread not rise", "🥖🥖", "?!", QUESTION]
    result = threadwise("ask", "--stdin", "--json", stdin="\n".join(lines))
    assert result.exit_code == 0, result.output
    replies = [json.loads(line) for line in result.stdout.splitlines()]
    assert [reply["question"] for reply in replies] == lines
    assert [r["verdict"] for r in replies[:2]] == ["answer", "none"]
    assert replies[3]["matches"][0]["key"] == "bread"


def test_stdin_tolerates_windows_lines_bom_and_bytes_that_are_not_utf8(
    threadwise: Threadwise,
) -> None:
    result = threadwise("ask", "--stdin", "--json", stdin=b"\xef\xbb\xbfone\r\ntw\xff\r\n")
    questions = [json.loads(line)["question"] for line in result.stdout.splitlines()]
    assert questions == ["one", "tw\ufffd"]


def test_stdin_without_json_is_for_people(threadwise: Threadwise) -> None:
    result = threadwise("ask", "--stdin", stdin=f"{QUESTION}\n")
    assert "Hold the reset button" in result.stdout


def test_limit_caps_the_matches(threadwise: Threadwise) -> None:
    assert len(_matches(threadwise, "--limit", "1")) == 1
    assert len(_matches(threadwise, "--limit", "100")) <= 100


def _matches(threadwise: Threadwise, *options: str) -> list[object]:
    words = "router reset bread rise sourdough"
    matches = json.loads(threadwise("ask", words, "--json", *options).stdout)["matches"]
    assert isinstance(matches, list)
    return matches


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "why?", "--stdin"),
        ("ask", "why?", "--limit", "0"),
        ("ask", "why?", "--limit", "101"),
        ("ask", "why?", "--limit", "many"),
        ("ask", "why?", "--guild", "-1"),
        ("ask", "why?", "--guild", "here"),
        ("ask", "why?", "--colour"),
        ("ask", "two", "questions"),
        ("tell", "me"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(threadwise: Threadwise, arguments: tuple[str, ...]) -> None:
    result = threadwise(*arguments)
    assert result.exit_code == 2
    assert not result.stdout
    assert "Traceback" not in result.stderr


def test_guild_asks_as_in_that_server(threadwise: Threadwise) -> None:
    asked = json.loads(threadwise("ask", QUESTION, "--json", "--guild", "77").stdout)
    assert asked["answer"]["body"].startswith("Hold")


def test_arguments_that_are_not_utf8_do_no_harm(threadwise: Threadwise) -> None:
    result = threadwise("ask", "caf\udce9", "--json")
    assert json.loads(result.stdout)["question"] == "caf?"


def test_a_seed_that_cannot_be_read_is_named_and_the_rest_answers(
    threadwise: Threadwise, home: Path
) -> None:
    (home / "seeds" / "broken.txt").write_text("Title\nscore:abc\nAccepted answer\nX\n")
    result = threadwise("ask", QUESTION, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["verdict"] == "answer"
    assert "broken.txt" in result.stderr
