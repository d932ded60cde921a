"""Messages that ask several things are cut where a question ends, and nowhere else."""

from __future__ import annotations

import pytest

from bot.services.question_parts import questions_in


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "How do I vote? And where can I see the votes?",
            ["How do I vote?", "where can I see the votes?"],
        ),
        ("How do I vote, right? ok", ["How do I vote, right?"]),
        ("Why does `a ? b : c` fail here?", ["Why does `a ? b : c` fail here?"]),
        ("```js\nok = how.are.you ? 1 : 2\n```\nfails for me", []),
        ("Where is </settings show:123>? Thanks!", ["Where is </settings show:123>?"]),
        ("is https://a.b/c?d=e down for you?", ["is   down for you?"]),
        (
            "どうやって投票しますか？どこで見られますか？",
            ["どうやって投票しますか？", "どこで見られますか？"],
        ),
    ],
)
def test_questions_of_a_message(text: str, parts: list[str]) -> None:
    assert questions_in(text) == parts


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        (
            "How do I make a poll? And, also, how do I pin it? Thanks",
            ["How do I make a poll?", "how do I pin it?"],
        ),
        ("Wie geht das? und wo steht es?", ["Wie geht das?", "wo steht es?"]),
        ("как создать опрос? а как закрепить?", ["как создать опрос?", "как закрепить?"]),
        ("where is it and how do I pin it?", ["where is it and how do I pin it?"]),
        (
            "android or iphone? e-mail is sent where?",
            ["android or iphone?", "e-mail is sent where?"],
        ),
        ("how do I vote? and you?", ["how do I vote?"]),
    ],
)
def test_questions_come_without_the_words_that_join_them(text: str, questions: list[str]) -> None:
    assert questions_in(text) == questions
