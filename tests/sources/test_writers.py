"""Text pages as they are written: for people, and back without loss."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import Answer, Thread
from bot.sources import SourceReport, read
from bot.sources.text_page import read_page
from bot.sources.writers import Pages, page_name, write_page
from tests.kit import strategies

relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))

VOTE = Thread(
    key="vote",
    title="How do I vote?",
    body="On a phone.",
    score=2,
    answers=(
        Answer(body="Tap.", score=3, accepted=True),
        Answer(body="Write\n\nUpvote:1\n\nbelow it."),
    ),
)


def test_a_page_is_written_as_people_write_it():
    assert (
        write_page(VOTE, "vote")
        == """How do I vote?

On a phone.

score:2

score:3
Accepted answer

Tap.

Upvote:0

```markdown verbatim
Write

Upvote:1

below it.
```
"""
    )


def test_what_a_page_has_no_words_for_stands_behind_its_end():
    thread = Thread(key="a/b", title="T", tags=("x",), answers=(Answer(body="y", author="joe"),))
    text = write_page(thread, page_name("a/b"))
    assert text.endswith(
        '\n\nRelated post\n<!-- threadwise {"id": "a/b", "tags": ["x"], '
        '"answers": [{"author": "joe"}]} -->\n'
    )
    # A reader that knows nothing of it takes that for the page's furniture.
    plain = read_page(text.partition("<!--")[0], Path("x.txt"))
    assert (plain.title, plain.answers) == ("T", (Answer(body="y"),))


def test_a_comment_that_does_not_fit_its_page_is_refused():
    thread = Thread(key="k", title="T", answers=(Answer(body="y", author="joe"),))
    page = write_page(thread, "k")
    for text, reason in {
        page.replace(
            "Related", "Upvote:1\n\nz\n\nRelated"
        ): "speaks of 1 answer, and the page has 2",
        page.replace("[{", "[{{"): "not JSON",
        page.replace('"joe"', "7"): "answers[0].author must be text or null",
    }.items():
        with pytest.raises(Exception, match="what its comment says can't be") as caught:
            read_page(text, Path("k.txt"))
        assert reason in str(caught.value)


def test_an_edited_page_keeps_what_its_comment_says():
    thread = Thread(key="k", title="T", answers=(Answer(body="y", author="joe"),))
    page = write_page(thread, "other")
    found = read_page(page.replace("\ny\n", "\nbetter\n"), Path("other.txt"))
    assert (found.key, found.answers) == ("k", (Answer(body="better", author="joe"),))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("bot-vote", "bot-vote"),
        ("a.b c_D", "a.b c_D"),
        ("faq#how-do-i", "faqhow-do-i-"),
        ("../../etc/passwd", "etcpasswd-"),
        (".hidden", "hidden-"),
        ("CON", "con-"),
        ("con.x", "conx-"),
        ("a.", "a-"),
        ("なぜ", "thread-"),
        ("x" * 500, "x" * 60 + "-"),
        ("a\nb", ""),
        (" ", "36a9e7f1-"),
    ],
)
def test_a_key_that_can_be_no_name_gets_another(key: str, name: str):
    made = page_name(key)
    assert made == name or ((name.endswith("-") or not name) and made.startswith(name))
    assert len(made) <= 100


def test_names_differ_where_letter_case_says_nothing(tmp_path: Path):
    threads = [Thread(key=key, title="T") for key in ("a", "A", "a-2")]
    Pages(tmp_path).write(threads)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A-2.txt", "a-2-2.txt", "a.txt"]
    report = SourceReport()
    assert {thread.key for thread in read(tmp_path, report)} == {"a", "A", "a-2"}
    assert report.rejected == []
    assert len(report.warned) == 1  # of ids that differ in capital letters alone


@relaxed
@given(strategies.threads)
def test_reading_what_was_written_gives_an_equal_thread(thread: Thread):
    name = page_name(thread.key)
    assert read_page(write_page(thread, name), Path(f"{name}.txt")) == thread


@relaxed
@given(st.text(min_size=1))
def test_any_key_gives_a_name_for_any_disk(key: str):
    name = page_name(key.encode(errors="replace").decode())
    assert name.isascii()
    assert not {*'/\\:*?"<>|\0\n'} & {*name}
    assert name.strip(". ") == name
