"""A message that asks several things is cut into its questions."""

from __future__ import annotations

import pytest

from bot.services.question_parts import questions_in


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
