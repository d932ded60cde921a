"""Q: and A: at the beginnings of lines: what is a question, what belongs to it, what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InputError
from bot.sources import Options, SourceReport, read
from bot.sources.decoding import FileHead
from bot.sources.qa_labels import looks_labelled, read_labelled

Threads = list[tuple[str, str, list[str]]]


def threads(folder: Path, text: str, name: str = "faq.txt") -> Threads:
    report = SourceReport()
    (folder / name).write_text(text, encoding="utf-8")
    found = [(t.title, t.body, [a.body for a in t.answers]) for t in read(folder / name, report)]
    assert report.rejected == report.warned == []
    return found


def test_an_answer_goes_up_to_the_next_label(tmp_path: Path) -> None:
    text = """Our questions

Q: How do I vote?
A: Tap the arrow.
It counts at once.

    A: is no label here

A: On a phone, hold the answer first.

Q: And then?
Which of them?

I saw two.
A: The upper one.
"""
    assert threads(tmp_path, text) == [
        (
            "How do I vote?",
            "",
            [
                "Tap the arrow.\nIt counts at once.\n\n    A: is no label here",
                "On a phone, hold the answer first.",
            ],
        ),
        ("And then? Which of them?", "I saw two.", ["The upper one."]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Q: Is it on?\nA: Yes.",
        "q: Is it on?\r\na: Yes.\r\n",
        "Question: Is it on?\nAnswer: Yes.",
        "Q1. Is it on?\nA1. Yes.",
        "Question 12) Is it on?\nAnswer 12) Yes.",
        "**Q:** Is it on?\n\n**A:** Yes.",
        "**Q: Is it on?**\n\nA: Yes.",
        "__Q: Is *it* on?__\nA: Yes.\n\n# More\n\nNot of it.",
        "Q:\nIs it on?\n\nA:\n\nYes.",
        "A: To whom?\n\nQ: Is it on?\nA: Yes.",
    ],
)
def test_labels_may_be_written_otherwise(tmp_path: Path, text: str) -> None:
    assert threads(tmp_path, text) == [("Is it on?", "", ["Yes."])]


def test_letters_of_a_list_are_no_labels(tmp_path: Path) -> None:
    text = "Q: Which of them?\nA: One of these:\nA. the first\nB. the second\nA) the third"
    (found,) = threads(tmp_path, text)
    assert found[2] == ["One of these:\nA. the first\nB. the second\nA) the third"]


def test_code_holds_no_labels(tmp_path: Path) -> None:
    text = "Q: How does it look?\nA: So:\n```\nQ: Why?\n# not a heading\nA: Because.\n```"
    (found,) = threads(tmp_path, text)
    assert found[2] == [text.split("A: ", 1)[1]]


@pytest.mark.parametrize(
    "text",
    [
        "A page without labels",
        "Q: A question alone?",
        "A: An answer\nQ: before its question",
        "Q: Is it on?\n\nscore: 5\n\nAccepted answer\n\nA: Yes.",  # a page, which has other marks
        "Quiet: yes\nAlso: no",
        "Q:What?\nA:This",
    ],
)
def test_what_may_be_another_thing_is_not_taken_for_labels(text: str) -> None:
    assert not looks_labelled(FileHead(text.encode()))


def test_a_question_without_an_answer_is_named(tmp_path: Path) -> None:
    report = SourceReport()
    file = tmp_path / "faq.md"
    file.write_text("Q: First?\nA: Yes.\n\nQ: Second?\n\nQ: Third?\nA: No.", encoding="utf-8")
    assert [thread.title for thread in read(file, report)] == ["First?", "Third?"]
    assert [(error.line, error.reason) for error in report.rejected] == [
        (4, "answer must not be empty")
    ]


def test_a_file_that_is_said_to_have_labels_must_have_some(tmp_path: Path) -> None:
    file = tmp_path / "faq.txt"
    file.write_text("Nothing here.", encoding="utf-8")
    report = SourceReport()
    assert list(read(file, report, Options(format="labelled"))) == []
    assert [error.reason for error in report.rejected] == [
        "no line of it begins with Q: and a question"
    ]


def test_headings_that_are_questions_make_it_markdown(tmp_path: Path) -> None:
    text = "## Is it on?\n\nQ: You mean the lamp?\n\nA: Yes.\n"
    ((title, _, _),) = threads(tmp_path, text, "faq.md")
    assert title == "Is it on?"


@given(st.text(st.sampled_from("QAqa:. \n*#`xy?")))
def test_any_text_is_read_or_refused(text: str) -> None:
    report = SourceReport()
    file = Path("faq.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.sources.qa_labels.read_text", lambda _path, _options: text)
        try:
            found = list(read_labelled(file, report, Options()))
        except InputError:
            return
    assert found or report.rejected
    assert all(thread.title and thread.answers for thread in found)
