"""JSON of other programs: what is ours keeps its ids, what is somebody's own never takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.models import Answer, Thread
from bot.sources import SourceReport, read


def write(path: Path, value: Any) -> Path:
    lines = path.suffix == ".jsonl"
    path.write_text("\n".join(map(json.dumps, value)) if lines else json.dumps(value))
    return path


def keys(path: Path, report: SourceReport | None = None) -> list[str]:
    return [thread.key for thread in read(path, report or SourceReport())]


ARTICLE = {"id": 7, "title": "Beans", "body": "<p>Sow them in <b>May</b>.</p>"}


def test_articles_of_two_help_desks_with_one_id_are_two_threads(tmp_path: Path) -> None:
    for name in ("north", "south"):
        path = write(tmp_path / f"{name}.json", {"articles": [ARTICLE]})
        (thread,) = read(path, SourceReport())
        assert thread.key == f"{name}#7"
        assert thread.answers == (Answer(body="Sow them in **May**."),)
        assert thread.body == ""


def test_an_article_says_more_than_its_text(tmp_path: Path) -> None:
    article = {
        **ARTICLE,
        "url": "https://api.example.org/7.json",
        "html_url": "https://example.org/7",
        "label_names": ["garden"],
        "vote_sum": 3,
        "draft": False,
    }
    draft = {**article, "id": 8, "draft": True}
    report = SourceReport()
    (thread,) = read(write(tmp_path / "desk.json", [article, draft]), report)
    assert (thread.url, thread.tags) == ("https://example.org/7", ("garden",))
    assert thread.answers[0].score == 3
    assert report.passed_over == {"drafts": 1}


@pytest.mark.parametrize(
    "value",
    [
        [{"id": 1, "title": "Spade", "price": 12, "description": "Digs."}],
        [{"id": 1, "title": "The gate is stuck", "body": "It won't open.", "state": "open"}],
        [{"id": 1, "title": "Spade", "answers": []}],
        ["How do I sow beans?", "When do I sow beans?"],
        [{"question": "How do I sow beans?"}],
    ],
)
def test_what_only_has_an_id_and_a_title_becomes_no_thread(tmp_path: Path, value: Any) -> None:
    report = SourceReport()
    assert keys(write(tmp_path / "shop.json", value), report) == []
    (refused,) = report.rejected
    assert "its JSON has another shape" in refused.reason or "must not be empty" in refused.reason


def test_a_list_of_goods_in_lines_is_none_of_ours(tmp_path: Path) -> None:
    report = SourceReport()
    goods = [{"id": 1, "title": "Spade", "price": 12}, {"id": 2, "title": "Mug", "colour": "red"}]
    assert keys(write(tmp_path / "shop.jsonl", goods), report) == []
    first, second = report.rejected
    assert (first.line, second.line) == (1, 2)
    assert "no answers (its keys are id, title, price); if it is a question, give it" in str(first)
    ours = [{"id": 1, "title": "Spade?", "tags": []}, {"id": 2, "title": "Mug?", "answers": []}]
    assert keys(write(tmp_path / "a.jsonl", ours), SourceReport()) == ["1", "2"]


def test_an_export_keeps_its_ids_in_any_file(tmp_path: Path) -> None:
    row = {"id": "k", "title": "Beans?", "answers": [{"body": "In May."}]}
    assert keys(write(tmp_path / "a.json", {"threads": [row]})) == ["k"]
    assert keys(write(tmp_path / "a.jsonl", [row, {"id": "bare", "title": "Peas?"}])) == [
        "k",
        "bare",
    ]


def test_ids_that_look_the_same_are_one(tmp_path: Path) -> None:
    report = SourceReport()
    lines = [{"id": i, "title": "T"} for i in ("a", " a ", "a\u200b", "\ufeffa")]
    assert keys(write(tmp_path / "a.jsonl", lines), report) == ["a"]
    assert len(report.rejected) == 3
    raw = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # spelt with a joiner
    kept = [{"id": i, "title": "T"} for i in (" 7 ", raw, raw.replace("\u200c", ""))]
    assert keys(write(tmp_path / "a.jsonl", kept)) == ["7", raw, raw.replace("\u200c", "")]
    pairs = [{"id": i, "question": "Q?", "answer": "A"} for i in ("7", "7\u2060 ")]
    assert keys(write(tmp_path / "b.json", pairs)) == ["b#7"]


def test_ids_that_differ_in_case_alone_are_two_and_told(tmp_path: Path) -> None:
    for order in (("Bean", "bean"), ("bean", "Bean"), ("BEAN", "Bean")):
        report = SourceReport()
        lines = [{"id": i, "title": "T"} for i in order]
        assert keys(write(tmp_path / "a.jsonl", lines), report) == [*order]
        (warning,) = report.warned
        assert "differ in capital letters alone" in warning.reason


def test_threads_without_an_answer_are_reported_of(tmp_path: Path) -> None:
    report = SourceReport()
    lines: list[dict[str, Any]] = [{"id": 1, "title": "T"}, {"id": 2, "title": "U"}]
    assert len(keys(write(tmp_path / "a.jsonl", lines), report)) == 2
    assert report.hints == ["threads that have no answer yet: 2"]


FAQ = """
# {title}

