"""Markdown: which headings are questions, what belongs to each, and what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import InputError
from bot.models import Answer, Thread
from bot.sources import SourceReport, markdown_sections, read
from bot.sources.faq import faq_threads
from bot.sources.files import Options
from bot.sources.markdown_sections import heading_words
from bot.sources.writers import write_faq
from tests.kit import strategies
from tests.kit.growth import cpu_seconds

# Machines that run tests may be busy: how long an example takes says nothing.
relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))


def faq(text: str, report: SourceReport, name: str = "faq.md") -> list[Thread]:
    return list(faq_threads(text, Path(name), report))


def one(text: str) -> Thread:
    report = SourceReport()
    (thread,) = faq(text, report)
    assert report == SourceReport()
    return thread


def refusals(report: SourceReport) -> list[tuple[int | None, str]]:
    return [(error.line, error.reason) for error in report.rejected]


def test_each_heading_that_is_a_question_is_a_thread(report: SourceReport):
    text = """# Frequently asked

Welcome!

## How do I vote?

Tap an **arrow**.

Or press a button.

## About us

We are three.

## Where is the *log*?

In `data`.
"""
    assert faq(text, report) == [
        Thread(
            key="faq#how-do-i-vote",
            title="How do I vote?",
            answers=(Answer(body="Tap an **arrow**.\n\nOr press a button."),),
        ),
        Thread(
            key="faq#where-is-the-log",
            title="Where is the log?",
            answers=(Answer(body="In `data`."),),
        ),
    ]
    assert report == SourceReport(passed_over=report.passed_over)
    assert report.passed_over == {"sections whose heading is no question": 1}


def test_several_answers_stand_under_headings_of_their_own():
    thread = one(
        """# How do I vote?

On a phone.

## Answer (score 3)

Tap.

## Answer

Press.

### On old phones

Press harder.

## Answer (score -2)
Don't.
## accepted ANSWER 4:

