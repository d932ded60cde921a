"""Contents of files that are no part of a thread: counted, not lost in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.models import Thread
from bot.sources import SourceReport, read


def threads(path: Path, text: str, report: SourceReport) -> list[Thread]:
    path.write_text(text, encoding="utf-8")
    return list(read(path, report))


def asked(folder: Path, report: SourceReport, name: str, **row: Any) -> list[Thread]:
    """Read one JSON object, as JSON or as a line of it."""
    text = json.dumps({"question": "Where is the key?"} | row)
    return threads(folder / name, text if name.endswith("l") else f"[{text}]", report)


@pytest.mark.parametrize("name", ["faq.json", "faq.jsonl"])
def test_keys_of_answers_that_are_not_known_are_counted(
    tmp_path: Path, report: SourceReport, name: str
) -> None:
    answers = [
        {"text": "By the door.", "weight": 4, "author": "Mina", "comments": [{"text": "Thanks"}]},
        {"text": "On the hook.", "weight": 1, "note": "", "tags": ["keys"], "seen_by": None},
    ]
    (thread,) = asked(tmp_path, report, name, answers=answers)
    assert [answer.body for answer in thread.answers] == ["By the door.", "On the hook."]
    assert report.unknown_keys == {
        "answers[].weight": 2,
        "answers[].comments": 1,
        "answers[].tags": 1,
    }


def test_a_second_text_of_an_answer_is_counted(tmp_path: Path, report: SourceReport) -> None:
    answers = [{"answer": "By the door.", "content": "In full."}]
    (thread,) = asked(tmp_path, report, "faq.json", answers=answers)
    assert thread.answers[0].body == "By the door."
    assert report.unknown_keys == {"answers[].content": 1}


def test_answers_without_a_text_are_counted(tmp_path: Path, report: SourceReport) -> None:
    answers: list[Any] = [{"text": "By the door."}, {"text": ""}, {"score": 4}, None, "  "]
    (thread,) = asked(tmp_path, report, "faq.json", answers=answers)
    assert len(thread.answers) == 1
    assert report.passed_over == {"answers without a text": 4}
    assert report.rejected == []


def test_where_no_answer_has_a_text_the_question_is_refused_alone(
    tmp_path: Path, report: SourceReport
) -> None:
    assert asked(tmp_path, report, "faq.json", answers=[{"text": ""}, None]) == []
    assert len(report.rejected) == 1
    assert report.passed_over == {}


def test_answers_that_are_there_already_are_counted(tmp_path: Path, report: SourceReport) -> None:
    rows = [
        {"question": "Where?", "answers": ["Here.", "Here.", "There."]},
        {"question": "Where?", "answers": ["There.", "Nowhere."]},
    ]
    (thread,) = threads(tmp_path / "faq.json", json.dumps(rows), report)
    assert [answer.body for answer in thread.answers] == ["Here.", "There.", "Nowhere."]
    assert report.passed_over == {"repeated answers": 2}


def test_what_is_said_of_a_question_with_several_answers_is_counted(
    tmp_path: Path, report: SourceReport
) -> None:
    row: dict[str, Any] = {"answers": ["a", "b"], "score": 3, "date": "2024-05-31", "author": "Mi"}
    (thread,) = asked(tmp_path, report, "faq.json", **row)
    assert [answer.author for answer in thread.answers] == ["Mi", "Mi"]
    assert report.passed_over == {
        "values of 'score' that belong to no answer": 1,
        "values of 'date' that belong to no answer": 1,
    }


def test_a_second_name_of_a_field_is_counted(tmp_path: Path, report: SourceReport) -> None:
    (thread,) = asked(tmp_path, report, "faq.json", answer="x", title="Keys", response="x")
    assert thread.title == "Where is the key?"
    assert report.passed_over == {"values under a second name of the same field": 1}


def test_an_answer_keeps_its_licence_and_its_own_id(tmp_path: Path, report: SourceReport) -> None:
    answers = [
        {"answer_id": 7, "question_id": 3, "body": "a", "licence": "CC0"},
        {"answer_id": 8, "question_id": 3, "body": "b"},
    ]
    (thread,) = asked(tmp_path, report, "faq.json", answers=answers, license="CC BY 4.0")
    assert [(a.key, a.license) for a in thread.answers] == [("7", "CC0"), ("8", None)]
    assert thread.license == "CC BY 4.0"
    assert report.unknown_keys == {"answers[].question_id": 2}


def test_columns_that_are_not_known_are_counted(tmp_path: Path, report: SourceReport) -> None:
    text = "q,a,room,,response,empty\nWhere?,Here,yard,x,There,\nWhen?,Now,,,Then, \n"
    assert len(threads(tmp_path / "faq.csv", text, report)) == 2
    assert report.unknown_keys == {"room": 1, "column 4": 1, "response": 2}


def test_texts_between_labels_are_counted(tmp_path: Path, report: SourceReport) -> None:
    text = "Our questions\n\nQ: Is it on?\nA: Yes.\nA:\n\n# More\n\nNot of it.\n\n# End\n"
    (thread,) = threads(tmp_path / "faq.txt", text, report)
    assert [answer.body for answer in thread.answers] == ["Yes."]
    assert report.passed_over == {
        "answers without a text": 1,
        "texts that belong to no question": 1,
    }


def test_front_matter_that_says_nothing_of_threads_is_counted(
    tmp_path: Path, report: SourceReport
) -> None:
    text = "---\ndescription: All of it\ntag: a\ntags: b\nscore: 3\n---\n# Where?\n\nHere.\n"
    (thread,) = threads(tmp_path / "faq.md", text, report)
    assert thread.tags == ("a",)
    assert report.unknown_keys == {"description": 1, "tags": 1, "score": 1}


def test_what_json_ld_says_of_answers_beside_their_text_is_counted(
    tmp_path: Path, report: SourceReport
) -> None:
    answer = {"@type": "Answer", "text": "Here.", "comment": {"text": "Thanks"}, "downvoteCount": 2}
    question = {
        "@type": "Question",
        "name": "Where?",
        "acceptedAnswer": answer,
        "suggestedAnswer": [{"@type": "Answer", "upvoteCount": 3}],
        "comment": [{"text": "Which?"}, {"text": "This."}],
    }
    page = f'<html><script type="application/ld+json">{json.dumps(question)}</script></html>'
    (thread,) = threads(tmp_path / "faq.html", page, report)
    assert len(thread.answers) == 1
    assert report.unknown_keys == {
        "comment": 2,
        "answers[].comment": 1,
        "answers[].downvoteCount": 1,
    }
    assert report.passed_over == {"answers without a text": 1}


def test_what_microdata_says_of_answers_beside_their_text_is_counted(
    tmp_path: Path, report: SourceReport
) -> None:
    page = """<html><div itemscope itemtype="https://schema.org/Question">
    <h2 itemprop="name">Where?</h2>
    <div itemprop="acceptedAnswer" itemscope itemtype="https://schema.org/Answer">
      <div itemprop="text">Here.</div>
      <div itemprop="comment" itemscope itemtype="https://schema.org/Comment">Thanks</div>
    </div></div></html>"""
    (thread,) = threads(tmp_path / "faq.html", page, report)
    assert thread.answers[0].body == "Here."
    assert report.unknown_keys == {"answers[].comment": 1}


QNA_MAKER = (
    "Question\tAnswer\tSource\tMetadata\tSuggestedQuestions\tIsContextOnly\tPrompts\tQnaId\n"
)


def test_lines_of_qna_maker_are_lines(tmp_path: Path, report: SourceReport) -> None:
    answer = r"Do so:\n\n1. Press `\n`.\r\n2. Wait.\n\n```\na\nb\n```\n\\nas\share"
    text = QNA_MAKER + "\t".join([r"How do I\nwait?", answer, "kb", "", "[]", "False", "[]", "7"])
    (thread,) = threads(tmp_path / "kb.tsv", text, report)
    assert thread.title == "How do I wait?"
    assert thread.answers[0].body == (
        "Do so:\n\n1. Press `\\n`.\n2. Wait.\n\n```\na\nb\n```\n\\\\nas\\share"
    )
    assert report.rejected == []
    assert not {"Source", "Metadata"} & report.unknown_keys.keys()
    assert report.unknown_keys["Prompts"] == 1


@pytest.mark.parametrize(
    "text", [r"Print \n at the end", r"It is $\nu$", r"C:\new\notes", r"Write \\n", r"\n"]
)
def test_in_other_tables_such_letters_are_letters(
    tmp_path: Path, report: SourceReport, text: str
) -> None:
    for name, sign in (("faq.tsv", "\t"), ("faq.csv", ",")):
        table = f"question{sign}answer{sign}source\nWhere?{sign}{text}{sign}kb\n"
        (thread,) = threads(tmp_path / name, table, report)
        assert thread.answers[0].body == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Left<br>then right<br/>then &nbsp;up", "Left\nthen right\nthen  up"),
        ("Left <BR />\nright", "Left\nright"),
        ("Write `<br>` &amp; **go**<br>on", "Write `<br>` & **go**\non"),
        ("| a | b |\n|---|---|\n| 1<br>2 | 3 |", "| a | b |\n|---|---|\n| 1<br>2 | 3 |"),
        ("Salt &amp; pepper", "Salt &amp; pepper"),
    ],
)
def test_breaks_in_cells_are_lines(
    tmp_path: Path, report: SourceReport, text: str, lines: str
) -> None:
    rows = json.dumps([{"question": "Where?", "answer": text}])
    (thread,) = threads(tmp_path / "faq.json", rows, report)
    assert thread.answers[0].body == lines
