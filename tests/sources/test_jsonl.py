"""JSON Lines: what is accepted, what is refused and how it is named, and the way back."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import Answer, Thread
from bot.sources import SourceReport, read, write_thread
from bot.sources.files import MAX_LINE_BYTES, Options
from bot.sources.json_thread import thread_from
from bot.sources.jsonl import read_lines
from bot.sources.report import MAX_UNKNOWN_KEYS, OTHER_KEYS
from tests.kit.strategies import threads

# Machines that run tests may be busy: how long an example takes says nothing.
relaxed = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])

FULL = {
    "id": "q1",
    "title": "How do I host the bot?",
    "body": "On a\nsmall server.",
    "score": -3,
    "tags": ["hosting", ""],
    "url": "https://example.org/q1",
    "author": "alice",
    "license": "CC BY-SA 4.0",
    "asked_at": "2024-05-31T12:30:00Z",
    "closed_at": "2024-06-30T12:30:00Z",
    "source": "example.org",
    "phrasings": ["hosting the bot"],
    "related": ["q2"],
    "answers": [
        {
            "id": "a1",
            "body": "Clone it.",
            "score": 6,
            "accepted": True,
            "author": "bob",
            "url": "https://example.org/a1",
            "license": "CC0",
            "answered_at": "2024-06-01T00:00:00.5+02:00",
        },
        {"body": "Ask a friend."},
    ],
}
FULL_THREAD = Thread(
    key="q1",
    title="How do I host the bot?",
    body="On a\nsmall server.",
    score=-3,
    tags=("hosting", ""),
    url="https://example.org/q1",
    author="alice",
    license="CC BY-SA 4.0",
    asked_at=datetime(2024, 5, 31, 12, 30, tzinfo=UTC),
    closed_at=datetime(2024, 6, 30, 12, 30, tzinfo=UTC),
    source="example.org",
    phrasings=("hosting the bot",),
    related=("q2",),
    answers=(
        Answer(
            body="Clone it.",
            score=6,
            accepted=True,
            key="a1",
            author="bob",
            url="https://example.org/a1",
            license="CC0",
            answered_at=datetime(2024, 5, 31, 22, 0, 0, 500_000, tzinfo=UTC),
        ),
        Answer(body="Ask a friend."),
    ),
)


def row(**values: Any) -> str:
    return json.dumps({"id": "q1", "title": "T", **values})


def good(key: object) -> str:
    return json.dumps({"id": key, "title": f"T{key}"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "threads.jsonl"


def keys(path: Path, report: SourceReport) -> list[str]:
    return [thread.key for thread in read(path, report)]


def refusals(report: SourceReport) -> list[tuple[int | None, str]]:
    return [(error.line, error.reason) for error in report.rejected]


def test_every_key_is_read(path: Path, report: SourceReport):
    path.write_text(json.dumps(FULL))
    assert list(read(path, report)) == [FULL_THREAD]
    assert report == SourceReport()


def test_only_id_and_title_are_required_and_an_id_may_be_a_number(path: Path, report: SourceReport):
    path.write_text(good(7) + "\n" + good("x"))
    named = [("7", "T7", "threads"), ("x", "Tx", "threads")]  # the last is the file's name
    assert [(t.key, t.title, t.source) for t in read(path, report)] == named
    assert report == SourceReport()


def test_byte_order_mark_crlf_and_blank_lines_are_tolerated(path: Path, report: SourceReport):
    path.write_bytes(f"\ufeff\r\n\r\n  {good(1)} \r\n\r\n{good(2)}\r\n".encode())
    assert keys(path, report) == ["1", "2"]
    assert report == SourceReport()


@pytest.mark.parametrize("name", ["threads.jsonl.gz", "threads.jsonl", "export"])
def test_gzip_is_recognised_by_content(tmp_path: Path, report: SourceReport, name: str):
    path = tmp_path / name
    path.write_bytes(gzip.compress(good(1).encode()) + gzip.compress(b"\n" + good(2).encode()))
    assert keys(path, report) == ["1", "2"]
    assert report == SourceReport()


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_export_holds_no_threads_and_that_is_fine(
    path: Path, report: SourceReport, content: bytes
):
    path.write_bytes(content)
    assert keys(path, report) == []
    assert report == SourceReport()


def test_unknown_keys_are_passed_over_and_counted(path: Path, report: SourceReport):
    answer = {"body": "yes", "foo": 1, "bar": None}
    path.write_text(
        "\n".join(
            [row(foo=1, answers=[answer, answer]), row(id="q2", answers=[], foo=[], Ü="\ud800")]
        )
        + "\n"
        + json.dumps({"id": "q3", "title": "T", "answers": [], "\ud800" + "x" * 100: 1})
    )
    assert keys(path, report) == ["q1", "q2", "q3"]
    assert report.rejected == []
    assert report.unknown_keys == {
        "foo": 2,
        "Ü": 1,
        "answers[].foo": 2,
        "answers[].bar": 2,
        "\\ud800" + "x" * 38 + "…": 1,
    }


def test_acceptances_are_read_and_written_by_guild(path: Path, report: SourceReport):
    given = {"20": "2026-05-03T10:00:00Z", "3": "2026-05-04T12:00:00+02:00"}
    path.write_text(row(answers=[{"body": "a", "accepted_in": given}]))
    (thread,) = read(path, report)
    assert [guild for guild, _ in thread.answers[0].accepted_in] == [3, 20]
    (answer,) = json.loads(write_thread(thread))["answers"]
    assert answer["accepted_in"] == {"3": "2026-05-04T10:00:00Z", "20": "2026-05-03T10:00:00Z"}
    assert report == SourceReport()


def test_votes_are_read_and_written_by_guild(path: Path, report: SourceReport):
    path.write_text(row(answers=[{"body": "a", "votes": {"20": -1, "3": 4}}]))
    (thread,) = read(path, report)
    assert thread.answers[0].tallies == ((3, 4), (20, -1))
    assert json.loads(write_thread(thread))["answers"][0]["votes"] == {"3": 4, "20": -1}
    assert report == SourceReport()


def test_keys_that_are_values_do_not_fill_the_summary(report: SourceReport):
    for number in range(MAX_UNKNOWN_KEYS + 5):
        report.count_unknown(str(number))
    report.count_unknown("0")
    assert len(report.unknown_keys) == MAX_UNKNOWN_KEYS + 1
    assert report.unknown_keys[OTHER_KEYS] == 5
    assert report.unknown_keys["0"] == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "a thread must be a JSON object, this is a list"),
        ('"x"', 'a thread must be a JSON object, this is "x"'),
        ("null", "a thread must be a JSON object, this is null"),
        ('{"id": "q1"}', "title must be text, it is missing"),
        ('{"title": "T"}', "id must be text or a whole number, it is missing"),
        (row(id=None), "id must be text or a whole number, it is null"),
        (row(id=1.0), "id must be text or a whole number, it is 1.0"),
        (row(id=True), "id must be text or a whole number, it is true"),
        (row(id=" "), "id must not be empty"),
        (row(title=None), "title must be text, it is null"),
        (row(title="\t\n"), "title must not be empty"),
        (row(title={}), "title must be text, it is an object"),
        (row(body=None), "body must be text, it is null"),
        (row(body=["x" * 99]), "body must be text, it is a list"),
        (row(score="x" * 99), f'score must be a whole number, it is "{"x" * 39}…"'),
        (row(score=1.5), "score must be a whole number, it is 1.5"),
        (row(score=True), "score must be a whole number, it is true"),
        (row(score=2**63), "score must fit into 64 bits, it is 9223372036854775808"),
        (row(score=-(2**63) - 1), "score must fit into 64 bits, it is -9223372036854775809"),
        (row(tags="a,b"), 'tags must be a list, it is "a,b"'),
        (row(tags=["a", 1]), "tags[1] must be text, it is 1"),
        (row(phrasings=[None]), "phrasings[0] must be text, it is null"),
        (row(url=1), "url must be text or null, it is 1"),
        (row(author=[]), "author must be text or null, it is a list"),
        (row(license=False), "license must be text or null, it is false"),
        (row(answers={}), "answers must be a list, it is an object"),
        (row(answers=["x"]), 'answers[0] must be an object, it is "x"'),
        (row(answers=[{}]), "answers[0].body must be text, it is missing"),
        (row(answers=[{"body": ""}]), "answers[0].body must not be empty"),
        (
            row(answers=[{"body": "a"}, {"body": "b"}, {"body": "c", "score": "x"}]),
            'answers[2].score must be a whole number, it is "x"',
        ),
        (
            row(answers=[{"body": "a", "accepted": 1}]),
            "answers[0].accepted must be true or false, it is 1",
        ),
        (
            row(answers=[{"body": "a", "accepted": True}, {"body": "b", "accepted": True}]),
            "answers[1] is a second accepted answer, answers[0] is accepted already",
        ),
        (
            row(answers=[{"body": "a", "id": 5}, {"body": "b"}, {"body": "c", "id": "5"}]),
            'answers[2].id "5" is the id of answers[0] too',
        ),
        (row(answers=[{"body": "a", "id": ""}]), "answers[0].id must not be empty"),
        (row(answers=[{"body": "a", "accepted_in": [3]}]), "answers[0].accepted_in must be an"),
        (
            row(answers=[{"body": "a", "accepted_in": {"3": "soon"}}]),
            'answers[0].accepted_in must be an object like {"GUILD_ID": "2024',
        ),
        (row(answers=[{"body": "a", "votes": 3}]), "answers[0].votes must be an object like"),
        (row(answers=[{"body": "a", "votes": {"x": 3}}]), "answers[0].votes must be an object"),
        (row(answers=[{"body": "a", "votes": {"1": 2**31}}]), "answers[0].votes must be an"),
        (row(answers=[{"body": "a", "votes": {"01": 1}}]), "answers[0].votes must be an"),
        (row(answers=[{"body": "a", "votes": {"1": True}}]), "answers[0].votes must be an"),
        (row(title="a\0b"), "title holds a NUL character, which text never does"),
        (row(tags=["a\0b"]), "tags[0] holds a NUL character, which text never does"),
        (row(id="a\0b"), "id holds a NUL character, which text never does"),
        (row(body="\ud83d"), "body holds half of a surrogate pair"),
        (row(score="\ud83d"), 'score must be a whole number, it is "\\\\ud83d"'),
        (row(score=float("nan")), "it is not JSON: NaN is not a number that JSON has"),
        (row(foo=float("-inf")), "it is not JSON: -Infinity is not a number that JSON has"),
        ('{"id": "q1", "title": "T", "score": 1e999}', "score must be a whole number, it is"),
        ('{"id": ' + "9" * 5000 + ', "title": "T"}', "a number in it has too many digits"),
        ("[" * 200_000, "its JSON is nested too deeply"),
        ('{"id": "q1", "title": "T", "x": ' + '{"a":' * 100_000, "its JSON is nested too deeply"),
        ('{"id": "q1", "title" "T"}', "it is not JSON: Expecting ':' delimiter at character 22"),
        ("id,title", "it is not JSON: Expecting value at character 1"),
        (row() + row(), "it is not JSON: Extra data at character 27"),
    ],
)
def test_a_bad_line_is_named_with_its_reason_and_the_rest_loads(
    path: Path, report: SourceReport, line: str, reason: str
):
    path.write_text(f"{good('before')}\n\n{line}\n{good('after')}\n")
    assert keys(path, report) == ["before", "after"]
    (error,) = report.rejected
    assert (error.path, error.line) == (path, 3)
    assert error.reason.startswith(reason)
    assert len(error.reason) < 120
    str(error).encode()


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "",
        "2024",
        "2024-13-01",
        "2024-05-31x12:30",
        "2024-05-31T25:00:00",
        "2024-05-31T12:30:00+99:00",
        "0001-01-01T00:00:00+01:00",
        "31/05/2024",
        "٢٠٢٤-05-31",
    ],
)
@pytest.mark.parametrize("where", ["asked_at", "answers[0].answered_at"])
def test_a_date_that_is_not_iso_8601_is_left_out_with_a_warning(
    path: Path, report: SourceReport, date: str, where: str
):
    answers = [{"body": "a", "answered_at": date}] if "answers" in where else []
    values = {"answers": answers} if answers else {"asked_at": date}
    path.write_text(row(**values))
    (thread,) = read(path, report)
    assert (thread.asked_at, [a.answered_at for a in thread.answers if a.answered_at]) == (None, [])
    assert report.rejected == []
    assert [(error.line, error.reason) for error in report.warned] == [
        (1, f'{where} "{date}" is no date like 2024-05-31, and was left out')
    ]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-05-31", datetime(2024, 5, 31, tzinfo=UTC)),
        ("2024-05-31 12:30", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-05-31T12:30:01.250", datetime(2024, 5, 31, 12, 30, 1, 250_000, tzinfo=UTC)),
        ("2024-05-31T12:30:00-0330", datetime(2024, 5, 31, 16, 0, tzinfo=UTC)),
        ("2024-05-31T00:30+01", datetime(2024, 5, 30, 23, 30, tzinfo=UTC)),
    ],
)
def test_dates_become_utc(path: Path, report: SourceReport, date: str, expected: datetime):
    path.write_text(row(asked_at=date))
    (thread,) = read(path, report)
    assert thread.asked_at == expected
    assert thread.asked_at.tzinfo is UTC


def test_a_date_far_in_the_future_is_left_out_with_a_warning(path: Path, report: SourceReport):
    answers = [{"body": "a"}, {"body": "b", "answered_at": "9999-12-31"}]
    path.write_text(good(1) + "\n" + row(asked_at="2999-01-01", closed_at=None, answers=answers))
    _, thread = read(path, report)
    assert (thread.asked_at, thread.answers[1].answered_at) == (None, None)
    assert report.rejected == []
    assert [(error.line, error.reason) for error in report.warned] == [
        (2, "asked_at 2999-01-01 is far in the future, and was left out"),
        (2, "answers[1].answered_at 9999-12-31 is far in the future, and was left out"),
    ]


def test_of_two_lines_with_one_id_the_first_is_kept(path: Path, report: SourceReport):
    path.write_text("\n".join([good(1), "{broken", good("1"), good(2)]))
    assert keys(path, report) == ["1", "2"]
    line, reason = refusals(report)[1]
    assert line == 3
    assert "the same as on line 1" in reason


def test_a_refused_line_does_not_hold_its_id(path: Path, report: SourceReport):
    path.write_text("\n".join([row(score="x"), row(score=5)]))
    assert [thread.score for thread in read(path, report)] == [5]
    assert [line for line, _ in refusals(report)] == [1]


def test_a_line_that_is_not_utf8_is_named_with_its_byte(path: Path, report: SourceReport):
    path.write_bytes(b"\n".join([good(1).encode(), b'{"id": "caf\xe9"}', good(2).encode()]))
    assert keys(path, report) == ["1", "2"]
    assert refusals(report) == [(2, "it is not UTF-8 text (byte 0xe9 at position 11)")]


def test_raw_nul_bytes_cost_only_their_line(path: Path, report: SourceReport):
    path.write_bytes(b"\n".join([good(1).encode(), b'{"id": "\0"}', good(2).encode()]))
    assert keys(path, report) == ["1", "2"]
    assert refusals(report) == [(2, "it is not JSON: Invalid control character at at character 9")]


@pytest.mark.parametrize("packed", [False, True])
def test_a_50_mb_line_is_named_and_never_held_whole(
    tmp_path: Path, report: SourceReport, packed: bool
):
    path = tmp_path / ("long.jsonl.gz" if packed else "long.jsonl")
    with gzip.open(path, "wb", compresslevel=1) if packed else path.open("wb") as stream:
        stream.write(good(1).encode() + b'\n{"id": 2, "title": "')
        for _ in range(50):
            stream.write(b"x" * 1024**2)
        stream.write(b'"}\n' + good(3).encode())
    tracemalloc.start()
    try:
        assert keys(path, report) == ["1", "3"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refusals(report) == [(2, "the line is 50.0 MB long; up to 16 MB are read")]
    assert peak < 3 * MAX_LINE_BYTES


def test_a_line_of_exactly_the_limit_is_read_and_one_byte_more_is_not(
    path: Path, report: SourceReport
):
    frame = len(row(body=""))
    whole = row(body="x" * (MAX_LINE_BYTES - frame))
    path.write_text(f"{whole}\n{whole}x\n{row(id=2)}\n{whole}x")
    assert keys(path, report) == ["q1", "2"]
    assert [line for line, _ in refusals(report)] == [2, 4]


def test_threads_are_handed_on_while_the_file_is_read(path: Path, report: SourceReport):
    path.write_text(f"{good(1)}\n{{broken\n")
    threads = read(path, report)
    assert next(threads).key == "1"
    assert report.rejected == []
    assert list(threads) == []
    assert len(report.rejected) == 1


def test_json_spread_over_lines_is_read_as_what_it_is(path: Path, report: SourceReport):
    path.write_text('\n{\n  "id": 1,\n  "title": "T"\n}\n')
    assert keys(path, report) == ["1"]
    assert report == SourceReport()


@pytest.mark.parametrize("opening", ["{", "["])
def test_json_spread_over_lines_is_named_once_where_lines_are_asked_for(
    path: Path, report: SourceReport, opening: str
):
    path.write_text(f'\n{opening}\n  "id": 1,\n  "title": "T"\n}}\n')
    assert list(read(path, report, Options(format="jsonl"))) == []
    ((line, reason),) = refusals(report)
    assert line == 2
    assert reason.startswith("the JSON is spread over several lines; write one thread a line")


def test_a_stray_brace_on_a_later_line_costs_only_that_line(path: Path, report: SourceReport):
    path.write_text("\n".join([good(1), "{", good(2)]))
    assert keys(path, report) == ["1", "2"]
    assert [line for line, _ in refusals(report)] == [2]


def packed_threads() -> tuple[bytes, list[str]]:
    lines = [row(id=i, body=f"{i}" * 40 + str(hash(str(i)))) for i in range(20_000)]
    return gzip.compress("\n".join(lines).encode()), [str(i) for i in range(20_000)]


@pytest.mark.untraced
def test_a_gzip_file_that_is_cut_off_gives_what_came_before(path: Path, report: SourceReport):
    data, expected = packed_threads()
    path.write_bytes(data[: len(data) // 2])
    found = keys(path, report)
    assert found == expected[: len(found)]
    assert 5_000 < len(found) < 15_000
    assert refusals(report) == [
        (len(found) + 1, "the gzip file is cut off here; what came before was read")
    ]


@pytest.mark.untraced
def test_a_gzip_file_that_is_damaged_gives_what_came_before(path: Path, report: SourceReport):
    data, expected = packed_threads()
    half = len(data) // 2
    path.write_bytes(data[:half] + b"\xff" * 1000 + data[half + 1000 :])
    found = keys(path, report)
    whole = [key for key in found if key in expected]
    assert whole[:5_000] == expected[:5_000]
    assert report.rejected[-1].reason == "the gzip file is damaged here; what came before was read"


@pytest.mark.parametrize("tail", [b"rubbish", b"\x1f\x8b rubbish"])
def test_rubbish_after_a_gzip_file_is_named(path: Path, report: SourceReport, tail: bytes):
    path.write_bytes(gzip.compress(good(1).encode() + b"\n") + tail)
    assert keys(path, report) == ["1"]
    assert len(report.rejected) == 1
    assert report.rejected[0].line == 2


def test_a_gzip_file_with_nothing_whole_in_it_is_named(tmp_path: Path, report: SourceReport):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(b"\x1f\x8b")
    assert keys(path, report) == []
    assert refusals(report) == [(None, "the gzip file is cut off here; what came before was read")]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, report: SourceReport):
    assert list(read_lines(tmp_path / "none.jsonl", report, Options())) == []
    assert refusals(report) == [(None, "there is no such file or folder")]


def test_a_thread_is_written_as_one_line_in_the_documented_order():
    line = write_thread(Thread(key="ü", title="a\nb\u2028c"))
    assert line == (
        '{"id": "ü", "title": "a\\nb\u2028c", "body": "", "score": 0, "tags": [], "url": null, '
        '"author": null, "license": null, "asked_at": null, '
        '"closed_at": null, "source": null, "phrasings": [], "related": [], "answers": []}'
    )
    written = json.loads(write_thread(FULL_THREAD))
    assert list(written) == list(FULL)
    assert list(written["answers"][1].items()) == [
        ("id", None),
        ("body", "Ask a friend."),
        ("score", 0),
        ("accepted", False),
        ("author", None),
        ("url", None),
        ("license", None),
        ("answered_at", None),
    ]
    assert written["asked_at"] == FULL["asked_at"]


@relaxed
@given(threads)
def test_reading_what_was_written_gives_an_equal_thread(thread: Thread):
    line = write_thread(thread)
    assert "\n" not in line
    assert "\r" not in line
    assert thread_from(json.loads(line), print) == thread


@relaxed
@given(st.lists(threads, max_size=4, unique_by=lambda thread: thread.key.casefold()))
def test_a_written_file_reads_back_whole(tmp_path_factory: Any, written: list[Thread]):
    path = tmp_path_factory.mktemp("lines") / "all.jsonl"
    path.write_bytes("".join(write_thread(thread) + "\n" for thread in written).encode())
    report = SourceReport()
    assert list(read(path, report)) == [replace(t, source=t.source or "all") for t in written]
    assert report == SourceReport()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
rows = st.fixed_dictionaries(
    {"id": json_values, "title": json_values},
    optional={key: json_values for key in FULL if key not in ("id", "title")},
)


@relaxed
@given(st.lists(rows, max_size=5))
def test_any_json_is_read_or_refused_and_nothing_else(tmp_path_factory: Any, written: list[Any]):
    path = tmp_path_factory.mktemp("lines") / "any.jsonl"
    path.write_text("\n".join(map(json.dumps, written)))
    report = SourceReport()
    found = list(read_lines(path, report, Options()))
    assert len(found) + len(report.rejected) == len(written)
    for thread in found:
        write_thread(thread).encode()
    for error in report.rejected:
        str(error).encode()


@relaxed
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(tmp_path_factory: Any, data: bytes):
    path = tmp_path_factory.mktemp("bytes") / "any.jsonl"
    for content in (data, gzip.compress(data), b"\x1f\x8b\x08" + data):
        path.write_bytes(content)
        assert list(read(path, SourceReport())) == []