Never.
""".replace("score 3, accepted", "score 3")
    )
    assert thread.body == "On a phone."
    assert thread.answers == (
        Answer(body="Tap.", score=3),
        Answer(body="Press.\n\n### On old phones\n\nPress harder."),
        Answer(body="Don't.", score=-2),
        Answer(body="Never.", accepted=True),
    )


@pytest.mark.parametrize(
    ("heading", "score", "accepted"),
    [
        ("Answer", 0, False),
        ("Answer (score 3, accepted)", 3, True),
        ("Answer (accepted; score: \u22123)", -3, True),
        ("*Answer* 2 (Score +4):", 4, False),
        ("Accepted answer", 0, True),
    ],
)
def test_how_an_answer_may_be_headed(heading: str, score: int, accepted: bool):
    assert one(f"# Why?\n## {heading}\nx").answers == (
        Answer(body="x", score=score, accepted=accepted),
    )


@pytest.mark.parametrize(
    ("heading", "title", "key"),
    [
        ("# How do I vote?", "How do I vote?", "how-do-i-vote"),
        ("###### How do I vote? ######", "How do I vote?", "how-do-i-vote"),
        ("How do I\nvote?\n====", "How do I vote?", "how-do-i-vote"),
        ("## 3. Why [not](http://e.org)?", "Why not?", "why-not"),
        ("## 3.1) Why?", "Why?", "why"),
        ("## Q: Reset the **router**", "Reset the router", "reset-the-router"),
        ("## Q12. Why?", "Why?", "why"),
        ("## “Why?” :)", "“Why?” :)", ""),
        ("## ¿Por qué no?", "¿Por qué no?", "por-qué-no"),
        ("## なぜですか？", "なぜですか？", "なぜですか"),
        ("## What is `a_b`? {#underscore}", "What is a_b?", "underscore"),
        ("## ???", "???", "a03b221c"),
    ],
)
def test_what_is_a_question(heading: str, title: str, key: str, report: SourceReport):
    if key:
        thread = one(f"{heading}\n\nBecause.")
        assert (thread.title, thread.key.split("#")[1][:16]) == (title, key[:16])
    else:
        with pytest.raises(InputError, match="no heading in it is a question"):
            faq(heading, report)


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("How do I vote? (beta)", "How do I vote? (beta)"),
        ("How do I *vote*?:", "How do I vote?"),
        ("Wo ist er? [neu]", "Wo ist er? [neu]"),
        ("1. How long does it take", "How long does it take"),
        ("how much is it", "how much is it"),
        ("What is Threadwise", "What is Threadwise"),
        ("What’s a thread", "What’s a thread"),
        ("What payment methods do you accept", "What payment methods do you accept"),
        ("Which browsers are supported {#browsers}", "Which browsers are supported"),
        ("Why doesn't it work", "Why doesn't it work"),
        ("What if I lose my card", "What if I lose my card"),
        ("Can I get a refund", "Can I get a refund"),
        ("Is there a free trial", "Is there a free trial"),
        ("Do you ship abroad", "Do you ship abroad"),
        ("Are refunds possible", "Are refunds possible"),
    ],
)
def test_a_heading_may_ask_without_a_question_mark_at_its_end(heading: str, title: str):
    assert one(f"# Help\n\n## {heading}\n\nSo.\n").title == title


@pytest.mark.parametrize(
    "heading",
    [
        "How it works",
        "How to vote",
        "What we do",
        "What's new",
        "What is new in 2.0",
        "What the numbers are telling",
        "Who we are",
        "When I grow up",
        "Do it yourself",
        "Do the following",
        "Have a question",
        "Can sizes are odd",
        "May 2024 was cold",
        "Will and testament",
        "IS NULL",
        "Whatever is left",
        "Why? And how it went",
        "“Why?” :)",
        "Am Anfang war das Wort",
    ],
)
def test_other_headings_ask_nothing_and_are_counted(heading: str, report: SourceReport):
    text = f"# Help\n\n## Why?\n\nx\n\n## {heading}\n\nSo.\n"
    assert [t.title for t in faq(text, report)] == ["Why?"]
    assert report.passed_over == {"sections whose heading is no question": 1}


@pytest.mark.parametrize(
    ("text", "threads"),
    [
        ("# What is Tool\na\n## Install\nb\n## Why?\nc", {"Why?": "c"}),
        ("# How do I pay\na\n## Is it safe?\nb\n# Why?\nc", {"Is it safe?": "b", "Why?": "c"}),
        ("# Why?\na\n## How do I wait\nb", {"Why?": "a\n## How do I wait\nb"}),
        ("# Why?\na\n## So? (yes)\nb", {"Why?": "a\n## So? (yes)\nb"}),
        ("# Why?\n# Answer\na\n## Is it so then\nb", {"Why?": "a\n## Is it so then\nb"}),
        (
            "# How do I pay\na\n## Cash\nb\n# Why?\nc",
            {"How do I pay": "a\n## Cash\nb", "Why?": "c"},
        ),
        ("# How do I pay\n## Answer (score 3)\na", {"How do I pay": "a"}),
        (
            "# Help\n## How do I pay\na\n### What is cash\nb",
            {"How do I pay": "a\n### What is cash\nb"},
        ),
    ],
)
def test_only_where_questions_stand_it_may_ask_so(
    text: str, threads: dict[str, str], report: SourceReport
):
    assert {t.title: t.answers[0].body for t in faq(text, report)} == threads
    assert report.rejected == []


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("## Hours\na\n## Why?\nb\n## Prices\nc\n### Summer\nd", 2),
        ("## Hours\n### Summer\na\n## Why?\nb", 1),
        ("# Help\nintro\n# Why?\nb", 0),
        ("# Help\nintro\n## Why?\nb\n# Imprint\nc", 0),
        ("intro\n\n## Empty\n\n## Why?\nb", 0),
        ("## Billing\nintro\n### How?\na\n## Why?\nb", 0),
        ("## Contents\n- Why\n- How\n## Why?\nb", 0),
        ("## Here\n- [Why](#why)\n1. [How](how.md)\n## Why?\nb", 0),
        ("## More\n<details><summary>How?</summary>So.</details>\n\n## Why?\nb", 0),
    ],
)
def test_what_is_lost_beside_questions_is_counted(text: str, lost: int, report: SourceReport):
    assert "Why?" in [thread.title for thread in faq(text, report)]
    assert report.passed_over["sections whose heading is no question"] == lost
    assert report.rejected == []


@pytest.mark.parametrize(
    "text",
    [
        "```\n# What is this?\n```",
        "~~~~\n# What is this?\n~~~\n~~~~",
        "    # What is this?",
        "> # What is this?",
        "- a\n\n  # What is this?",
        "<!--\n# What is this?\n-->",
        "<pre>\n# What is this?\n</pre>",
        "#What is this?",
        "\\# What is this?",
    ],
)
def test_what_only_looks_like_a_heading_is_text(text: str):
    thread = one(f"# Why?\n\n{text}\n\nx")
    assert thread.answers[0].body == f"{text}\n\nx".strip("\n")


def test_questions_within_an_answer_are_threads_of_their_own(report: SourceReport):
    text = "# Why?\na\n## And how?\nb\n### Linux\nc\n## Windows\nd\n# News\ne"
    assert {t.title: t.answers[0].body for t in faq(text, report)} == {
        "Why?": "a\n## Windows\nd",
        "And how?": "b\n### Linux\nc",
    }


def test_details_that_are_questions_are_threads(report: SourceReport):
    text = """# Tool

