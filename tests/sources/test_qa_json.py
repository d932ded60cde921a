"""JSON of other programs: in which shapes pairs are found, and which are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import Answer, Thread
from bot.sources import SourceReport, read, write_thread
from bot.sources.files import Options
from bot.sources.json_thread import thread_to
from tests.kit import strategies

relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))

PAIR = {"question": "Why?", "answer": "So."}


def pairs(
    tmp_path: Path, report: SourceReport, value: object, name: str = "faq.json", **columns: str
) -> list[Thread]:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return list(read(path, report, Options(columns=columns)))


def said(found: list[Thread]) -> dict[str, list[str]]:
    return {thread.title: [answer.body for answer in thread.answers] for thread in found}


def refusals(report: SourceReport) -> list[tuple[int | None, str]]:
    return [(error.line, error.reason) for error in report.rejected]


@pytest.mark.parametrize(
    "value",
    [
        [PAIR],
        PAIR,
        {"faqs": [PAIR]},
        {"version": 2, "data": {"items": [PAIR]}},
        {"General": [PAIR], "Empty": []},
        [{"category": "General", "questions": [PAIR]}],
        [{"q": "Why?", "a": "So."}],
        [{"prompt": "Why?", "completion": " So."}],
        [{"instruction": "Why?", "input": "", "output": "So."}],
        [{"frage": "Why?", "Antwort": "So."}],
        [{"title": "Why?", "answer": "So."}],
        [{"questionText": None, "question": "Why?", "answers": ["So."]}],
        [{"question": "Why?", "answers": [{"text": "So."}]}],
        [{"question": "Why?", "answers": [{"body": "So."}]}],
        [{"question": "Why?", "answer": {"content": "So."}}],
        {"Why?": "So."},
        {"faq": {"Why?": "So."}},
    ],
)
def test_pairs_are_found_in_common_shapes(tmp_path: Path, report: SourceReport, value: object):
    assert said(pairs(tmp_path, report, value)) == {"Why?": ["So."]}
    assert report.rejected == []


def test_all_that_is_said_of_a_pair_is_kept(tmp_path: Path, report: SourceReport):
    value = {
        "id": 7,
        "question": "Why?",
        "details": "I wonder.",
        "tags": ["a", "b"],
        "url": "https://e.org",
        "license": "CC0",
        "phrasings": ["What for?"],
        "colour": "red",
        "answers": [
            {
                "id": 1,
                "text": "So.",
                "score": "3",
                "accepted": True,
                "author": "Al",
                "date": "2020-01-02",
            },
            {"answer": "<p>Or <b>so</b>.</p>", "votes": -1, "url": "https://e.org/2"},
        ],
    }
    assert pairs(tmp_path, report, [value]) == [
        Thread(
            key="faq#7",
            title="Why?",
            body="I wonder.",
            tags=("a", "b"),
            url="https://e.org",
            license="CC0",
            source="faq",
            phrasings=("What for?",),
            answers=(
                Answer(
                    key="1",
                    body="So.",
                    score=3,
                    accepted=True,
                    author="Al",
                    answered_at=datetime(2020, 1, 2, tzinfo=UTC),
                ),
                Answer(body="Or **so**.", score=-1, url="https://e.org/2"),
            ),
        )
    ]
    assert report.unknown_keys == {"colour": 1}
    assert report.rejected == []


def test_lines_in_texts_end_as_they_do_everywhere(tmp_path: Path, report: SourceReport):
    pair = {"question": "Why?", "answers": ["So,\r\nor so.", {"text": "<p>a\r\nb</p>\rc"}]}
    assert said(pairs(tmp_path, report, [pair])) == {"Why?": ["So,\nor so.", "a b\n\nc"]}


def test_exports_of_other_bots_are_read(tmp_path: Path, report: SourceReport):
    intents = {"intents": [{"tag": "hi", "patterns": ["Hello", "Hi"], "responses": ["Hey", "Yo"]}]}
    (thread,) = pairs(tmp_path, report, intents)
    assert (thread.key, thread.phrasings, thread.tags) == ("faq#hello", ("Hi",), ("hi",))
    assert [a.body for a in thread.answers] == ["Hey", "Yo"]
    qna = {"qnaDocuments": [{"id": 3, "answer": "A", "source": "s", "questions": ["Why?", "How?"]}]}
    (thread,) = pairs(tmp_path, report, qna)
    assert (thread.key, thread.title, thread.phrasings) == ("faq#3", "Why?", ("How?",))


def test_our_own_threads_are_read_as_a_list_or_alone(tmp_path: Path, report: SourceReport):
    thread = Thread(key="k", title="T", source="x", answers=(Answer(body="b", accepted=True),))
    row = thread_to(thread)
    assert pairs(tmp_path, report, [row]) == [thread]
    assert pairs(tmp_path, report, json.dumps(row, indent=2)) == [thread]
    assert pairs(tmp_path, report, {"threads": [row, row]}) == [thread]
    assert [t.title for t in pairs(tmp_path, report, [row, PAIR])] == ["T", "Why?"]
    assert refusals(report) == [
        (None, "threads[1]: its id is that of another entry; ids must differ")
    ]


def test_the_same_question_again_is_another_answer(tmp_path: Path, report: SourceReport):
    assert said(pairs(tmp_path, report, [PAIR, {"question": "why? ", "answer": "Also."}])) == {
        "Why?": ["So.", "Also."]
    }


def test_json_lines_of_pairs_are_read(tmp_path: Path, report: SourceReport):
    rows = [PAIR, {"id": "k", "title": "T"}, {"prompt": "Why?", "response": "Also."}, {"x": 1}]
    found = pairs(tmp_path, report, "\n".join(map(json.dumps, rows)), "faq.jsonl")
    assert said(found) == {"T": [], "Why?": ["So.", "Also."]}
    needed = 'a line needs "id" and "title", or "question" and "answer" (its keys are x)'
    assert refusals(report) == [(4, needed)]


def test_keys_may_be_mapped(tmp_path: Path, report: SourceReport):
    value = [{"ask": {"x": 1}, "Thema": "Why?", "Text": "So."}]
    assert pairs(tmp_path, report, value) == []
    assert said(pairs(tmp_path, report, value, question="thema", answer="text")) == {
        "Why?": ["So."]
    }


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"question": "", "answer": "x"}, "faqs[1]: question must not be empty"),
        ({"question": "How?", "answer": None}, "faqs[1]: answer must not be empty"),
        ({"question": "How?", "answer": [[]]}, "faqs[1]: answer must be text, it is a list"),
        ({"question": "How?", "answer": True}, "faqs[1]: answer must be text, it is true"),
        ({"question": "How?", "answer": "\ud800"}, "faqs[1]: answer holds half of a surrogate"),
        ({"question": "How?", "answer": "x", "score": []}, "faqs[1]: score must be a whole number"),
        ({"foo": "bar"}, "faqs[1]: it has no question with an answer (its keys are foo)"),
        ("text", "faqs[1]: it has no question with an answer"),
        (
            {"id": "x", "title": " ", "answers": [{"body": "y"}]},
            "faqs[1]: title must not be empty",
        ),
    ],
)
def test_a_bad_entry_is_named_and_the_rest_loads(
    tmp_path: Path, report: SourceReport, entry: object, reason: str
):
    value = {"faqs": [PAIR, entry, {"question": "Last?", "answer": "x"}]}
    assert list(said(pairs(tmp_path, report, value))) == ["Why?", "Last?"]
    assert [said[: len(reason)] for _, said in refusals(report)] == [reason]


def test_a_date_that_cannot_be_is_left_out_with_a_warning(tmp_path: Path, report: SourceReport):
    (thread,) = pairs(tmp_path, report, [PAIR | {"date": 99_999_999_999}])
    assert thread.answers[0].answered_at is None
    assert [e.reason for e in report.warned] == [
        "[0]: date 99999999999 is far in the future, and was left out"
    ]


def test_a_map_may_give_several_answers_and_its_odd_entries_are_named(
    tmp_path: Path, report: SourceReport
):
    value = {
        "Why?": "So.",
        "How do I vote": ["Tap.", "Press."],
        "Who?": {"name": "me"},
        "Where?": None,
        "When?": ["now", ["later"]],
        "How many?": 3,
        "Really?": True,
    }
    assert said(pairs(tmp_path, report, {"faq": value})) == {
        "Why?": ["So."],
        "How do I vote": ["Tap.", "Press."],
        "How many?": ["3"],
    }
    odd = "must be text or a list of texts, it holds"
    assert [reason for _, reason in refusals(report)] == [
        f'faq.entry 3: the answer to "Who?" {odd} an object',
        "faq.entry 4: answer must not be empty",
        f'faq.entry 5: the answer to "When?" {odd} a list',
        "faq.entry 7: answer must be text, it is true",
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"About us": "We are three.", "All questions": [PAIR]},
        {"About us": "We are three.", "All questions": {"faqs": [PAIR]}},
        {"About us": [], "All questions": [PAIR]},
        {"Is this": {"faq": [PAIR]}},
    ],
)
def test_what_entries_stand_in_is_no_map(tmp_path: Path, report: SourceReport, value: object):
    assert said(pairs(tmp_path, report, value)) == {"Why?": ["So."]}
    assert report.rejected == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"two words": 1, "three of them": None}, "its JSON has another shape"),
        ({"name": "x", "version": "1"}, "its JSON has another shape (its keys are name, version)"),
        ([], "its JSON has another shape; read are a list of objects like"),
        ([1, "a"], "its JSON has another shape"),
        ({"\ud800": 1}, "its JSON has another shape (its keys are \\ud800)"),
        ("{}", "its JSON has another shape"),
        ("[{]", "it is not JSON: Expecting property name"),
        ('[{"a": NaN}]', "it is not JSON: NaN is not a number"),
        ('[{"a": ' + "9" * 5000 + "}]", "it is not JSON: Exceeds the limit"),
        ('[{"a": ' + "[" * 200_000, "its JSON is nested too deeply"),
        ('[{"q":' * 30 + "1" + "}]" * 30, "its JSON has another shape (its keys are q)"),
    ],
)
def test_json_of_another_shape_is_refused(
    tmp_path: Path, report: SourceReport, value: object, reason: str
):
    assert pairs(tmp_path, report, value) == []
    assert [said[: len(reason)] for _, said in refusals(report)] == [reason]
    str(report.rejected[0]).encode()


@pytest.mark.parametrize("name", ["faq.json", "faq"])
def test_json_in_utf16_is_read(tmp_path: Path, report: SourceReport, name: str):
    path = tmp_path / name
    path.write_text(
        json.dumps([{"question": "Où?", "answer": "Là."}], ensure_ascii=False), "utf-16"
    )
    assert said(list(read(path, report))) == {"Où?": ["Là."]}
    assert report == SourceReport()


def test_the_line_of_broken_json_is_named(tmp_path: Path, report: SourceReport):
    assert pairs(tmp_path, report, '[\n{"question": "Why?",\n"answer" "x"}]') == []
    assert refusals(report) == [(3, "it is not JSON: Expecting ':' delimiter")]


@pytest.mark.parametrize("name", ["faq", "faq.json", "faq.txt", "faq.jsonl"])
def test_json_is_recognised_by_its_shape(tmp_path: Path, report: SourceReport, name: str):
    assert said(pairs(tmp_path, report, json.dumps([PAIR], indent=1), name)) == {"Why?": ["So."]}
    spread = json.dumps({"faqs": [PAIR]}, indent=1)
    assert said(pairs(tmp_path, report, spread, name)) == {"Why?": ["So."]}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["question", "answer", "answers", "id", "title", "body", "tags", "date"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@relaxed
@given(values, st.sampled_from(["json", "jsonl"]))
def test_any_json_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, value: Any, form: str
):
    path = tmp_path_factory.mktemp("json") / "faq"
    path.write_text(json.dumps([value, PAIR] if form == "json" else value))
    report = SourceReport()
    for thread in read(path, report, Options(format=form)):
        assert thread.title.strip()
    for error in report.rejected:
        str(error).encode()


@relaxed
@given(st.lists(strategies.threads, max_size=3, unique_by=lambda thread: thread.key))
def test_a_list_of_our_threads_reads_back_whole(
    tmp_path_factory: pytest.TempPathFactory, threads: list[Thread]
):
    path = tmp_path_factory.mktemp("json") / "all.json"
    path.write_text(f"[{','.join(map(write_thread, threads))}]", encoding="utf-8")
    report = SourceReport()
    found = {thread.key: thread for thread in read(path, report)}
    assert [found[t.key].answers for t in threads] == [t.answers for t in threads]