## Sowing beans

In May.

## Watering

Every morning.
"""


@pytest.mark.parametrize("title", ["FAQ", "Frequently asked questions", "Häufige Fragen", "Q&A"])
def test_topics_of_a_page_that_is_called_faq_are_its_questions(tmp_path: Path, title: str) -> None:
    expected = ["garden#sowing-beans", "garden#watering"]
    page = tmp_path / "garden.md"
    page.write_text(FAQ.format(title=title))
    assert keys(page) == expected
    page.write_text(f"---\ntitle: {title}\n---\n{FAQ.format(title=title)}")
    assert keys(page) == expected


def test_topics_of_another_page_are_none(tmp_path: Path) -> None:
    page = tmp_path / "garden.md"
    page.write_text(FAQ.format(title="Our garden"))
    assert keys(page) == []


def test_a_page_of_equal_blocks_is_read_and_not_its_advert_alone(tmp_path: Path) -> None:
    page = tmp_path / "garden.html"
    blocks = "".join(
        f"<div class='row'><div class='a'>{question}</div><div class='b'>{answer}</div></div>"
        for question, answer in (("When do I sow?", "In <b>May</b>."), ("How deep?", "A thumb."))
    )
    page.write_text(f"<html><body><h1>Help</h1>{blocks}<h2>Want seeds?</h2><p>Buy!</p></html>")
    threads = {thread.key: thread.answers[0].body for thread in read(page, SourceReport())}
    assert threads == {"garden#when-do-i-sow": "In **May**.", "garden#how-deep": "A thumb."}


def test_questions_on_buttons_are_answered_by_what_they_open(tmp_path: Path) -> None:
    page = tmp_path / "garden.html"
    item = "<div class='item'><h2><button>{}</button></h2><div class='panel'><p>{}</p></div></div>"
    blocks = item.format("When do I sow?", "In May.") + item.format("How deep?", "A thumb.")
    page.write_text(f"<html><body><nav>Home?</nav>{blocks}</body></html>")
    assert [t.answers[0].body for t in read(page, SourceReport())] == ["In May.", "A thumb."]


def test_more_headings_than_blocks_are_the_questions(tmp_path: Path) -> None:
    page = tmp_path / "garden.html"
    headings = "".join(f"<h2>Question {n}?</h2><p>Answer {n}</p>" for n in range(3))
    teasers = "<div class='t'><p>Hungry?</p><p>Eat.</p></div>" * 2
    page.write_text(f"<html><body>{headings}{teasers}</body></html>")
    found: list[Thread] = list(read(page, SourceReport()))
    assert [thread.title for thread in found] == ["Question 0?", "Question 1?", "Question 2?"]


def of_page(tmp_path: Path, body: str) -> dict[str, str]:
    page = tmp_path / "garden.html"
    page.write_text(f"<!doctype html><html><body>{body}</body></html>")
    return {thread.title: thread.answers[0].body for thread in read(page, SourceReport())}


def test_what_paragraphs_ask_the_reader_is_not_what_the_page_answers(tmp_path: Path) -> None:
    prose = "<p>Tired?</p><p>We too.</p><p>Cold?</p><p>Come in.</p>"
    heading = "<h2>When do I sow?</h2><p>In May.</p>"
    assert list(of_page(tmp_path, heading + prose)) == ["When do I sow?"]
    assert list(of_page(tmp_path, heading + f"<div>{prose}</div>")) == ["When do I sow?"]
    told = "".join(f"<p class='t'>{text}</p>" for text in ("Tired?", "We too.", "Cold?", "x", "y"))
    assert list(of_page(tmp_path, heading + told)) == ["When do I sow?"]
    assert of_page(tmp_path, told) == {}


def test_what_is_asked_below_headings_is_a_part_of_their_answers(tmp_path: Path) -> None:
    asked = "".join(f"<p class='q'>{n} times?</p><p>Then {n}.</p>" for n in range(4))
    headings = f"<h2>When do I sow?</h2><p>In May.</p><h2>How often?</h2>{asked}"
    assert list(of_page(tmp_path, headings)) == ["When do I sow?", "How often?"]


def test_a_title_that_asks_does_not_hide_the_blocks_below_it(tmp_path: Path) -> None:
    blocks = "<div class='q'>When do I sow?</div><div>In May.</div>"
    blocks += "<div class='q'>How deep?</div><div>A thumb.</div>"
    found = of_page(tmp_path, f"<h1>Any questions?</h1>{blocks}")
    assert found == {"When do I sow?": "In May.", "How deep?": "A thumb."}


@pytest.mark.parametrize(
    "title",
    ["Garden FAQ", "FAQ – Beans", "Garden: FAQs", "F.A.Q.", "Frequently asked questions on beans"],
)
def test_a_page_whose_name_says_more_than_faq_is_one_too(tmp_path: Path, title: str) -> None:
    page = tmp_path / "garden.md"
    page.write_text(f'---\ntitle: "{title}"\n---\n{FAQ.format(title=title)}')
    assert keys(page) == ["garden#sowing-beans", "garden#watering"]


@pytest.mark.parametrize("title", ["Adding an entry to the FAQ", "Editing the FAQ", "Lost key"])
def test_a_title_about_something_is_a_question(tmp_path: Path, title: str) -> None:
    page = tmp_path / "garden.md"
    page.write_text(f"---\ntitle: {title}\n---\n\nLike so.\n\n## Then\n\nWait.\n")
    assert [thread.title for thread in read(page, SourceReport())] == [title]


def test_one_article_in_a_file_of_its_own_takes_no_bare_id(tmp_path: Path) -> None:
    report = SourceReport()
    assert keys(write(tmp_path / "desk.json", ARTICLE), report) == []
    assert len(report.rejected) == 1
    goods = [{"id": n, "title": f"Vase {n}", "price": 3} for n in (1, 2)]
    path = tmp_path / "shop.json"
    path.write_text("\n".join(map(json.dumps, goods)))  # as databases write them
    assert keys(path, report) == []
    assert [e.line for e in report.rejected] == [None, 1, 2]


def test_a_single_question_waits_for_its_answer_and_is_reported(tmp_path: Path) -> None:
    page, report = tmp_path / "beans.txt", SourceReport()
    page.write_text("When do I sow beans?\n")
    assert keys(page, report) == ["beans"]
    assert report.hints == ["threads that have no answer yet: 1"]
    page.write_text("When do I sow beans?\n\nIn May.\n")
    assert keys(page, report) == []


def test_goods_are_no_help_desks_articles(tmp_path: Path) -> None:
    vase = {"id": 1, "title": "Vase", "description": "Glass.", "price": 3}
    assert keys(write(tmp_path / "shop.json", {"articles": [vase]})) == []