<details>
<summary><b>How do I *vote*?</b></summary>

Tap.

## Then

- wait

</details>

<details><summary>2. Why?</summary>So.</details>
<details><summary>Show the log</summary>x</details>

```html
<details><summary>Is this code?</summary>Yes</details>
```

## Who?

<details><summary>You?</summary>Me.</details>
"""
    assert [(t.key, t.answers[0].body) for t in faq(text, report)] == [
        ("faq#how-do-i-vote", "Tap.\n\n## Then\n\n- wait"),
        ("faq#why", "So."),
        ("faq#who", "<details><summary>You?</summary>Me.</details>"),
    ]
    assert report == SourceReport()


def test_the_same_question_again_is_counted_as_links_to_it_are(report: SourceReport):
    text = "# Flights\n## Can I cancel?\na\n# Hotels\n## Can I cancel?\nb\n## Can I cancel?\nc"
    assert [t.key for t in faq(text, report, "help.md")] == [
        "help#can-i-cancel",
        "help#can-i-cancel-1",
        "help#can-i-cancel-2",
    ]


def test_an_edited_answer_keeps_its_key(report: SourceReport):
    before, after = one("# 1. Why?\na"), one("# Intro\n\n# 2. Why?\nanother")
    assert before.key == after.key == "faq#why"


def test_a_question_without_text_is_passed_over_and_counted(report: SourceReport):
    assert [t.title for t in faq("# Questions?\n## Why?\nx\n## How?\n", report)] == ["Why?"]
    assert report.passed_over == {"questions without an answer": 2}
    assert report.rejected == []


def test_front_matter_holds_for_all_threads(report: SourceReport):
    text = """---
