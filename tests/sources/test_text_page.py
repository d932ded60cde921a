"""Text pages: the grammar, what it tolerates, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import InputError
from bot.models import Answer, Thread
from bot.sources import SourceReport, read
from bot.sources.files import MAX_PAGE_BYTES
from bot.sources.text_page import has_marker, read_page
from tests.kit.growth import cpu_seconds
from tests.kit.paths import ROOT as REPOSITORY

# Machines that run tests may be busy: how long an example takes says nothing.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SEED_DOCUMENT = REPOSITORY.parent / "shared/seeds/000_ef754c58233b510f.txt"
SEEDS = sorted((REPOSITORY / "seeds").rglob("*.txt"))

PAGE = """How do I host the bot?

I have a small server.

score:6

Accepted answer

Clone it and run it.

Upvote:0

Ask a friend.

Upvote:-1

Don't.

More post

Search Posts

Related post
"""


def page(text: str, name: str = "host.txt") -> Thread:
    return read_page(text, Path(name))


def refusal(text: str) -> tuple[str, int | None]:
    with pytest.raises(InputError) as caught:
        page(text)
    assert caught.value.path == Path("host.txt")
    return caught.value.reason, caught.value.line


def page_or_refusal(text: str) -> Thread | InputError:
    try:
        return page(text)
    except InputError as error:
        return error


def test_a_page_gives_its_question_and_its_answers_in_order():
    assert page(PAGE) == Thread(
        key="host",
        title="How do I host the bot?",
        body="I have a small server.",
        answers=(
            Answer(body="Clone it and run it.", score=6, accepted=True),
            Answer(body="Ask a friend.", score=0),
            Answer(body="Don't.", score=-1),
        ),
    )


@pytest.mark.skipif(not SEED_DOCUMENT.exists(), reason="the seed document is not beside this")
def test_the_seed_document_loads_as_it_is():
    report = SourceReport()
    (thread,) = read(SEED_DOCUMENT, report)
    assert report == SourceReport()
    assert thread.key == "000_ef754c58233b510f"
    assert thread.title.startswith("Why did the Soviet–Japanese Neutrality Pact take 2 years")
    assert thread.body == ""
    assert [(a.score, a.accepted, a.key) for a in thread.answers] == [
        (6, True, None),
        (0, False, None),
        (1, False, None),
    ]
    assert thread.answers[0].body.count("\n\n") == 5
    assert "\n\n\n" not in thread.answers[0].body
    assert thread.answers[2].body.endswith("axis was futile.")


@pytest.mark.skipif(not SEEDS, reason="there are no seeds here")
def test_every_seed_of_ours_is_a_page_with_answers():
    report = SourceReport()
    threads = list(read(REPOSITORY / "seeds", report))
    assert [str(error) for error in report.rejected] == []
    assert len(threads) == len(SEEDS)
    assert all(thread.answers for thread in threads)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_byte_order_mark_line_ends_and_blank_runs_change_nothing(end: str):
    text = "\ufeff\n\n" + PAGE.replace("\n\n", "\n \n\t\n\n")
    assert page(text.replace("\n", end)) == page(PAGE)


@pytest.mark.parametrize(
    ("plain", "odd"),
    [
        ("score:6", "  SCORE : 6  "),
        ("Accepted answer", "\tACCEPTED   ANSWER "),
        ("Upvote:0", " upvote: +00 "),
        ("Upvote:-1", "UpVote :\u22121"),
        ("More post", " more  POST "),
    ],
)
def test_spaces_and_letter_case_of_a_marker_do_not_matter(plain: str, odd: str):
    assert page(PAGE.replace(plain, odd)) == page(PAGE)


@pytest.mark.parametrize(
    "title", ["Score: what is it?", "{not json}", "```py", "Upvote: how do I?", "More post", "-"]
)
def test_a_title_may_contain_anything(title: str):
    assert page(f"{title}\n\nUpvote:1\nYes").title == title


def test_a_page_may_have_no_answers_yet():
    assert page("Only a title\n\nscore:0") == Thread(key="host", title="Only a title")
    assert page("T\n\nand a body\n\nRelated post\nOther") == Thread(
        key="host", title="T", body="and a body"
    )


@pytest.mark.parametrize(
    ("text", "is_chat"),
    [
        ("Garden FAQ\n\n1. When do I sow?\n\n   In April.\n", False),
        ("[12:01] ann: my beans wilt\n[12:02] bo: water them\n", True),
        ("03.05.2024, 08:15 - Ann: my beans wilt\n03.05.2024, 08:16 - Bo: water them\n", True),
        ("=====\nChannel: help\n=====\n\n[03/05/2024 08:15] ann\nmy beans wilt\n", True),
    ],
)
def test_a_text_in_which_nothing_is_marked_is_refused_with_what_would_help(text, is_chat):
    with pytest.raises(InputError) as refused:
        page(text)
    assert refused.value.reason.startswith("no answer is marked in it: write 'Accepted answer'")
    assert ("chat log" in refused.value.reason) is is_chat


def test_a_score_before_any_answer_is_the_questions():
    thread = page("T\n\nbody\n\nscore:12\n\nscore:6\n\nAccepted answer\nyes\n")
    assert (thread.score, thread.body) == (12, "body")
    assert thread.answers == (Answer(body="yes", score=6, accepted=True),)


def test_text_after_the_questions_score_is_its_body():
    assert page("T\none\n\nscore:-2\n\ntwo\nUpvote:1\nyes").body == "one\n\ntwo"


def test_an_accepted_answer_without_score_has_score_zero_and_may_come_later():
    thread = page("T\nUpvote:9\nno\nAccepted answer\nyes")
    assert thread.answers == (Answer(body="no", score=9), Answer(body="yes", accepted=True))
    assert thread.score == 0


def test_a_body_keeps_its_paragraphs_indents_and_prose_that_looks_like_markers():
    body = "    code\n\n\n  \nThe Accepted answer is\nScore: 3 to 1\nUpvote: if it helps  \nbye"
    expected = "    code\n\nThe Accepted answer is\nScore: 3 to 1\nUpvote: if it helps  \nbye"
    assert page(f"T\nUpvote:1\n\n{body}\n\n").answers[0].body == expected


@pytest.mark.parametrize("control", ["\x0b", "\x0c", "\x85", "\u2028", "\x1c"])
def test_only_line_ends_end_a_line(control: str):
    assert page(f"T\nUpvote:1\na{control}Upvote:2\nb").answers == (
        Answer(body=f"a{control}Upvote:2\nb", score=1),
    )


@pytest.mark.parametrize("fence", ["```", "~~~", "````", "  ```"])
def test_inside_a_closed_fence_all_is_text_and_blank_lines_stay(fence: str):
    code = f"{fence}yaml\nscore:4\n\n\nUpvote:x\nAccepted answer\nMore post\n{fence}"
    answers = page(f"T\nUpvote:1\n{code}\n\n\nafter\nUpvote:2\nno").answers
    assert [a.body for a in answers] == [f"{code}\n\nafter".rstrip(), "no"]


def test_a_fence_is_closed_by_one_at_least_as_long_of_its_kind():
    code = "````\n```\nUpvote:4\n~~~~\n```` not\nUpvote:5\n`````"
    assert page(f"T\nUpvote:1\n{code}").answers == (Answer(body=code, score=1),)


def test_text_between_two_fences_is_outside_of_both():
    code = "```\ncode\n```"
    answers = page(f"T\nUpvote:1\n{code}\nUpvote:2\n{code}").answers
    assert [a.body for a in answers] == [code, code]


@pytest.mark.parametrize("line", ["```", "~~~~", "```x", "``` all on one line ```"])
def test_a_fence_that_is_never_closed_swallows_no_answer(line: str):
    answers = page(f"T\nUpvote:1\n{line}\nUpvote:2\nno").answers
    assert [a.body for a in answers] == [line, "no"]


def test_a_hopeless_fence_does_not_hide_a_shorter_one_that_is_closed():
    code = "```\nscore:1\n```"
    answers = page(f"T\nUpvote:1\n`````\n````\n{code}\n`````x").answers
    assert answers == (Answer(body=f"`````\n````\n{code}\n`````x", score=1),)


@pytest.mark.parametrize("words", ["More post", "Search Posts", "Related post"])
def test_furniture_and_all_after_it_is_dropped_when_no_answer_follows(words: str):
    text = f"T\nUpvote:1\nyes\n\n{words}\n\nscore:4\n\nAnother title\nscore:x\n"
    assert page(text).answers == (Answer(body="yes", score=1),)


def test_furniture_words_before_another_answer_are_text():
    answers = page("T\nUpvote:1\nPress\nMore post\nto go on\nUpvote:2\nno\nMore post").answers
    assert [a.body for a in answers] == ["Press\nMore post\nto go on", "no"]


def test_furniture_words_within_a_sentence_are_text():
    assert page("T\nUpvote:1\nThe Related post says\n").answers[0].body == "The Related post says"


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("", "no title", None),
        ("\ufeff \r\n\t\n", "no title", None),
        ("\nUpvote:1\nyes", "no title", 2),
        ("score:abc\n", "no title", 1),
        ("Accepted answer\nyes", "no title", 1),
        ("T\n\nUpvote:1\n\nUpvote:2\nno", "empty", 3),
        ("T\nUpvote:1\n \nMore post", "empty", 2),
        ("T\nscore:1\nAccepted answer", "empty", 3),
        ("T\nAccepted answer\na\n\nscore:2\nAccepted answer\nb", "first is on line 2", 6),
        ("T\nscore:abc\nAccepted answer\nyes", "'abc' is not a whole number", 2),
        ("T\nscore:abc\nyes", "'abc' is not a whole number", 2),
        ("T\r\nUpvote:\r\nyes", "the number is missing", 2),
        ("T\rUpvote:1.5\ryes", "'1.5' is not a whole number", 2),
        ("T\nUpvote:٣\nyes", "not a whole number", 2),
        ("T\nUpvote:9223372036854775808\nyes", "not a whole number", 2),
        ("T\nUpvote:" + "9" * 5000 + "\nyes", "not a whole number", 2),
        ("T\nUpvote:1\nyes\nMore post\nUpvote:x\n", "'x' is not a whole number", 5),
        ("T\nUpvote:1\nyes\n\nscore:4\n\nAcepted answer\nno", "opens no answer here", 5),
        ("T\nscore:4\nbody\nscore:5\nUpvote:1\nyes", "second score of the question", 4),
        ("T\nUpvote:1\na\0b", "NUL", 3),
    ],
)
def test_a_page_that_breaks_the_grammar_is_refused_with_its_line(
    text: str, reason: str, line: int | None
):
    said, where = refusal(text)
    assert reason in said
    assert where == line


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_scores_of_64_bits_are_kept(number: int):
    assert page(f"T\nUpvote:{number}\nyes").answers[0].score == number


def test_a_page_that_is_not_utf8_is_named_with_line_and_byte(tmp_path: Path):
    path = tmp_path / "latin.txt"
    path.write_bytes("T\r\n\r\ncafé\r\nUpvote:1\r\nyes".encode("latin-1"))
    report = SourceReport()
    assert list(read(path, report)) == []
    (error,) = report.rejected
    assert error.line == 3
    assert "byte 0xe9 at position 8" in error.reason


def test_a_page_of_more_than_4_mb_is_refused(tmp_path: Path):
    path = tmp_path / "long.txt"
    start = b"T\nUpvote:1\n"
    path.write_bytes(start + b"a" * (MAX_PAGE_BYTES - len(start)))
    report = SourceReport()
    assert len(list(read(path, report))) == 1
    with path.open("ab") as stream:
        stream.write(b"a")
    assert list(read(path, report)) == []
    assert [error.reason for error in report.rejected] == ["a text page may have up to 4 MB"]


@pytest.mark.parametrize("name", [b" .txt", b"\xff.txt"])
def test_a_name_that_can_be_no_key_is_refused_in_printable_words(name: bytes):
    with pytest.raises(InputError, match="rename it") as caught:
        read_page(PAGE, Path(os.fsdecode(name)))
    str(caught.value).encode()


def test_the_key_is_the_name_without_its_last_suffix():
    assert page(PAGE, "folder/a.b.TXT").key == "a.b"
    assert page(PAGE, "a").key == "a"


@pytest.mark.untraced
@pytest.mark.parametrize(
    "line",
    ["~~~x\n", "```\n", "Upvote:1\na\n", "```\nx\n```\n", "score:1\n\n", "\n", "More post\n"],
)
def test_a_long_page_takes_no_more_than_moments(line: str):
    text = "T\nUpvote:1\nyes\n" + line * (256 * 1024 // len(line))
    assert cpu_seconds(lambda: page_or_refusal(text)) < 15


@pytest.mark.parametrize(
    ("text", "seen"),
    [("T\nUpvote:1", True), ("T\n accepted ANSWER", True), ("More post", False), ("T\nx", False)],
)
def test_a_marker_is_what_a_page_is_recognised_by(text: str, seen: bool):
    assert has_marker(text) is seen


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
lines = st.one_of(
    texts,
    st.sampled_from(
        [
            "",
            "score:1",
            "Upvote:2",
            "Upvote:x",
            "Accepted answer",
            "More post",
            "```",
            "~~~",
            "```py",
        ]
    ),
)


@relaxed
@given(texts)
def test_any_text_is_read_or_refused_and_nothing_else(text: str):
    thread = page_or_refusal(text)
    assert isinstance(thread, InputError) or thread.title.strip()


@relaxed
@given(st.lists(lines, max_size=30))
def test_any_mix_of_lines_gives_a_sound_thread_or_a_refusal(mix: list[str]):
    text = "\n".join(mix)
    thread = page_or_refusal(text)
    if isinstance(thread, InputError):
        assert thread.line is None or 1 <= thread.line <= len(text) + 1
    else:
        assert sum(answer.accepted for answer in thread.answers) <= 1
        assert all(answer.body.strip() for answer in thread.answers)


plain_bodies = st.lists(
    st.text(st.characters(categories=["L", "Nd"]), min_size=1), min_size=1, max_size=4
).map("\n\n".join)


@relaxed
@given(
    title=st.text(st.characters(categories=["L", "Nd"]), min_size=1),
    body=st.one_of(st.just(""), plain_bodies),
    score=st.integers(-(2**63), 2**63 - 1),
    answers=st.lists(st.tuples(plain_bodies, st.integers(-(2**63), 2**63 - 1)), max_size=5),
    accepted=st.integers(0, 6),
)
def test_a_page_written_by_the_grammar_reads_back(
    title: str, body: str, score: int, answers: list[tuple[str, int]], accepted: int
):
    text = f"{title}\n\n{body}\n\nscore:{score}\n\n"
    for index, (answer, number) in enumerate(answers):
        text += f"score:{number}\nAccepted answer" if index == accepted else f"Upvote:{number}"
        text += f"\n\n{answer}\n\n"
    thread = page(text + "More post\n\nanything\n")
    assert (thread.title, thread.body, thread.score) == (title, body, score)
    assert [(a.body, a.score) for a in thread.answers] == answers
    assert [a.accepted for a in thread.answers] == [i == accepted for i in range(len(answers))]