title: Help
author: Mina
license: CC0
tags: [bots, votes]
url: https://e.org/faq
date: 2024-05-31
layout: page
colour: red
---
## 1. Why?
a
## How?
b
### Answer
c
"""
    first, second = faq(text, report)
    assert (first.author, first.license, first.tags) == ("Mina", "CC0", ("bots", "votes"))
    assert first.url == "https://e.org/faq#1-why"
    assert first.asked_at == datetime(2024, 5, 31, tzinfo=UTC)
    assert [a.author for a in (*first.answers, *second.answers)] == ["Mina", "Mina"]
    assert report.unknown_keys == {"colour": 1}
    assert report.rejected == []


def test_of_two_dates_in_front_matter_the_first_that_can_be_is_taken(report: SourceReport):
    (thread,) = faq("---\ncreated: soon\npublished:\ntimestamp: 2024-05-31\n---\n# Why?\nx", report)
    assert thread.asked_at == datetime(2024, 5, 31, tzinfo=UTC)
    assert [(error.line, error.reason) for error in report.warned] == [
        (1, 'created "soon" is no date like 2024-05-31, and was left out')
    ]


def test_values_that_are_not_of_the_kind_that_they_name_are_text(report: SourceReport):
    about = "a: !!bool x\nb: !!int ''\nc: !!float '_'\ndate: !!timestamp soon\nid: 0x" + "f" * 5000
    (thread,) = faq(f"---\n{about}\n---\n# Why?\nx", report)
    assert thread.key.startswith("0xfff")
    assert [error.reason for error in report.warned] == [
        'date "soon" is no date like 2024-05-31, and was left out'
    ]
    assert report.rejected == []


def test_an_id_in_front_matter_goes_before_a_slug():
    thread = one("---\nslug: short\nid: real\n---\n# Why?\nx")
    assert thread.key == "real#why"


def test_a_date_in_a_comment_of_ours_that_cannot_be_is_left_out_too(report: SourceReport):
    (thread,) = faq('# A\n\n<!-- threadwise {"id": 1, "asked_at": "soon"} -->\nx', report)
    assert (thread.key, thread.asked_at) == ("1", None)
    assert [(error.line, error.reason) for error in report.warned] == [
        (1, 'asked_at "soon" is no date like 2024-05-31, and was left out')
    ]


def test_a_page_whose_question_is_in_its_front_matter():
    thread = one(
        "---\ntitle: Why?\nid: why-1\nphrasings:\n  - What for?\n---\n\nBecause.\n\n"
        "## What is more\n\nx"
    )
    assert (thread.key, thread.title, thread.phrasings) == ("why-1", "Why?", ("What for?",))
    assert thread.answers == (Answer(body="Because.\n\n## What is more\n\nx"),)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("a: [", "its front matter is not YAML"),
        ("author: !!binary aGk=", "its front matter is not YAML"),
        ("tags: !!set {a, b}", "its front matter is not YAML"),
        ("a: &x 1\nb: *x", "its front matter has YAML aliases"),
        ("author: {a: 1}", "author must be text, it is an object"),
        ("Autor: {a: 1}", "Autor must be text, it is an object"),
        ("a: " + "[" * 5000, "its front matter is too long, or nested too deeply"),
        ("? !!python/object:os.system x", "its front matter is not YAML"),
    ],
)
def test_front_matter_that_cannot_be_read_is_refused(head: str, reason: str, report: SourceReport):
    with pytest.raises(InputError) as caught:
        faq(f"---\n{head}\n---\n# Why?\nx", report)
    assert caught.value.reason.startswith(reason)
    assert caught.value.line == 1


def test_rules_at_the_top_are_no_front_matter(report: SourceReport):
    assert [t.title for t in faq("---\nHello\n---\n# Why?\nx", report)] == ["Why?"]
    assert [t.title for t in faq("---\n# Why?\nx", report)] == ["Why?"]


@pytest.mark.parametrize(
    ("date", "what"),
    [
        ("2999-01-01", "is far in the future, and was left out"),
        ("2024-13-45", "is no date like 2024-05-31, and was left out"),
        ("2024-02-30T25:61:00Z", "is no date like 2024-05-31, and was left out"),
        ("31.05.2024", "is no date like 2024-05-31, and was left out"),
    ],
)
def test_a_date_that_cannot_be_is_left_out_with_a_warning(
    date: str, what: str, report: SourceReport
):
    (thread,) = faq(f"---\ndate: {date}\n---\n# Why?\nx", report)
    assert thread.asked_at is None
    assert [error.reason for error in report.warned] == [f'date "{date}" {what}']


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("# Why?\n## Answer (scroe 3)\nx", 2, "'Answer (scroe 3)' is not how an answer is headed"),
        ("# Why?\na\n## Answer\n\n## Answer\nx", 1, "the answer on line 3 has no text"),
        ("# Why?\n## Answer (score 9999999999999999999)\na", 1, "answers[0].score must fit"),
        ("# Why? {#x}\na\n# How? {#x}\nb", 3, "its id is the same as on line 1"),
        ("# Why?\na\0b", 1, "answers[0].body holds a NUL"),
        ("# A\n<!-- threadwise {oops} -->\nx", 1, "its comment is not JSON"),
        ('# A\n<!-- threadwise {"id": 1, "score": "x"} -->\nx', 1, "score must be a whole number"),
        ('# A\n<!-- threadwise {"id": ""} -->\nx', 1, "id must not be empty"),
    ],
)
def test_a_bad_question_is_named_and_the_rest_loads(
    text: str, line: int, reason: str, report: SourceReport
):
    found = faq(f"{text}\n\n# Last?\n\nyes", report)
    assert found[-1].title == "Last?"
    assert [(where, said[: len(reason)]) for where, said in refusals(report)] == [(line, reason)]


@pytest.mark.parametrize("comment", ["", '<!-- threadwise {"id": "why"} -->\n'])
def test_of_several_accepted_answers_the_first_is(comment: str, report: SourceReport):
    text = f"# Why?\n{comment}## Answer\na\n## Accepted answer\nb\n## Answer (score 2, accepted)\nc"
    (thread,) = faq(f"---\nauthor: Mi\n---\n{text}", report)
    assert [(a.body, a.score, a.accepted) for a in thread.answers] == [
        ("a", 0, False),
        ("b", 0, True),
        ("c", 2, False),
    ]
    line = 10 if comment else 9
    what = f"a second accepted answer, taken for an ordinary one; the first is on line {line - 2}"
    assert [(error.line, error.reason) for error in report.warned] == [(line, what)]
    assert report.rejected == []


def test_lines_are_counted_from_the_top_of_the_file(report: SourceReport):
    faq("---\na: b\n---\n\n# Why?\n## Answer\n\n# How?\nx", report)
    assert [line for line, _ in refusals(report)] == [5]


def test_a_file_is_recognised_by_its_questions(tmp_path: Path, report: SourceReport):
    (tmp_path / "help").write_text("Intro\n\n## Why?\n\nx\n")
    (tmp_path / "help.md.gz").write_bytes(gzip.compress(b"# Why?\nx"))
    (tmp_path / "crlf.md").write_bytes(b"\xef\xbb\xbf# Why?\r\n\r\nx\r\ny\r\n")
    assert [t.key for t in read(tmp_path / "help", report)] == ["help#why"]
    assert [t.key for t in read(tmp_path / "help.md.gz", report)] == ["help#why"]
    (thread,) = read(tmp_path / "crlf.md", report)
    assert thread.answers[0].body == "x\ny"
    assert report == SourceReport()


def test_a_text_page_that_begins_like_markdown_stays_a_text_page(
    tmp_path: Path, report: SourceReport
):
    page = tmp_path / "page.txt"
    page.write_text("# Why?\n\nNo answer yet.\n\nscore:0\n")
    (thread,) = read(page, report)
    assert (thread.key, thread.title, thread.body) == ("page", "# Why?", "No answer yet.")
    (thread,) = read(page, report, Options(format="markdown"))
    assert (thread.key, thread.title) == ("page#why", "Why?")


def test_a_page_without_questions_is_refused_when_named_and_else_passed_over(
    tmp_path: Path, report: SourceReport
):
    (tmp_path / "README.md").write_text("# Tools\n\n## How it works\n\nWell.\n")
    (tmp_path / "faq.md").write_text("# Why?\n\nx\n")
    assert [t.key for t in read(tmp_path, report)] == ["faq#why"]
    assert report == SourceReport(passed_over=report.passed_over)
    assert report.passed_over == {"pages without a question": 1}
    assert list(read(tmp_path / "README.md", report)) == []
    assert refusals(report)[0][1].startswith("no heading in it is a question")


def test_files_of_one_name_may_not_give_the_same_thread(tmp_path: Path, report: SourceReport):
    for folder, text in {"a": "# Why?\na\n# How?\nb", "b": "# Why?\nc\n# Where?\nd"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "faq.md").write_text(text)
    assert [t.key for t in read(tmp_path, report)] == ["faq#why", "faq#how", "faq#where"]
    ((_, reason),) = refusals(report)
    assert reason.startswith("its thread faq#why is in ")


def test_text_that_is_not_utf8_is_named_with_its_line(tmp_path: Path, report: SourceReport):
    path = tmp_path / "faq.md"
    path.write_bytes("# Why?\n\ncafé".encode("latin-1"))
    assert list(read(path, report)) == []
    assert refusals(report) == [
        (
            3,
            "it is not UTF-8 text (byte 0xe9 at position 11); save it as UTF-8, or say what it "
            "is: --encoding NAME",
        )
    ]


@pytest.mark.untraced
@pytest.mark.parametrize(
    "line",
    [
        "# Why?\nx\n",
        "```\n",
        "> \n",
        "- a\n",
        "# a\n",
        "<!--\n",
        "> " * 200 + "\n",
        "*[`a",
        "<details>\n",
        "<summary>\n",
        "# How do I\n## How do I go\nx\n",
        "## So\nx\n",
        "?(",
    ],
)
def test_a_long_file_takes_no_more_than_moments(line: str, report: SourceReport):
    text = "# Why?\n\nx\n\n<details>\n" + line * (64 * 1024 // len(line)) + "</details>\n"
    read: list[Thread] = []
    assert cpu_seconds(lambda: read.extend(faq(text, report))) < 30
    assert read


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown_sections, "_CHUNK", 2)


mixes = st.lists(
    st.sampled_from(
        ["# Why?", "## Answer", "## So", "```", "x", "", "- a", "  # b?", "===", "<!--"]
    ),
    max_size=30,
)


@relaxed
@given(mixes)
@pytest.mark.usefixtures("small_chunks")
def test_parsed_in_pieces_a_text_says_the_same(mix: list[str]):
    cut = list(markdown_sections.sections(mix))
    chunk, markdown_sections._CHUNK = markdown_sections._CHUNK, 10_000
    try:
        assert cut == list(markdown_sections.sections(mix))
    finally:
        markdown_sections._CHUNK = chunk


@relaxed
@given(mixes.map("\n".join) | strategies.text)
def test_any_text_is_read_or_refused_and_nothing_else(text: str):
    report = SourceReport()
    try:
        found = faq(text, report)
    except InputError:
        return
    assert all(thread.answers for thread in found if "#" in thread.key)


@relaxed
@given(st.text(max_size=60))
def test_the_words_of_any_heading_are_one_line(text: str):
    assert "\n" not in heading_words(text)


def test_a_thread_is_written_for_people():
    thread = Thread(
        key="vote",
        title="How do I vote?",
        body="On a phone.",
        tags=("votes",),
        answers=(
            Answer(body="Tap.", score=3, accepted=True, author="joe"),
            Answer(body="Press.\n\n### Where?\n\nThere."),
        ),
    )
    assert (
        write_faq(thread)
        == """# How do I vote?

<!-- threadwise {"id": "vote", "tags": ["votes"]} -->

On a phone.

## Answer (score 3, accepted)

<!-- threadwise {"author": "joe"} -->

Tap.

## Answer

```markdown verbatim
Press.

### Where?

There.
```

"""
    )


@relaxed
@given(st.lists(strategies.threads, min_size=1, max_size=3, unique_by=lambda thread: thread.key))
@pytest.mark.usefixtures("small_chunks")
def test_reading_what_was_written_gives_equal_threads(written: list[Thread]):
    report = SourceReport()
    assert faq("".join(map(write_faq, written)), report) == written
    assert report == SourceReport()


@relaxed
@given(strategies.threads)
def test_a_written_file_reads_back_whole(tmp_path_factory: Any, thread: Thread):
    path = tmp_path_factory.mktemp("faq") / "all.md"
    path.write_bytes(write_faq(thread).encode())
    report = SourceReport()
    (found,) = read(path, report)
    assert (found.key, found.title, found.answers) == (thread.key, thread.title, thread.answers)
    assert report == SourceReport()
